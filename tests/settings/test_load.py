import re
from decimal import Decimal
from pathlib import Path

import pytest

from mes_engine.core.plant import (
    Changeover,
    DispatchRule,
    RuleSettings,
    Shift,
    Signal,
    SignalMeaning,
    WorkUnit,
)
from mes_engine.core.reasons import USUAL, ReasonKind, reasons_of
from mes_engine.core.steps import BeginOn, Connection, ConnectionKind
from mes_engine.settings import LinkPlan, installed_adapters, load_site
from mes_engine.settings.fields import Section
from mes_engine.settings.machine_rules_file import (
    EdgeEntry,
    EventEntry,
    HandshakeEntry,
)
from mes_engine.settings.plant_file import (
    AreaSection,
    EquipmentClassEntry,
    LanesSection,
    LocationsSection,
    RuleSection,
    ShiftEntry,
    SignalEntry,
    SiteSection,
    WipLimitSection,
    WorkCenterEntry,
    WorkUnitEntry,
)
from mes_engine.settings.routing_file import (
    ComponentEntry,
    ConnectionEntry,
    RoutingFile,
    StepEntry,
    TimeWindowEntry,
)
from mes_engine.settings.site_file import (
    DatabaseSettings,
    ErpSettings,
    GatewaySettings,
    HttpSettings,
    JournalSettings,
    LogSettings,
    SiteFile,
)
from tests.settings.builders import (
    ADAPTERS,
    PLANT,
    ROUTING,
    SITE,
    WireSettings,
    WireTag,
    changed,
    load,
    problems,
    write_site,
)

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_a_plant_becomes_the_cores_plant() -> None:
    plant = load().plant

    assert plant.zone == "Europe/Berlin"
    assert plant.finished_location == "STORE"
    assert plant.work_units == (
        WorkUnit(id="mill-1", work_center="MILLS", name="Mill 1", classes=("milling",)),
    )
    assert plant.signals[0] == Signal(
        tag="mill-1.good",
        work_unit="mill-1",
        link="cell",
        means=SignalMeaning.GOOD_COUNT,
        rollover=65536,
    )
    assert plant.shifts == (
        Shift(id="day", name="Day", starts=360, ends=1080, days=(1,)),
    )
    assert plant.state_maps == {"words": {"RUN": "executing"}}


def test_a_link_gets_what_its_adapter_checked() -> None:
    assert load().links == {
        "cell": LinkPlan(
            adapter="wire",
            settings=WireSettings(port=5020),
            tags={
                "mill-1.good": WireTag(address=0, bits=16),
                "mill-1.state": WireTag(address=1),
            },
        )
    }


def test_a_link_without_signals_has_no_tags(tmp_path: Path) -> None:
    plant = changed(PLANT, "links:\n", "links:\n  spare: {adapter: wire, port: 1}\n")
    write_site(tmp_path, plant=plant)

    assert load().links["spare"].tags == {}


def test_a_routing_keeps_a_revision_as_it_is_written() -> None:
    (routing,) = load().routings

    assert routing.revision == "01"
    assert routing.steps[0].begin_on is BeginOn.OPERATOR
    assert routing.connections == (
        Connection(
            kind=ConnectionKind.QUANTITY,
            source="one",
            target="two",
            transfer_batch=Decimal(5),
        ),
    )


def test_steps_without_connections_follow_each_other(tmp_path: Path) -> None:
    linear, _, _ = ROUTING.partition("connections:")
    write_site(tmp_path, routings={"bracket.yaml": linear})

    (routing,) = load().routings

    assert [(one.source, one.target) for one in routing.connections] == [("one", "two")]
    assert routing.connections[0].transfer_batch is None


@pytest.mark.parametrize(
    ("own", "expected"), [("", "0.05"), ("over_tolerance: 0\n", "0")]
)
def test_a_routing_without_a_tolerance_has_the_sites(
    own: str, expected: str, tmp_path: Path
) -> None:
    plant = changed(PLANT, "Europe/Berlin}", "Europe/Berlin, over_tolerance: 0.05}")
    write_site(tmp_path, plant=plant, routings={"bracket.yaml": own + ROUTING})

    assert load().routings[0].over_tolerance == Decimal(expected)


