"""Handshakes in a plant's file: what is wrong with one is told where it stands."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.core.machine_rules import (
    EdgeRule,
    EventRule,
    HandshakeRule,
    MachineAction,
)
from mes_engine.settings import Site, installed_adapters, load_site
from tests.settings.builders import PLANT, write_site

AT = "{table: holding, type: u16, block: hs, address: "
SIGNALS = f"""\
    signals:
      request: {{link: press, means: value, at: {AT}0}}}}
      txn: {{link: press, means: value, at: {AT}1}}}}
      boot: {{link: press, means: value, at: {AT}2}}}}
      made: {{link: press, means: value, at: {AT}3}}}}
      ack: {{link: press, means: value, at: {AT}9, writable: true}}}}
      result: {{link: press, means: value, at: {AT}10, writable: true}}}}
      good: {{link: press, means: good_count, at: {AT}20}}}}
    handshakes:
      cycle:
        request: request
        key: txn
        ack: ack
        does: report
        payload: {{good: made}}
"""
HEAD, _, REST = PLANT.partition("    signals:\n")
LATHE = """\
  lathe:
    adapter: opcua
    url: opc.tcp://127.0.0.1:4840
    events:
      CycleComplete:
        type: {ns: "urn:lathe", id: s=CycleComplete}
        fields: {PartNo: "{urn:lathe}PartNo", Scrap: "{urn:lathe}Scrap"}
"""
TAIL = (
    "links:\n"
    + LATHE
    + REST.partition("links:\n")[2]
    .replace(
        "adapter: wire\n    port: 5020",
        "adapter: modbus\n    url: tcp://127.0.0.1:5020",
    )
    .replace("  cell:", "  press:")
)
FIRST = HEAD.count("\n") + 1


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(signals: str = SIGNALS) -> Site:
    write_site(Path(), plant=HEAD + signals + TAIL)
    return load_site(
        Path("config"), None, environment={}, adapters=installed_adapters()
    )


def problems(old: str, new: str) -> list[str]:
    """Return what is said once ``old`` reads ``new``, without the file's name."""
    assert SIGNALS.count(old) == 1, old
    with pytest.raises(SettingsError) as caught:
        load(SIGNALS.replace(old, new))
    return [line.partition(":")[2] for line in str(caught.value).splitlines()]


def place(text: str, *, after: str = "") -> str:
    """Return ``line:column`` of ``text`` in the signals as they are."""
    at = SIGNALS.index(text, SIGNALS.index(after)) if after else SIGNALS.index(text)
    line = SIGNALS[:at].count("\n") + FIRST
    return f"{line}:{at - SIGNALS.rfind(chr(10), 0, at)}"


def test_a_handshake_is_read_with_its_defaults() -> None:
    (rule,) = load().plant.handshakes
    assert rule == HandshakeRule(
        id="mill-1.cycle",
        work_unit="mill-1",
        link="press",
        request="mill-1.request",
        ack="mill-1.ack",
        key="mill-1.txn",
        does=MachineAction.REPORT,
        payload={"good": "mill-1.made"},
        debounce_us=20_000,
        clear_us=10_000_000,
    )


def test_every_key_says_something() -> None:
    more = """\
        boot: boot
        result: result
        done: 10
        refused: 20
        ack_on: 1
        ack_off: off
        given: {reason: because}
        debounce_ms: 0
        clear_timeout_s: 3
"""
    (rule,) = load(SIGNALS + more).plant.handshakes
    assert (rule.boot, rule.result) == ("mill-1.boot", "mill-1.result")
    assert (rule.done, rule.refused) == (10, 20)
    assert (rule.ack_on, rule.ack_off) == (1, False)
    assert rule.ack_on is not True
    assert (rule.debounce_us, rule.clear_us) == (0, 3_000_000)


