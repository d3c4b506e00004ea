"""What goes down to a device through a gateway, and what a device can do to one."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from shutil import copytree
from time import monotonic

import httpx
import pytest
from asyncua import Server, ua

from tests.adapters.handshaking import ADDRESSES, GOOD, Press
from tests.adapters.handshaking import until as until_so
from tests.faults.harness import CONFIG, EngineProcess, an_engine, until, verified
from tests.faults.load import BENCH, GAUGE, job_of, order
from tests.faults.people import Acknowledgements, Person, a_person, release_routing
from tests.faults.test_gateways import gateway_of

ASKING = """
    signals:
{signals}
    handshakes:
      cycle:
        request: request
        key: key
        boot: boot
        does: report
        payload: {{good: good_made}}
        given: {{}}
        ack: ack
        ack_on: 1
        ack_off: 0
        result: result
        done: 1
        refused: 2
"""
PLACE = "{{link: asking, means: value, at: {{{0}, address: {1}{2}}}}}"
REGISTER = "table: holding, type: u16"
HOSTILE = """
    signals:
      size:
        link: hostile
        means: value
        at: {ns: urn:test:hostile, id: s=size}
      good:
        link: hostile
        means: good_count
        at: {ns: urn:test:hostile, id: s=good}
"""
LINK = """\
  hostile:
    adapter: opcua
    url: {0}
    publish_ms: 100
    silent_s: 30
"""
BESIDE = """
    signals:
      size: {link: hostile, means: value, at: {ns: urn:test:hostile, id: s=size}}
      good:
        link: asking
        means: good_count
        at: {table: holding, type: u16, address: 3}
"""
LANES = "    lanes: {active: 2, staged: 2}\n"
SLOWEST_S = 5.0
"""On a machine that is busy with other tests besides."""
HUGE = 2_500_000


def asking_at(port: int) -> tuple[str, str]:
    """Return the bench's signals and its handshake, and the link they come over."""
    signals = []
    for name, address in ADDRESSES.items():
        more = ", writable: true" if name in {"ack", "result"} else ", block: hs"
        signals.append(f"      {name}: {PLACE.format(REGISTER, address, more)}")
    return ASKING.format(signals="\n".join(signals)), (
        f"  asking:\n    adapter: modbus\n    url: tcp://127.0.0.1:{port}\n"
        "    poll_s: 0.05\n"
    )


def site_with(folder: Path, bench: str, link: str, *, gateway: str = "") -> Path:
    """Return a folder of settings where the bench has signals of its own."""
    config = folder / "config"
    copytree(CONFIG, config)
    plant = config / "plant.yaml"
    text = plant.read_text()
    assert text.count(LANES) == 1
    text = text.replace(LANES, LANES + bench)
    plant.write_text(text.replace("\nlinks:\n", f"\nlinks:\n{link}"))
    site = config / "site.yaml"
    site.write_text(site.read_text().replace("gateway:\n", f"gateway:\n{gateway}"))
    return config


@asynccontextmanager
async def a_shop(
    folder: Path, config: Path
) -> AsyncIterator[tuple[EngineProcess, Person]]:
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(an_engine(folder, config=config))
        file = Acknowledgements(folder / "answers.jsonl")
        clerk = a_person("Clara", lambda: engine.url, file)
        await engine.start()
        yield engine, await stack.enter_async_context(clerk)


async def is_fed(clerk: Person, link: str) -> bool:
    return link not in (await clerk.get("/gateways"))["unfed"]


@pytest.mark.timeout(240)
async def test_a_handshake_goes_through_a_gateway_that_dies(tmp_path: Path) -> None:
    """Each cycle is booked and acknowledged once, whoever dies in between."""
    press = Press()
    await press.start()
    bench, link = asking_at(press.port)
    config = site_with(tmp_path, bench, link)
    async with a_shop(tmp_path, config) as (engine, clerk):
        await release_routing(clerk, GAUGE)
        await order(clerk, "WR-1", "gauge", 50)
        job = await job_of(clerk, "WR-1", "10")
        await clerk.done(f"/job-orders/{job}/load", {"work_unit": BENCH})
        await clerk.done(f"/job-orders/{job}/begin")
        await until(lambda: is_fed(clerk, "asking"))

        async def cycle(key: int, *, dies: str = "") -> None:
            press.asks(key, good=3)
            if dies == "gateway":
                gateway = gateway_of(engine.pid)
                assert gateway is not None
                os.kill(gateway, signal.SIGKILL)
            elif dies == "engine":
                await engine.kill()
                await engine.start()
            await until_so(lambda: press.is_acked, within_s=40)
            press.gives_up()
            await until_so(lambda: not press.is_acked, within_s=40)

        await cycle(1)
        await cycle(2, dies="gateway")
        await cycle(3, dies="engine")
        await cycle(4)
        assert press.acks == {(1, key): 1 for key in (1, 2, 3, 4)}
        assert press.results == [1] * 4
        shown = await clerk.get(f"/job-orders/{job}")
        assert shown["good"] == "12"
        assert await engine.stop() == 0, engine.tail()
    await press.stop()
    assert (await verified(engine))["ok"]


