"""What a value from a device costs us: ``python -m benchmarks.adapters``.

Against C stacks. OPC UA: thousands of items on a server of another maker (node-opcua)
change a few times a second. Our link takes them in one process; so does open62541,
under its Python binding ``o6``, if that is installed (``pip install o6``: it is no
dependency, and its process ends after ten minutes). Modbus: one block of registers is
read again and again, by our link and by libmodbus, from a device on libmodbus.

CPU seconds are those of the client's process alone: the device is another process.
With ``--soak-s 600`` the OPC UA part runs on by itself, and prints its memory.
"""

import argparse
import asyncio
import ctypes
import ctypes.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mes_adapters.modbus import ADAPTER as MODBUS
from mes_adapters.opcua import ADAPTER as OPCUA
from mes_engine.core.samples import DataGap, LinkReport, Report, Sample
from mes_engine.ports import Link
from tests.adapters.modbus.peers import libmodbus
from tests.adapters.opcua.peer import URI, Peer, running_peer

MACHINE = "Line1"
BLOCK = 100
POLLS = 3_000
MEGABYTE = 2**20
SETTLE_S = 2.0


class Taken:
    """What a link has told so far."""

    def __init__(self) -> None:
        self.samples = self.gaps = self.downs = 0
        self._wanted = 0
        self._is_reached = asyncio.Event()

    async def until(self, samples: int) -> None:
        """Wait for so many samples in all."""
        self._wanted = samples
        async with asyncio.timeout(60):
            await self._is_reached.wait()

    async def emit(self, report: Report) -> None:
        """Count a report, as the inbox would take it."""
        match report:
            case Sample():
                self.samples += 1
                if self.samples == self._wanted:
                    self._is_reached.set()
            case DataGap():
                self.gaps += 1
            case LinkReport():
                self.downs += report.state.value != "connected"


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[Taken]:
    """Run one life of a link beside what is measured."""
    taken = Taken()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(link.run(taken.emit))
        try:
            yield taken
        finally:
            task.cancel()


async def opcua_cpu_us(
    peer: Peer, *, items: int, seconds: float
) -> tuple[float, float]:
    """Return CPU microseconds a notification, and notifications a second, of ours."""
    async with running(_opcua_link(peer.port, items)) as taken:
        await taken.until(3 * items)
        cpu, told, began = time.process_time(), taken.samples, time.perf_counter()
        await asyncio.sleep(seconds)
        cpu, told = time.process_time() - cpu, taken.samples - told
        return 1e6 * cpu / told, told / (time.perf_counter() - began)