def test_a_link_is_told_what_it_has_to_read_together() -> None:
    (group,) = load().links["press"].groups
    assert group.gate == "mill-1.request"
    assert group.tags == ("mill-1.request", "mill-1.txn", "mill-1.made")
    assert (group.also, group.steady_s) == (("mill-1.ack",), 0.02)


CASES: list[tuple[str, str, Any]] = [
    (
        "request: request\n",
        "request: requst\n",
        (
            "request\n",
            "request",
            "'mill-1' has no signal 'requst'; did you mean 'request'?",
        ),
    ),
    (
        "key: txn\n",
        "key: good\n",
        ("txn\n", "key", "'good' means good_count, and should mean value"),
    ),
    (
        "does: report",
        "does: raport",
        (
            "report",
            "does",
            "should be 'load', 'dispatch', 'begin', 'report', 'complete', 'pause', "
            "'resume', 'hold', 'measure', 'consume', 'changeover' or 'alarm' "
            "(got 'raport'); did you mean 'report'?",
        ),
    ),
    (
        "{good: made}",
        "{goood: made, good: made}",
        (
            "good: made",
            "payload.goood",
            "unknown key: to report takes no such field; did you mean 'good'?",
        ),
    ),
    (
        "payload: {good: made}",
        "payload: {lot: made}",
        (
            "report",
            "does",
            "to report needs one of good, scrap, suspect, lost, tested in payload or "
            "given",
        ),
    ),
    (
        "does: report\n        payload: {good: made}",
        "does: pause",
        ("report", "does", "to pause needs 'reason' in payload or given"),
    ),
    (
        "payload: {good: made}",
        "given: {good: few}",
        (
            "good: made",
            "given.good",
            "'few' is no number, as 'good' should be",
        ),
    ),
    (
        "        ack: ack\n",
        "        ack: made\n",
        None,
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_what_is_wrong_is_told_where_it_stands(
    old: str, new: str, expected: tuple[str, str, str] | None
) -> None:
    found = problems(old, new)
    if expected is None:
        at = place("at: {table", after="made:")
        assert found == [
            f"{at}: work_units.mill-1.signals.made.at: a handshake writes to it: it "
            "needs writable: true"
        ]
        return
    _, key, text = expected
    (line,) = found
    position, _, rest = line.partition(": ")
    assert rest == f"work_units.mill-1.handshakes.cycle.{key}: {text}"
    changed = SIGNALS.replace(old, new).splitlines()
    word = key.rpartition(".")[2]
    number, column = (int(part) for part in position.split(":"))
    row = changed[number - FIRST]
    start = row.index(f"{word}:") + 1
    assert column in {start, start + len(word) + 2}


def test_a_payload_of_another_block_names_the_tag() -> None:
    old = "made: {link: press, means: value, at: {table: holding, type: u16, block: hs,"
    (line,) = problems(old, old.replace("block: hs", "block: far"))
    assert line.endswith(
        "work_units.mill-1.signals.made.at.block: is read in holding 3 of unit 1, and "
        "mill-1.request in holding 0-20 of unit 1: give them all the same block, or "
        "they are not of one moment"
    )


def test_a_payload_that_is_read_at_another_pace_is_of_another_moment() -> None:
    text = SIGNALS.replace("block: hs, ", "").replace(
        "address: 3", "address: 3, poll: slow"
    )
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert "signals.made.at.address: is read in holding 3 of unit 1" in str(
        caught.value
    )


def test_two_handshakes_do_not_share_a_request() -> None:
    second = """\
      other:
        request: request
        key: txn
        ack: ack
        does: resume
"""
    with pytest.raises(SettingsError) as caught:
        load(SIGNALS + second)
    assert "handshakes.other.request: is the request of 'cycle' already" in str(
        caught.value
    )


def test_an_adapter_that_reads_nothing_together_takes_no_handshake() -> None:
    write_site(Path(), plant=HEAD + SIGNALS + TAIL)
    modbus = installed_adapters()["modbus"]
    adapters = {"modbus": dataclasses.replace(modbus, check_groups=None)}
    with pytest.raises(SettingsError) as caught:
        load_site(Path("config"), None, environment={}, adapters=adapters)
    told = "cycle.request: adapter 'modbus' cannot read values of one moment"
    assert told in str(caught.value)


EDGE = """\
    edges:
      jammed:
        tag: made
        does: alarm
        severity: 700
        given: {text: jammed}
"""


def told(more: str) -> list[str]:
    """Return what is said about more of the work unit."""
    with pytest.raises(SettingsError) as caught:
        load(SIGNALS + more)
    return [line.partition("mill-1.")[2] for line in str(caught.value).splitlines()]


def test_an_edge_is_read_with_its_defaults() -> None:
    (rule,) = load(SIGNALS + EDGE).plant.edges
    assert rule == EdgeRule(
        id="mill-1.jammed",
        work_unit="mill-1",
        link="press",
        tag="mill-1.made",
        does=MachineAction.ALARM,
        given={"text": "jammed"},
        severity=700,
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "tag: made",
            "tag: mad",
            "edges.jammed.tag: 'mill-1' has no signal 'mad'; did you mean 'made'?",
        ),
        (
            "tag: made",
            "tag: good",
            "edges.jammed.tag: 'good' means good_count, and should mean value",
        ),
        (
            "severity: 700",
            "on: both",
            "edges.jammed.on: an alarm is up at one level: rising or falling",
        ),
        (
            "severity: 700",
            "on: raising",
            "edges.jammed.on: should be 'rising', 'falling' or 'both' "
            "(got 'raising'); did you mean 'rising'?",
        ),
        (
            "severity: 700",
            "severity: 7000",
            "edges.jammed.severity: should be at most 1000 (got '7000')",
        ),
        (
            "{text: jammed}",
            "{good: 1}",
            "edges.jammed.given.good: unknown key: to alarm takes no such field",
        ),
        (
            "jammed:\n",
            "cycle:\n",
            "edges.cycle: is the name of one of its handshakes too",
        ),
    ],
)
def test_what_is_wrong_with_an_edge_is_told(old: str, new: str, expected: str) -> None:
    assert told(EDGE.replace(old, new)) == [expected]