def test_values_come_from_the_environment(tmp_path: Path) -> None:
    plant = changed(PLANT, "port: 5020", "port: ${PORT:-1}")
    plant = changed(plant, "name: Mill 1", "name: $${PORT} ${NAME:-}1${SUFFIX}")
    write_site(tmp_path, plant=plant)

    site = load({"PORT": "7", "SUFFIX": "b"})

    assert site.links["cell"].settings == WireSettings(port=7)
    assert site.plant.work_units[0].name == "${PORT} 1b"
    assert load({"PORT": "", "SUFFIX": "b"}).links["cell"].settings == WireSettings(
        port=1
    )


def test_routings_know_no_environment(tmp_path: Path) -> None:
    routing = changed(ROUTING, "name: One", "name: ${NAME}")
    write_site(tmp_path, routings={"bracket.yaml": routing})

    assert load().routings[0].steps[0].name == "${NAME}"


def test_a_site_can_do_without_routings() -> None:
    site = load_site(Path("config"), None, environment={}, adapters=ADAPTERS)

    assert site.routings == ()
    assert (site.http.port, site.erp.kind, site.log_level) == (8000, "embedded", "INFO")


def test_the_keys_of_the_journal_are_beside_the_settings_or_where_they_say(
    tmp_path: Path,
) -> None:
    assert load().key_file == Path("config/journal.key")

    write_site(tmp_path, site=f"{SITE}journal: {{key_file: /keys/mes}}\n")
    assert load().key_file == Path("/keys/mes")


def test_reasons_that_are_declared_take_the_place_of_the_usual_ones(
    tmp_path: Path,
) -> None:
    declared = "areas: [machining]\nreasons: {pause: [Werkzeug, No, 08:30]}\n"
    write_site(tmp_path, plant=changed(PLANT, "areas: [machining]\n", declared))

    reasons = reasons_of(load().plant.reasons)

    assert reasons[ReasonKind.PAUSE] == ("Werkzeug", "No", "08:30")
    assert reasons[ReasonKind.SCRAP] == USUAL[ReasonKind.SCRAP]


def test_examples_beside_the_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "config/plant.example.yaml").write_text("nonsense: 1\n")
    (tmp_path / "routings/routing.example.yaml").write_text("nonsense: 1\n")

    assert len(load().routings) == 1


def test_every_problem_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    plant = changed(PLANT, "    area: machining", "    area: machinig\n    rulle: fifo")
    plant = changed(plant, "port: 5020", "prot: 5020")
    plant = changed(plant, "at: {address: 1}", "at: {adress: 1}")
    plant = changed(plant, "rollover: 65536", "rollover: 70000")
    site = changed(SITE, "sqlite:", "mysql:") + "http: {port: 70000}\n"
    routing = changed(ROUTING, "target: two", "target: three")
    write_site(tmp_path, plant=plant, site=site, routings={"bracket.yaml": routing})

    assert problems() == [
        "config/plant.yaml:11:11: work_centers.MILLS.area: "
        "there is no area 'machinig'; did you mean 'machining'?",
        "config/plant.yaml:12:5: work_centers.MILLS.rulle: unknown key; "
        "did you mean 'rule'?",
        "config/plant.yaml:23:19: work_units.mill-1.signals.good.rollover: "
        "16 bits start again at 0 after 65536 counts at the latest (got '70000')",
        "config/plant.yaml:28:9: work_units.mill-1.signals.state.at.address: missing",
        "config/plant.yaml:28:14: work_units.mill-1.signals.state.at.adress: "
        "unknown key; did you mean 'address'?",
        "config/plant.yaml:30:3: links.cell.port: missing",
        "config/plant.yaml:32:5: links.cell.prot: unknown key; did you mean 'port'?",
        "config/site.yaml:2:8: database.url: should begin with sqlite or postgresql",
        "config/site.yaml:3:14: http.port: should be at most 65535 (got '70000')",
        "routings/bracket.yaml:17:13: connections.0.target: there is no step 'three'",
    ]


def test_a_database_that_is_no_file_is_told_where_it_stands(tmp_path: Path) -> None:
    write_site(tmp_path, site=changed(SITE, "sqlite:///", "sqlite://"))
    assert problems() == [
        "config/site.yaml:2:8: database.url: should name a file, such as "
        "sqlite:///mes.db"
    ]


