"""What is wanted of a device behind a gateway: once, in time, or honestly unknown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mes_engine.core.errors import NotFound, OutcomeUnknown, Refused, SourceLost
from mes_engine.runtime.gateways import Gateways
from mes_engine.runtime.wanted import GatewayDevices
from mes_engine.wire import Call, Called, Failed, Settled, Wanted, Write, Written
from tests.gateway.builders import a_delivery, gateways_of
from tests.runtime.stand_ins import Bench, running

LONG_S = 5.0


@asynccontextmanager
async def devices_of_north(
    *, within_s: float = LONG_S
) -> AsyncIterator[tuple[GatewayDevices, Gateways]]:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        await gateways.take("north", a_delivery())
        yield GatewayDevices(gateways, started_at=7, within_s=within_s), gateways


def settled(outcome: Written | Called | Failed) -> Settled:
    return Settled(instance=1, outcome=outcome)


async def fetched(devices: GatewayDevices) -> Wanted:
    (one,) = await devices.wanted("north", 1, LONG_S)
    return one


async def test_a_write_is_handed_over_once_and_its_outcome_comes_back() -> None:
    async with devices_of_north() as (devices, _), asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(fetched(devices))
        writing = tasks.create_task(devices.write("plc", "m.ack", 1, expect=0))
        one = await polling
        assert one.what == Write(tag="m.ack", value=1, expect=0)
        assert await devices.wanted("north", 1, 0) == ()
        outcome = Written(value=1, at=5, is_verified=True)
        devices.settle("north", one.id, settled(outcome))
        devices.settle("north", one.id, settled(outcome))
        result = await writing
    assert (result.tag, result.value, result.is_verified) == ("m.ack", 1, True)


async def test_a_call_brings_its_result() -> None:
    async with devices_of_north() as (devices, _), asyncio.TaskGroup() as tasks:
        calling = tasks.create_task(devices.call("plc", "Store", {"job": "JO-1"}))
        one = await fetched(devices)
        assert one.what == Call(method="Store", arguments={"job": "JO-1"})
        devices.settle("north", one.id, settled(Called(result=[0])))
        assert await calling == [0]


async def test_an_error_of_the_device_is_the_callers() -> None:
    async with devices_of_north() as (devices, _), asyncio.TaskGroup() as tasks:

        async def write() -> None:
            with pytest.raises(Refused, match="holds 4") as caught:
                await devices.write("plc", "m.ack", 1)
            assert caught.value.hint == "Look."

        tasks.create_task(write())
        one = await fetched(devices)
        told = Failed(kind="Refused", message="m.ack holds 4.", hint="Look.")
        devices.settle("north", one.id, settled(told))


async def test_what_nobody_fetches_in_time_was_not_done() -> None:
    async with devices_of_north(within_s=0.02) as (devices, _):
        with pytest.raises(SourceLost, match="nothing was done"):
            await devices.write("plc", "m.ack", 1)
        assert await devices.wanted("north", 1, 0) == ()


async def test_what_was_handed_over_and_has_no_outcome_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mes_engine.runtime.wanted.SLACK_S", 0.05)
    async with devices_of_north(within_s=0.3) as (devices, _), asyncio.TaskGroup() as t:

        async def write() -> None:
            with pytest.raises(OutcomeUnknown, match=r"m\.ack was written"):
                await devices.write("plc", "m.ack", 1)

        writing = t.create_task(write())
        one = await fetched(devices)
        await writing
        late = Written(value=1, at=5, is_verified=True)
        devices.settle("north", one.id, settled(late))


async def test_a_link_that_nobody_runs_cannot_be_written_to() -> None:
    async with devices_of_north() as (devices, _):
        with pytest.raises(SourceLost, match="No gateway runs link 'press'"):
            await devices.write("press", "m.ack", 1)
        with pytest.raises(NotFound, match="no link 'lathe'"):
            await devices.write("lathe", "m.ack", 1)


async def test_a_newer_poll_ends_an_older_one() -> None:
    """The older one may be of a connection that is gone: it must be handed nothing."""
    async with devices_of_north() as (devices, _), asyncio.TaskGroup() as tasks:
        older = tasks.create_task(devices.wanted("north", 1, LONG_S))
        await asyncio.sleep(0)
        newer = tasks.create_task(fetched(devices))
        assert await older == ()
        writing = tasks.create_task(devices.write("plc", "m.ack", 1))
        one = await newer
        outcome = Written(value=1, at=5, is_verified=True)
        devices.settle("north", one.id, settled(outcome))
        await writing


async def test_a_gateway_that_was_never_heard_of_is_asked_to_deliver_first() -> None:
    async with devices_of_north() as (devices, _):
        with pytest.raises(Refused, match="not known here"):
            await devices.wanted("south", 1, 0)
        with pytest.raises(Refused):
            devices.settle(
                "north", "7-1", Settled(instance=9, outcome=Called(result=1))
            )


async def test_nobody_waits_any_longer_when_all_ends() -> None:
    async with devices_of_north() as (devices, _), asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(devices.wanted("north", 1, LONG_S))
        await asyncio.sleep(0)
        devices.close()
        assert await polling == ()
