"""What the rules of a plant need of its links: pulses that are seen, job orders."""

from pathlib import Path

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.core.machine_rules import EdgeDirection
from mes_engine.ports import Pulse
from mes_engine.settings import Site, installed_adapters, load_site
from mes_engine.settings.machine_rules_file import EdgeEntry
from mes_engine.settings.pulses import shortest_ms
from tests.settings.builders import write_site
from tests.settings.test_machine_rules import HEAD, TAIL

SIGNAL = """\
    signals:
      jam: {link: press, means: value, at: {table: coil, type: bool, address: 1}}
"""
EDGE = """\
    edges:
      jammed: {tag: jam, does: alarm, given: {text: jammed}, min_high_ms: 2000}
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(unit: str, tail: str = TAIL) -> Site:
    write_site(Path(), plant=HEAD + unit + tail)
    adapters = installed_adapters()
    return load_site(Path("config"), None, environment={}, adapters=adapters)


def problems(unit: str, tail: str = TAIL) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(unit, tail)
    return str(caught.value).splitlines()


def test_an_edge_tells_its_link_how_short_a_level_counts() -> None:
    site = load(SIGNAL + EDGE)
    assert site.links["press"].pulses == (
        Pulse(tag="mill-1.jam", shortest_s=2.0, rule="mill-1.jammed"),
    )


def test_an_edge_that_polling_cannot_see_is_refused_at_its_signal() -> None:
    unit = SIGNAL + EDGE.replace("2000", "1999")
    line = HEAD.count("\n") + 2
    column = SIGNAL.splitlines()[1].index("at: {") + 1
    assert problems(unit) == [
        f"config/plant.yaml:{line}:{column}: work_units.mill-1.signals.jam.at: is "
        "polled every 1000 ms, and edge 'mill-1.jammed' has to see 1999 ms: that takes "
        "a poll every 999.5 ms, or a longer pulse_ms of the edge"
    ]


@pytest.mark.parametrize(
    ("signal", "edge"),
    [
        (SIGNAL.replace("address: 1", "address: 1, poll: fast"), "min_high_ms: 400"),
        (SIGNAL, "min_high_ms: 100, pulse_ms: 2000"),
        (SIGNAL, "on: falling, pulse_ms: 2000"),
        (SIGNAL, "min_high_ms: 0"),
    ],
)
def test_what_polling_can_see_is_taken(signal: str, edge: str) -> None:
    load(signal + EDGE.replace("min_high_ms: 2000", edge))


def test_the_fast_poll_has_its_limit_too() -> None:
    fast = SIGNAL.replace("address: 1", "address: 1, poll: fast")
    (told,) = problems(fast + EDGE.replace("2000", "399"))
    assert "signals.jam.at.poll: is polled every 200 ms" in told


@pytest.mark.parametrize(
    ("on", "debounce", "high", "shortest"),
    [
        ("rising", 20, 100, 100),
        ("rising", 200, 100, 200),
        ("falling", 20, 100, 20),
        ("both", 20, 100, 20),
        ("both", 0, 100, 100),
        ("rising", 0, 0, 0),
    ],
)
def test_the_shortest_level_that_counts_is_what_has_to_be_seen(
    on: str, debounce: int, high: int, shortest: int
) -> None:
    edge = EdgeEntry.model_validate(
        {
            "tag": "jam",
            "does": "alarm",
            "on": EdgeDirection(on),
            "debounce_ms": debounce,
            "min_high_ms": high,
        }
    )
    assert shortest_ms(edge) == shortest


JOBS = "    jobs: {link: press}\n"
OPCUA = TAIL.replace(
    "adapter: modbus\n    url: tcp://127.0.0.1:5020",
    "adapter: opcua\n    url: opc.tcp://127.0.0.1:4840",
)


def test_job_orders_need_a_link_that_runs_some() -> None:
    line = HEAD.count("\n") + 1
    place = f"config/plant.yaml:{line}:18: work_units.mill-1.jobs.link: "
    assert problems(JOBS) == [f"{place}adapter 'modbus' runs no job orders"]
    assert problems(JOBS, OPCUA) == [
        f"{place}no job orders run over 'press': it needs jobs, as in jobs: {{}}"
    ]
    load(JOBS, OPCUA.replace(":4840", ":4840\n    jobs: {}"))
