"""Read ``config/`` and ``routings/`` as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from mes_engine.core.plant import Plant
from mes_engine.core.quantity import ZERO
from mes_engine.core.routing import Routing
from mes_engine.ports import AdapterSpec
from mes_engine.settings.checked import checked
from mes_engine.settings.document import Document, names_in, read_document
from mes_engine.settings.links import LinkPlan, read_links
from mes_engine.settings.plant import check_plant, to_plant
from mes_engine.settings.plant_file import names_of, read_plant
from mes_engine.settings.problems import Position, Problem, Problems, guess
from mes_engine.settings.routing_file import capabilities_of, read_routing
from mes_engine.settings.servers import ServerPlan, read_servers
from mes_engine.settings.site_file import (
    ArchiveSettings,
    BackupSettings,
    DatabaseSettings,
    ErpSettings,
    GatewaySettings,
    HttpSettings,
    LogLevel,
    SiteFile,
)
from mes_engine.storage.backend import is_postgresql
from mes_engine.storage.driver import file_url

_PLANT = "plant.yaml"
_SITE = "site.yaml"
_EXAMPLE = ".example.yaml"
_KEYS = "journal.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that the files of a site say.

    Attributes:
        key_file: Where the keys of the journal's chain are.
        anchor_file: Where its head is written each minute.
    """

    plant: Plant
    links: Mapping[str, LinkPlan]
    routings: tuple[Routing, ...]
    database: DatabaseSettings
    http: HttpSettings
    erp: ErpSettings
    log_level: LogLevel
    plant_digest: str
    gateway: GatewaySettings
    archive: ArchiveSettings
    backup: BackupSettings
    key_file: Path
    anchor_file: Path
    servers: Mapping[str, ServerPlan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFile:
    """What a gateway needs of a site: ``plant.yaml``, and nothing of ``site.yaml``."""

    plant: Plant
    links: Mapping[str, LinkPlan]
    digest: str


def load_links(
    config_dir: Path,
    *,
    environment: Mapping[str, str],
    adapters: Mapping[str, AdapterSpec],
) -> LinkFile:
    """Read ``plant.yaml`` alone.

    Raises:
        SettingsError: As for :func:`load_site`.
    """
    problems = Problems()
    document = read_document(config_dir / _PLANT, problems, environment=environment)
    plant = None if document is None else read_plant(document, problems)
    links: dict[str, LinkPlan] = {}
    if document is not None and plant is not None:
        check_plant(document, plant, problems)
        links = read_links(document, plant, adapters, problems)
    problems.raise_any()
    if plant is None:
        raise AssertionError("nothing is missing without a problem")
    return LinkFile(
        plant=_allowing(to_plant(plant), links, adapters),
        links=links,
        digest=digest_of(config_dir),
    )


def _allowing(
    plant: Plant, links: Mapping[str, LinkPlan], adapters: Mapping[str, AdapterSpec]
) -> Plant:
    """Return the plant with what its links' settings allow to be called."""
    methods: dict[str, tuple[str, ...]] = {}
    for link, plan in links.items():
        tell = adapters[plan.adapter].methods
        if tell is not None and (names := tuple(sorted(tell(plan.settings)))):
            methods[link] = names
    return replace(plant, methods=methods) if methods else plant


def digest_of(config_dir: Path) -> str:
    """Return what tells this ``plant.yaml`` from any other; as it is written."""
    return sha256((config_dir / _PLANT).read_bytes()).hexdigest()


def variables_of_site(config_dir: Path) -> frozenset[str]:
    """Return the variables that ``site.yaml`` names and ``plant.yaml`` does not.

    They are the engine's own, as the way to its database is.
    """
    return names_in(config_dir / _SITE) - names_in(config_dir / _PLANT)


def load_site(
    config_dir: Path,
    routings_dir: Path | None,
    *,
    environment: Mapping[str, str],
    adapters: Mapping[str, AdapterSpec],
) -> Site:
    """Read a site: ``plant.yaml`` and ``site.yaml``, and one routing a file.

    Args:
        config_dir: Where ``plant.yaml`` and ``site.yaml`` are.
        routings_dir: Where the routings are; None for a site without any.
        environment: What ``${NAME}`` in ``config/`` stands for.
        adapters: By name; ``installed_adapters()``, or fewer in a test.

    Raises:
        SettingsError: The files cannot be used. Each problem is a line
            ``file:line:column: key: problem; did you mean '...'?``, all at once.
    """
    problems = Problems()
    _refuse_strays(config_dir, problems, known=(_PLANT, _SITE))
    document = read_document(config_dir / _PLANT, problems, environment=environment)
    plant = None if document is None else read_plant(document, problems)
    links: dict[str, LinkPlan] = {}
    if document is not None and plant is not None:
        check_plant(document, plant, problems)
        links = read_links(document, plant, adapters, problems)
    site, servers = _read_site(config_dir / _SITE, environment, adapters, problems)
    over = plant.site.over_tolerance if plant is not None and plant.site else ZERO
    routings: tuple[Routing, ...] = ()
    if routings_dir is not None:
        routings = _read_routings(routings_dir, document, over, problems)
    problems.raise_any()
    if plant is None or site is None:
        raise AssertionError("nothing is missing without a problem")
    key_file = site.journal.key_file or config_dir / _KEYS
    return Site(
        plant=_allowing(to_plant(plant), links, adapters),
        links=links,
        routings=routings,
        database=site.database,
        http=site.http,
        erp=site.erp,
        log_level=site.log.level,
        servers=servers,
        plant_digest=digest_of(config_dir),
        gateway=site.gateway,
        archive=site.archive,
        backup=site.backup,
        key_file=key_file,
        anchor_file=site.journal.anchor_file
        or _anchors(site.database.url, key_file.parent),
    )


def _anchors(database_url: str, else_in: Path) -> Path:
    if is_postgresql(database_url):
        return else_in / "journal.anchors"
    database = Path(str(file_url(database_url).database))
    return database.with_name(f"{database.name}.anchors")


def _read_site(
    path: Path,
    environment: Mapping[str, str],
    adapters: Mapping[str, AdapterSpec],
    problems: Problems,
) -> tuple[SiteFile | None, dict[str, ServerPlan]]:
    document = read_document(path, problems, environment=environment)
    if document is None:
        return None, {}
    site: SiteFile | None = checked(document, (), SiteFile, problems)
    return site, read_servers(document, adapters, problems)


def _read_routings(
    directory: Path, plant: Document | None, over: Decimal, problems: Problems
) -> tuple[Routing, ...]:
    _refuse_strays(directory, problems)
    names = {} if plant is None else names_of(plant)
    capabilities = None if plant is None else capabilities_of(plant, names)
    routings: dict[tuple[str, str], Routing] = {}
    files: dict[tuple[str, str], str] = {}
    for path in sorted(directory.glob("*.yaml")):
        if path.name.endswith(_EXAMPLE):
            continue
        document = read_document(path, problems)
        if document is None:
            continue
        routing = read_routing(
            document,
            problems,
            names=names,
            capabilities=capabilities,
            over_tolerance=over,
        )
        key = (document.data.get("id"), document.data.get("revision"))
        if all(isinstance(part, str) for part in key):
            if key in files:
                text = f"'{key[0]}' has this revision in {files[key]} already"
                problems.add(document.problem(("revision",), text))
            files.setdefault(key, path.name)
        if routing is not None:
            routings[key] = routing
    return tuple(routings.values())


def _refuse_strays(
    directory: Path, problems: Problems, *, known: tuple[str, ...] = ()
) -> None:
    """Refuse YAML files that would not be read: a name with a slip is no setting."""
    if not directory.is_dir():
        problems.add(Problem(str(directory), Position(1, 1), "", "no such directory"))
        return
    for path in sorted(directory.iterdir()):
        is_read = path.suffix == ".yaml" and (not known or path.name in known)
        if path.suffix in {".yaml", ".yml"} and not is_read:
            if path.suffix == ".yaml" and path.name.endswith(_EXAMPLE):
                continue
            wanted = known or (f"{path.stem}.yaml",)
            text = f"no file of this name is read{guess(path.name, wanted)}"
            problems.add(Problem(str(path), Position(1, 1), "", text))