EVENT = """\
    events:
      made:
        link: lathe
        event: CycleComplete
        key: PartNo
        does: report
        fields: {scrap: Scrap}
        given: {good: 1}
"""


def test_an_event_is_read() -> None:
    (rule,) = load(SIGNALS + EVENT).plant.events
    assert rule == EventRule(
        id="mill-1.made",
        work_unit="mill-1",
        link="lathe",
        event="CycleComplete",
        key="PartNo",
        does=MachineAction.REPORT,
        fields={"scrap": "Scrap"},
        given={"good": "1"},
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "link: lathe",
            "link: lath",
            "events.made.link: there is no link 'lath'; did you mean 'lathe'?",
        ),
        (
            "link: lathe",
            "link: press",
            "events.made.link: the adapter of 'press' tells no messages of machines",
        ),
        (
            "event: CycleComplete",
            "event: CycleCompleted",
            "events.made.event: link 'lathe' tells no 'CycleCompleted'; "
            "did you mean 'CycleComplete'?",
        ),
        (
            "key: PartNo",
            "key: PartNr",
            "events.made.key: 'CycleComplete' of link 'lathe' has no field 'PartNr'; "
            "did you mean 'PartNo'?",
        ),
        (
            "key: PartNo",
            "where: {Line: A}",
            "events.made.where.Line: 'CycleComplete' of link 'lathe' has no field "
            "'Line'",
        ),
        (
            "{scrap: Scrap}",
            "{scarp: Scrap}",
            "events.made.fields.scarp: unknown key: to report takes no such field; "
            "did you mean 'scrap'?",
        ),
        (
            "key: PartNo",
            "active: PartNo",
            "events.made.active: says nothing for an event that does report",
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_told(old: str, new: str, expected: str) -> None:
    assert told(EVENT.replace(old, new)) == [expected]
