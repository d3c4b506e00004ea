"""``config/site.yaml``: the machine that the engine runs on, not the plant."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mes_engine.core.errors import SettingsError
from mes_engine.settings.fields import Section, wrong
from mes_engine.storage.driver import file_url

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _database_url(text: str) -> str:
    try:
        name = make_url(text).get_backend_name()
    except (ArgumentError, ValueError):
        raise wrong("should be a URL such as sqlite:///mes.db") from None
    if name not in {"sqlite", "postgresql"}:
        raise wrong("should begin with sqlite or postgresql")
    if name == "sqlite":
        try:
            file_url(text)
        except SettingsError:
            raise wrong("should name a file, such as sqlite:///mes.db") from None
    return text


class DatabaseSettings(Section):
    """``database``: where work in progress is kept.

    Attributes:
        url: ``sqlite:///path``, relative to where the engine starts, or
            ``postgresql://user@host/name``.
        busy_timeout_s: How long to wait for a lock that another program holds.
    """

    url: Annotated[str, AfterValidator(_database_url)]
    busy_timeout_s: float = Field(default=5.0, gt=0, le=60)


class HttpSettings(Section):
    """``http``: where terminals and desks find the engine. Port 0 takes a free one."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=65535)


class ErpSettings(Section):
    """``erp``: who keeps the work-center ledger; ``embedded`` is our own."""

    kind: Literal["embedded"] = "embedded"


class GatewaySettings(Section):
    """``gateway``: who may deliver, and the gateway that ``mes run`` starts.

    Attributes:
        token: The secret that other gateways name; none lets no other in.
        folder: Where its spool is; left out, it is beside the database.
        memory_mb: It is ended where it takes more.
        spool_mb: What may wait on its disk.
        spool_hours: Older measurements are thinned out.
    """

    token: str = Field(default="", max_length=200)
    folder: Path | None = None
    memory_mb: int = Field(default=512, ge=128, le=65536)
    spool_mb: int = Field(default=512, ge=1, le=1048576)
    spool_hours: float = Field(default=72, gt=0, le=8760)


class ArchiveSettings(Section):
    """``archive``: where every commit is written once more, beside the database.

    Attributes:
        folder: Best on another disk; left out, there is no archive.
    """

    folder: Path | None = None


class JournalSettings(Section):
    """``journal``: what the chain that guards the journal is made with.

    Attributes:
        key_file: The chain's keys; left out, it is ``journal.key`` beside the settings.
            It is made where there is none.
        anchor_file: Where the chain's head is written each minute; left out, it is
            beside the database, or that of a server beside the keys.
    """

    key_file: Path | None = None
    anchor_file: Path | None = None


class BackupSettings(Section):
    """``backup``: backups by the clock, of a file of SQLite.

    Attributes:
        folder: Best on another disk; left out, none are taken.
        keep: So many of the newest are kept.
        keep_days: Of so many days, the last one is kept; the first of each year always.
    """

    folder: Path | None = None
    every_hours: float = Field(default=1, ge=0.01, le=168)
    keep: int = Field(default=48, ge=1, le=10_000)
    keep_days: int = Field(default=60, ge=1, le=3_660)


class LogSettings(Section):
    """``log``: how much to say."""

    level: LogLevel = "INFO"


class SiteFile(Section):
    """The whole file.

    Attributes:
        servers: What is served beside the web; checked by the adapters that serve it.
    """

    database: DatabaseSettings
    http: HttpSettings = HttpSettings()
    erp: ErpSettings = ErpSettings()
    gateway: GatewaySettings = GatewaySettings()
    archive: ArchiveSettings = ArchiveSettings()
    backup: BackupSettings = BackupSettings()
    journal: JournalSettings = JournalSettings()
    servers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    log: LogSettings = LogSettings()
