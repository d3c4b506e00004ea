"""What every link promises, tried on the simulated plant, over both protocols."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from mes_adapters.modbus import ADAPTER as MODBUS
from mes_adapters.opcua import ADAPTER as OPCUA
from mes_engine.conformance.hearing import Heard, grows, life, listening, shows
from mes_engine.conformance.network import relaying
from mes_engine.core.errors import SourceLost
from mes_engine.core.samples import LinkReport, LinkState, Quality, Sample
from mes_engine.ports import Link
from tests.adapters.opcua.judge import supervised
from tests.adapters.plant import NAMESPACE, RunningPlant, running_plant

STOPPED, IDLE, EXECUTE = 2, 4, 6
FAST = ("--speed", "20", "--scrap-rate", "0.3", "--seed", "7")


@dataclass(frozen=True)
class Way:
    """A protocol, and a machine that speaks it."""

    machine: str
    port: Callable[[RunningPlant], int]
    open: Callable[[int], Link]

    @property
    def good(self) -> str:
        return f"{self.machine}.good"

    @property
    def scrap(self) -> str:
        return f"{self.machine}.scrap"

    @property
    def state(self) -> str:
        return f"{self.machine}.state"

    @property
    def tags(self) -> set[str]:
        return {self.good, self.scrap, self.state}


def open_opcua(port: int) -> Link:
    names = {"good": "GoodCount", "scrap": "ScrapCount", "state": "StateCurrent"}
    return OPCUA.open(
        "mills",
        OPCUA.settings(
            url=f"opc.tcp://127.0.0.1:{port}/mes",
            publish_ms=50,
            keepalive_s=0.5,
            silent_s=2.5,
            close_timeout_s=0.5,
        ),
        {
            f"mill-1.{tag}": OPCUA.tag(ns=NAMESPACE, id=f"s=mill-1.{name}")
            for tag, name in names.items()
        },
    )


def open_modbus(port: int) -> Link:
    def at(address: int, type_: str) -> object:
        return MODBUS.tag(
            unit=1, table="holding", address=address, type=type_, order="ABCD"
        )

    return MODBUS.open(
        "presses",
        MODBUS.settings(url=f"tcp://127.0.0.1:{port}", poll_s=0.05, timeout_s=1),
        {
            "press-1.good": at(0, "u32"),
            "press-1.scrap": at(2, "u32"),
            "press-1.state": at(4, "u16"),
        },
    )


WAYS = {
    "opcua": Way("mill-1", lambda plant: plant.opcua, open_opcua),
    "modbus": Way("press-1", lambda plant: plant.modbus, open_modbus),
}


def is_told(heard: Heard, *, after: int, tags: set[str]) -> bool:
    said = heard.all[after:]
    return {one.tag for one in said if isinstance(one, Sample)} >= tags


def is_lost(heard: Heard, *, after: int) -> bool:
    said = heard.all[after:]
    states = [one.state for one in said if isinstance(one, LinkReport)]
    return LinkState.DISCONNECTED in states


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlant]:
    with running_plant(tmp_path_factory.mktemp("plant"), *FAST) as running:
        yield running


async def test_tells_that_it_is_connected_and_then_every_value(
    way: Way, plant: RunningPlant
) -> None:
    async with listening(way.open(way.port(plant))) as heard:
        await heard.until(lambda h: len(h.samples) >= 3)
    first = heard.all[0]
    assert isinstance(first, LinkReport)
    assert first.state is LinkState.CONNECTED
    assert {sample.tag for sample in heard.samples} == way.tags
    assert {sample.quality for sample in heard.samples} == {Quality.GOOD}


async def test_counts_arrive_as_the_file_of_pieces_has_them(
    way: Way, plant: RunningPlant
) -> None:
    """Every piece made; and never backwards."""
    before = plant.made(way.machine, "good"), plant.made(way.machine, "scrap")
    async with listening(way.open(way.port(plant))) as heard:
        await heard.until(lambda h: h.reports)
        await plant.press(way.machine, "start", quantity=20)
        await heard.until(
            lambda h: (
                h.last(way.state) == IDLE
                and sum(h.counts(way.good)[-1:] + h.counts(way.scrap)[-1:])
                == sum(before) + 20
            )
        )
        good, scrap = plant.made(way.machine, "good"), plant.made(way.machine, "scrap")
    assert (heard.last(way.good), heard.last(way.scrap)) == (good, scrap)
    assert scrap > before[1]
    assert heard.counts(way.good) == sorted(heard.counts(way.good))
    assert EXECUTE in heard.values(way.state)


async def test_a_frozen_device_is_lost_and_counted_right_afterwards(
    way: Way, plant: RunningPlant
) -> None:
    """Its socket stays open: connected but silent is lost."""
    link = way.open(way.port(plant))
    await plant.press(way.machine, "start", quantity=1000)
    async with listening(link) as heard:
        await heard.until(grows(way.good))
        plant.freeze()
        try:
            await heard.until(lambda h: h.end, within_s=6)
        finally:
            plant.thaw()
        assert isinstance(heard.end, SourceLost)
    await plant.press(way.machine, "stop")
    async with supervised(link) as heard:
        await heard.until(lambda h: h.last(way.state) == STOPPED)
        await heard.until(lambda h: h.last(way.good) == plant.made(way.machine, "good"))
    assert [heard.all[0], heard.all[1]] == heard.reports[:2]


async def test_a_killed_device_is_lost_and_counted_right_afterwards(
    tmp_path: Path,
) -> None:
    """Over both protocols: one program stands for all of the plant's controllers."""
    with running_plant(tmp_path, *FAST, "--free-run") as plant:
        links = {way: way.open(way.port(plant)) for way in WAYS.values()}
        async with AsyncExitStack() as stack:
            heard = {
                way: await stack.enter_async_context(listening(link))
                for way, link in links.items()
            }
            for way, by_link in heard.items():
                await by_link.until(grows(way.good))
            plant.kill()
            for by_link in heard.values():
                await by_link.until(lambda h: h.end, within_s=6)
                assert isinstance(by_link.end, SourceLost)
        for link in links.values():
            _, error = await life(link, within_s=6)
            assert isinstance(error, SourceLost), "nobody listens there now"
        with running_plant(tmp_path, *FAST, again=plant):
            for way, link in links.items():
                made = plant.made(way.machine, "good")
                async with listening(link) as by_link:
                    await by_link.until(shows(way.good, made))