def open62541_cpu_us(peer: Peer, *, items: int, seconds: float) -> tuple[float, float]:
    """The same of open62541, under ``o6``, in a process of its own."""
    given = json.dumps(
        {"port": peer.port, "uri": URI, "items": items, "seconds": seconds}
    )
    told = subprocess.run(
        [sys.executable, "-c", OPEN62541, given],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    found = json.loads(told.stdout.splitlines()[-1])
    return 1e6 * found["cpu_s"] / found["told"], found["told"] / found["seconds"]


OPEN62541 = """
import asyncio, json, sys, time
import o6
given = json.loads(sys.argv[1])
told = 0
def hear(*told_of):
    global told
    told += 1
async def main():
    url = f"opc.tcp://127.0.0.1:{given['port']}/line"
    client = o6.Client(url, loop=asyncio.get_running_loop())
    await client.connect()
    space = [str(one) for one in await client.read("i=2255")].index(given["uri"])
    ids = [f"ns={space};s=Line1.Tag{n}" for n in range(given["items"])]
    subscription = await client.createSubscription(
        publishingInterval=250, maxNotificationsPerPublish=0
    )
    for start in range(0, len(ids), 500):
        await client.monitor(ids[start:start + 500], hear, samplingInterval=0,
                       valueOnly=False, subscription=subscription, queueSize=1000)
    while told < 3 * given["items"]:
        await asyncio.sleep(0.05)
    cpu, before, began = time.process_time(), told, time.perf_counter()
    await asyncio.sleep(given["seconds"])
    print(json.dumps({"cpu_s": time.process_time() - cpu, "told": told - before,
                      "seconds": time.perf_counter() - began}))
    await client.disconnect()
asyncio.run(main())
"""


async def soak(peer: Peer, *, items: int, seconds: float) -> None:
    """Run on, and print what memory does."""
    print("   s  notifications       CPU  resident MB")
    async with running(_opcua_link(peer.port, items)) as taken:
        await taken.until(3 * items)
        changes = await peer.do("changes", machine=MACHINE)
        before, began, cpu = taken.samples, time.perf_counter(), time.process_time()
        while (gone := time.perf_counter() - began) < seconds:
            await asyncio.sleep(min(30, seconds - gone))
            told = taken.samples - before
            share = (time.process_time() - cpu) / (time.perf_counter() - began)
            print(
                f"{time.perf_counter() - began:4.0f}  {told:13}  {share:8.1%}"
                f"  {_resident_mb():11.1f}"
            )
        await peer.do("churn", machine=MACHINE, everyMs=0)
        made = await peer.do("changes", machine=MACHINE) - changes
        await asyncio.sleep(SETTLE_S)
        told = taken.samples - before
        print(f"made {made}, told {told}, gaps {taken.gaps}, lost {taken.downs} times")


async def modbus_cpu_us() -> float:
    """Return CPU microseconds a poll of ours, with all values of the block told."""
    with libmodbus() as device:
        link = _modbus_link(device.port)
        device.count("fast", 0, every_s=0.001)
        async with running(link) as taken:
            await taken.until(1)
            device.asked()
            cpu = time.process_time()
            polls = 0
            while polls < POLLS:
                await asyncio.sleep(0.5)
                polls += len(device.asked())
            return 1e6 * (time.process_time() - cpu) / polls


def _modbus_link(port: int) -> Link:
    settings = {"url": f"tcp://127.0.0.1:{port}", "poll_s": 0.001, "heartbeat_s": 3600}
    at = {"table": "holding", "type": "u32", "order": "ABCD"}
    return MODBUS.open(
        "press",
        MODBUS.settings.model_validate(settings),
        {
            f"press.{n}": MODBUS.tag.model_validate({**at, "address": n})
            for n in range(0, BLOCK, 2)
        },
    )


def libmodbus_cpu_us() -> float:
    """Return CPU microseconds a read of libmodbus, called from here."""
    library = ctypes.CDLL(ctypes.util.find_library("modbus"))
    library.modbus_new_tcp.restype = ctypes.c_void_p
    registers = (ctypes.c_uint16 * BLOCK)()
    with libmodbus() as device:
        device.count("fast", 0, every_s=0.001)
        context = ctypes.c_void_p(library.modbus_new_tcp(b"127.0.0.1", device.port))
        library.modbus_set_slave(context, 1)
        if library.modbus_connect(context) != 0:
            raise OSError("libmodbus cannot connect")
        cpu = time.process_time()
        for _ in range(POLLS):
            if library.modbus_read_registers(context, 0, BLOCK, registers) != BLOCK:
                raise OSError("libmodbus cannot read")
        cpu = time.process_time() - cpu
        library.modbus_close(context)
        library.modbus_free(context)
    return 1e6 * cpu / POLLS


def _opcua_link(port: int, items: int) -> Link:
    settings = {"url": f"opc.tcp://127.0.0.1:{port}/line", "publish_ms": 250}
    return OPCUA.open(
        "line",
        OPCUA.settings.model_validate(settings),
        {f"t{n}": OPCUA.tag(ns=URI, id=f"s={MACHINE}.Tag{n}") for n in range(items)},
    )


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / MEGABYTE


async def opcua(asked: argparse.Namespace) -> None:
    """Print the OPC UA part."""
    with running_peer() as peer:
        await peer.do("addMachine", name=MACHINE, tags=asked.items)
        await peer.do("churn", machine=MACHINE, everyMs=asked.every_ms)
        offered = asked.items * 1000 / asked.every_ms
        print(f"OPC UA: {asked.items} items, {offered:.0f} changes a second offered")
        if asked.soak_s:
            await soak(peer, items=asked.items, seconds=asked.soak_s)
            return
        ours, rate = await opcua_cpu_us(peer, items=asked.items, seconds=asked.seconds)
        print(f"  our link:  {ours:6.1f} us of CPU a notification, {rate:.0f}/s")
        try:
            theirs, rate = await asyncio.to_thread(
                open62541_cpu_us, peer, items=asked.items, seconds=asked.seconds
            )
        except subprocess.CalledProcessError as error:
            print(f"  open62541: not measured: {error.stderr.strip().splitlines()[-1]}")
            return
        print(f"  open62541: {theirs:6.1f} us of CPU a notification, {rate:.0f}/s")
        print(f"  ours / open62541: {ours / theirs:.1f}")


async def modbus() -> None:
    """Print the Modbus part."""
    print(f"Modbus: {BLOCK} registers a read, {BLOCK // 2} values of 32 bits")
    theirs = libmodbus_cpu_us()
    ours = await modbus_cpu_us()
    print(f"  our link:  {ours:6.1f} us of CPU a poll, values told")
    print(f"  libmodbus: {theirs:6.1f} us of CPU a read, registers alone")
    print(f"  ours / libmodbus: {ours / theirs:.1f}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.adapters", description=__doc__
    )
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--every-ms", type=int, default=250)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--soak-s", type=float, default=0)
    asked = parser.parse_args()
    asyncio.run(opcua(asked))
    if not asked.soak_s:
        asyncio.run(modbus())


if __name__ == "__main__":
    main()
