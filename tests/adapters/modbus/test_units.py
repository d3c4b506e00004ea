"""A unit that is dead does not slow the others. Scenario 19."""

import asyncio
from itertools import pairwise

import pytest

from mes_adapters.modbus.settings import UnitSettings
from mes_adapters.modbus.units import Unit
from mes_engine.conformance.hearing import supervised
from mes_engine.core.samples import Quality
from tests.adapters.modbus.faults import serial_pair
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import Peer, libmodbus, running_peer

POLL_S = 0.2
TAGS = {
    "live": {"unit": 1, "address": 0},
    "dead": {"unit": 9, "address": 0},
    "dead2": {"unit": 9, "address": 200},
}
SETTINGS = {
    "poll_s": POLL_S,
    "timeout_s": 0.2,
    "quiet_s": 0.2,
    "heartbeat_s": 0.01,
    "units": {9: {"breaker": {"after": 3, "probe_s": 6}}},
}
"""A probe takes 0.2 s of 6: as 1 s of 30."""


def test_a_unit_is_down_after_some_failures_and_up_with_its_first_answer() -> None:
    unit = Unit(UnitSettings.model_validate({"breaker": {"after": 2, "probe_s": 30}}))
    assert not unit.failed(10)
    assert (unit.is_down, unit.free_at) == (False, 10)
    assert unit.failed(11)
    assert (unit.is_down, unit.free_at) == (True, 41)
    assert not unit.failed(41)
    assert unit.free_at == 71
    assert unit.answered(72)
    assert not unit.is_down
    assert not unit.answered(73)


def test_a_unit_rests_after_an_answer_as_long_as_it_needs() -> None:
    unit = Unit(UnitSettings(pause_s=0.5))
    unit.answered(10)
    assert unit.free_at == 10.5


def test_a_unit_that_is_down_has_one_try_on_another_connection() -> None:
    unit = Unit(UnitSettings())
    for _ in range(3):
        unit.failed(0)
    unit.retried()
    assert unit.free_at == 0
    unit.failed(5)
    assert (unit.is_down, unit.free_at) == (True, 35)


async def period_beside(peer: Peer, url: str, *, during_s: float) -> float:
    """Return the mean period of the live unit, once the other is left alone."""
    async with supervised(open_link(url, TAGS, **SETTINGS)) as heard:
        await heard.until(lambda h: h.of("dead") and h.of("dead2") and h.of("live"))
        assert heard.of("dead")[-1].quality is Quality.BAD
        peer.asked()
        await asyncio.sleep(during_s)
        times = [at for at, unit, *_ in peer.asked() if unit == 1]
    assert {sample.quality for sample in heard.of("live")} == {Quality.GOOD}
    gaps = [after - before for before, after in pairwise(times)]
    return sum(gaps) / len(gaps)


@pytest.mark.parametrize(
    "stack", ["libmodbus", pytest.param("modbus-serial", marks=pytest.mark.slow)]
)
async def test_over_tcp_a_dead_unit_slows_none(stack: str) -> None:
    with running_peer(stack) as peer:
        url = f"tcp://127.0.0.1:{peer.port}"
        assert await period_beside(peer, url, during_s=8) < POLL_S * 1.1


async def test_on_a_serial_line_a_dead_unit_slows_none() -> None:
    async with serial_pair() as way:
        way.units = {1}  # or libmodbus would take our next question for its answer
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            assert await period_beside(peer, way.url, during_s=8) < POLL_S * 1.1


async def test_a_unit_that_comes_back_is_read_again_at_its_next_probe() -> None:
    units = {9: {"breaker": {"after": 3, "probe_s": 0.5}}}
    with libmodbus("--units", "1,9") as peer:
        peer.rules({"unit": 9, "silent": True})
        url = f"tcp://127.0.0.1:{peer.port}"
        async with supervised(
            open_link(url, TAGS, **{**SETTINGS, "units": units})
        ) as heard:
            await heard.until(lambda h: h.of("dead"))
            peer.set(0, 77, unit=9)
            peer.rules()
            await heard.until(lambda h: h.last("dead") == 77, within_s=5)
    states = [report.state for report in heard.reports]
    assert len(states) == 2, states  # the link was up all the time