@asynccontextmanager
async def a_hostile_server() -> AsyncIterator[tuple[Server, str]]:
    """An OPC UA server that can be told to send something enormous."""
    server = Server()
    await server.init()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"opc.tcp://127.0.0.1:{free.getsockname()[1]}/hostile"
    server.set_endpoint(url)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test:hostile")
    for name in ("size", "good"):
        node = await server.nodes.objects.add_variable(
            f"ns={space};s={name}", name, ua.Variant([0], ua.VariantType.Int64)
        )
        await node.write_value(ua.Variant(0, ua.VariantType.Int64))
    async with server:
        yield server, url


@pytest.mark.timeout(240)
async def test_a_value_that_eats_the_gateway_leaves_the_engine_alone(
    tmp_path: Path,
) -> None:
    """It ends at its limit of memory, is started again, and the counts go on."""
    async with a_hostile_server() as (server, url):
        space = await server.get_namespace_index("urn:test:hostile")
        size = server.get_node(f"ns={space};s=size")
        good = server.get_node(f"ns={space};s=good")
        link = LINK.format(url)
        config = site_with(tmp_path, HOSTILE, link, gateway="  memory_mb: 192\n")
        async with a_shop(tmp_path, config) as (engine, clerk):

            async def shows(count: int) -> bool:
                unit = await clerk.get(f"/work-units/{BENCH}")
                found = {one["tag"]: one["value"] for one in unit["signals"]}
                return bool(found[f"{BENCH}.good"] == str(count))

            await good.write_value(ua.Variant(7, ua.VariantType.Int64))
            await until(lambda: shows(7), within_s=40)
            first = gateway_of(engine.pid)
            slowest = _Slowest()
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(slowest.watch(engine.url))
                huge = ua.Variant([2**40] * HUGE, ua.VariantType.Int64)
                await size.write_value(huge)

                async def is_ended() -> bool:
                    return gateway_of(engine.pid) != first

                await until(is_ended, within_s=40)
                await size.write_value(ua.Variant(0, ua.VariantType.Int64))
                await good.write_value(ua.Variant(9, ua.VariantType.Int64))
                await until(lambda: shows(9), within_s=60)
                watching.cancel()
            assert slowest.asked > 5
            assert slowest.seconds < SLOWEST_S, slowest
            assert "memory_exceeded" in engine.log.read_text()
            assert await engine.stop() == 0, engine.tail()


@pytest.mark.timeout(240)
async def test_a_device_that_ends_every_gateway_is_left_alone_and_others_go_on(
    tmp_path: Path,
) -> None:
    """Three deaths are its doing; then the other link of the gateway counts on."""
    press = Press()
    await press.start()
    async with a_hostile_server() as (server, url):
        space = await server.get_namespace_index("urn:test:hostile")
        huge = ua.Variant([2**40] * HUGE, ua.VariantType.Int64)
        await server.get_node(f"ns={space};s=size").write_value(huge)
        link = LINK.format(url) + asking_at(press.port)[1]
        config = site_with(tmp_path, BESIDE, link, gateway="  memory_mb: 192\n")
        async with a_shop(tmp_path, config) as (engine, clerk):

            async def is_left_alone() -> bool:
                return "link_left_alone" in engine.log.read_text()

            await until(is_left_alone, within_s=150)
            pid = gateway_of(engine.pid)
            press.registers[GOOD] = 12

            async def counts() -> bool:
                unit = await clerk.get(f"/work-units/{BENCH}")
                found = {one["tag"]: one["value"] for one in unit["signals"]}
                return bool(found[f"{BENCH}.good"] == "12")

            await until(counts, within_s=40)
            facts = await clerk.items("/facts", type="data_gap_seen")
            told = [one["fact"] for one in facts if one["fact"]["link"] == "hostile"]
            assert "has ended the gateway 3 times" in told[-1]["gap"]["reason"], told
            (shown,) = (await clerk.get("/board"))["gateways"]
            assert list(shown["left_alone"]) == ["hostile"]
            assert gateway_of(engine.pid) == pid
            assert await engine.stop() == 0, engine.tail()
    await press.stop()


class _Slowest:
    """How long the engine took to answer, at worst."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.asked = 0

    async def watch(self, url: str) -> None:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            while True:
                began = monotonic()
                (await http.get(f"{url}/api/v1/work-units")).raise_for_status()
                self.seconds = max(self.seconds, monotonic() - began)
                self.asked += 1
                await asyncio.sleep(0.05)
