"""A record of what links said, read again: the same facts, to the byte."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.core.messages import Sensed
from mes_engine.core.plant import Plant
from mes_engine.core.samples import (
    EventSample,
    LinkReport,
    LinkState,
    Origin,
    Quality,
    Report,
    Sample,
)
from mes_engine.gateway.recording import recording
from mes_engine.replay import read_record, replay_signals, told
from tests.asking import a_request_for, asking
from tests.builders import LINK, SECOND, a_plant

AT = 1_700_000_000 * SECOND


def plant() -> Plant:
    return asking(a_plant())


def a_sample(tag: str, value: int, at: int, **changed: object) -> Sample:
    fields: dict[str, object] = {
        "tag": tag,
        "value": value,
        "quality": Quality.GOOD,
        "source_at": at,
        "received_at": at + 20_000,
    }
    return msgspec.convert(fields | changed, Sample)


def a_shift() -> list[Report]:
    """The mill counts, is jammed for a while, asks, and sends a message twice."""
    made = EventSample(kind="Made", key="part-1", received_at=AT + 9 * SECOND)
    return [
        LinkReport(state=LinkState.CONNECTED, at=AT),
        a_sample("mill-1.state", 6, AT + SECOND),
        a_sample("mill-1.good", 100, AT + SECOND),
        a_sample("mill-1.jam", 0, AT + SECOND, origin="initial"),
        a_sample("mill-1.good", 104, AT + 2 * SECOND),
        a_sample("mill-1.jam", 1, AT + 3 * SECOND),
        a_sample("mill-1.good", 105, AT + 6 * SECOND),
        a_sample("mill-1.jam", 0, AT + 7 * SECOND),
        a_request_for(5, key=1, at=AT + 8 * SECOND),
        made,
        msgspec.structs.replace(made, origin=Origin.BACKFILL),
        a_sample("mill-1.good", 2, AT + 12 * SECOND),
    ]


def numbered(reports: Iterable[Report], *, epoch: int = 1) -> Iterator[Sensed]:
    for n, report in enumerate(reports, start=1):
        yield Sensed(source=LINK, epoch=epoch, n=n, report=report)


def replayed(record: Iterable[Sensed], *, is_bare: bool = False) -> list[bytes]:
    return [told(one, is_bare=is_bare) for one in replay_signals(record, plant())]


def test_two_runs_are_the_same_to_the_byte() -> None:
    first = replayed(numbered(a_shift()))
    assert replayed(numbered(a_shift())) == first
    names = [msgspec.json.decode(line)["fact"] for line in first]
    assert {"signal_read", "alarm_raised", "alarm_cleared", "transaction_decided"} <= (
        set(names)
    )


def test_what_time_alone_brings_is_told_when_it_was_due() -> None:
    lines = [msgspec.json.decode(one) for one in replayed(numbered(a_shift()))]
    (raised,) = [
        one
        for one in lines
        if one["fact"] == "alarm_raised" and one["alarm"]["id"] == "mill-1.jammed"
    ]
    assert raised["alarm"]["raised_at"] == AT + 3 * SECOND
    jumps = [
        one["signal"].get("value") for one in lines if one["fact"] == "signal_read"
    ]
    assert jumps.index("104") < jumps.index("105")


def test_a_record_that_was_written_twice_is_heard_once() -> None:
    once = list(numbered(a_shift()))
    twice = [one for sensed in once for one in (sensed, sensed)]
    assert replayed(twice) == replayed(once)


def test_the_same_machine_over_another_server_is_the_same_events() -> None:
    def other(report: Report) -> Report:
        """The other server is slower, and its gateway's clock goes otherwise."""
        if isinstance(report, Sample):
            later = report.received_at + 150_000
            return msgspec.structs.replace(report, received_at=later)
        return report

    here = replayed(numbered(a_shift()), is_bare=True)
    there = replayed(numbered(map(other, a_shift()), epoch=9), is_bare=True)
    assert there == here


async def test_what_is_recorded_is_what_is_read(tmp_path: Path) -> None:
    heard: list[Sensed] = []

    async def sense(sensed: Sensed) -> None:
        heard.append(sensed)

    path = tmp_path / "record.jsonl"
    with recording(path) as recorder:
        assert recorder is not None
        into = recorder.before(sense)
        for one in numbered(a_shift()):
            await into(one)
    with path.open("rb") as lines:
        assert list(read_record(lines, name="record")) == heard


def test_a_line_that_is_none_is_told_and_a_cut_last_one_left_out() -> None:
    (first, *_) = numbered(a_shift())
    line = msgspec.json.encode(first) + b"\n"
    assert list(read_record([line, line[:20]], name="r")) == [first]
    with pytest.raises(SettingsError, match="r:2: no record"):
        list(read_record([line, b"{}\n"], name="r"))