async def test_a_cut_connection_is_lost_at_once(way: Way, plant: RunningPlant) -> None:
    async with (
        relaying(way.port(plant)) as relay,
        supervised(way.open(relay.port)) as heard,
    ):
        for _ in range(3):
            told = len(heard.all)
            await heard.until(partial(is_told, after=told, tags=way.tags))
            told = len(heard.all)
            relay.cut()
            await heard.until(partial(is_lost, after=told), within_s=4)


async def test_a_network_that_swallows_everything_is_lost_in_bounded_time(
    way: Way, plant: RunningPlant
) -> None:
    """While connected, and while connecting."""
    async with relaying(way.port(plant)) as relay:
        link = way.open(relay.port)
        async with listening(link) as heard:
            await heard.until(lambda h: len(h.samples) >= 3)
            relay.hold()
            await heard.until(lambda h: h.end, within_s=6)
        assert isinstance(heard.end, SourceLost)
        _, error = await life(link, within_s=15)
        assert isinstance(error, SourceLost)


async def test_nothing_stays_open_when_it_is_told_to_end(
    way: Way, plant: RunningPlant
) -> None:
    async with relaying(way.port(plant)) as relay:
        async with listening(way.open(relay.port)) as heard:
            await heard.until(lambda h: h.samples)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2
        await relay.until_unused()


async def test_a_name_that_leads_nowhere_is_lost(way: Way) -> None:
    """A retry may help: the name server may be down."""
    if way.machine == "mill-1":
        settings = OPCUA.settings(url="opc.tcp://no-such-host.invalid:4840")
        link = OPCUA.open("x", settings, {"t": OPCUA.tag(ns=NAMESPACE, id="s=x")})
    else:
        tag = MODBUS.tag(table="coil", address=0, type="bool")
        settings = MODBUS.settings(url="tcp://no-such-host.invalid")
        link = MODBUS.open("x", settings, {"t": tag})
    _, error = await life(link, within_s=20)
    assert isinstance(error, SourceLost)