def test_the_examples_are_whole_and_load(tmp_path: Path) -> None:
    for name in ("config/plant", "config/site", "routings/routing"):
        example = (REPOSITORY / f"{name}.example.yaml").read_text("utf-8")
        (tmp_path / f"{name}.yaml").write_text(example, "utf-8")
    (tmp_path / "routings/bracket.yaml").unlink()

    site = load_site(
        Path("config"),
        Path("routings"),
        environment={},
        adapters=installed_adapters(),
    )

    assert site.plant.state_maps["vendor-states"]["OFF"] == "not_available"
    assert site.plant.map_versions == {"vendor-states": "2"}
    assert site.plant.mode_maps["vendor-modes"]["SERVICE"] == "maintenance"
    assert [step.id for step in site.routings[0].steps] == [
        "mill",
        "papers",
        "assemble",
        "polish",
        "pack",
    ]


@pytest.mark.parametrize(
    ("file", "models"),
    [
        (
            "config/plant.example.yaml",
            (
                *(SiteSection, LocationsSection, EquipmentClassEntry, WorkCenterEntry),
                *(WorkUnitEntry, LanesSection, SignalEntry, ShiftEntry, RuleSection),
                *(AreaSection, WipLimitSection, HandshakeEntry, EdgeEntry, EventEntry),
            ),
        ),
        (
            "config/site.example.yaml",
            (
                SiteFile,
                DatabaseSettings,
                HttpSettings,
                ErpSettings,
                GatewaySettings,
                JournalSettings,
                LogSettings,
            ),
        ),
        (
            "routings/routing.example.yaml",
            (
                RoutingFile,
                StepEntry,
                ComponentEntry,
                ConnectionEntry,
                TimeWindowEntry,
            ),
        ),
    ],
)
def test_the_examples_explain_every_key(
    file: str, models: tuple[type[Section], ...]
) -> None:
    example = (REPOSITORY / file).read_text("utf-8")

    for model in models:
        for name, field in model.model_fields.items():
            key = field.alias or name
            assert re.search(rf"^[^#]*\b{key}:", example, re.MULTILINE), key


def test_the_shipped_files_load() -> None:
    site = load_site(
        REPOSITORY / "config",
        REPOSITORY / "routings",
        environment={},
        adapters=installed_adapters(),
    )

    assert {unit.id for unit in site.plant.work_units} == {
        *("mill-1", "mill-2", "lathe-1", "press-1", "press-2"),
        *("wash-1", "pack-1", "inspect-1"),
    }
    assert {plan.adapter for plan in site.links.values()} == {"opcua", "modbus"}
    assert sum(len(plan.tags) for plan in site.links.values()) == 3 * 7 + 1 + 6
    assert len(site.routings) >= 3


def test_a_rule_may_be_told_more_than_its_name(tmp_path: Path) -> None:
    plant = changed(PLANT, "name: Mills", "name: Mills\n    rule: {name: atc, k: 2.5}")
    write_site(tmp_path, plant=plant)

    center = load().plant.work_centers[0]

    assert center.rule is DispatchRule.ATC
    assert center.rule_settings == RuleSettings(k=Decimal("2.5"))


def test_a_rule_may_weigh_others(tmp_path: Path) -> None:
    rule = "{name: weighted, weights: {edd: 0.7, atc: 0.3}, k: 3}"
    plant = changed(PLANT, "name: Mills", f"name: Mills\n    rule: {rule}")
    write_site(tmp_path, plant=plant)

    told = load().plant.work_centers[0].rule_settings

    assert told.weights == {
        DispatchRule.EDD: Decimal("0.7"),
        DispatchRule.ATC: Decimal("0.3"),
    }
    assert told.k == 3


def test_changeovers_are_of_a_class_or_of_one_work_unit(tmp_path: Path) -> None:
    plant = changed(
        PLANT,
        "  milling: {name: Milling}",
        "  milling: {name: Milling, changeovers: {RED: {BLUE: 15}, BLUE: {RED: 45}}}",
    )
    plant = changed(
        plant,
        "    classes: [milling]",
        "    classes: [milling]\n    changeovers: {RED: {BLUE: 7.5}}",
    )
    write_site(tmp_path, plant=plant)

    found = load().plant

    assert found.classes[0].changeovers == (
        Changeover(source="RED", target="BLUE", minutes=Decimal(15)),
        Changeover(source="BLUE", target="RED", minutes=Decimal(45)),
    )
    assert found.work_units[0].changeovers == (
        Changeover(source="RED", target="BLUE", minutes=Decimal("7.5")),
    )
