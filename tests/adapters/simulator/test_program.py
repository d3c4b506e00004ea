"""The simulator as a program: what it serves, and how it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from mes_adapters.simulator.__main__ import main
from tests.adapters.plant import NAMESPACE, RunningPlant, running_plant

OPTIONS = ("--cycle-s", "0.02", "--scrap-rate", "0.2", "--seed", "3")
ROLLING = ("--start-count", "press-2.good=65500")
IDLE, SUSPENDED, EXECUTE, ABORTED, HELD = 4, 5, 6, 9, 11


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlant]:
    folder = tmp_path_factory.mktemp("plant")
    ports_file = folder / "ports.json"
    options = (*OPTIONS, *ROLLING, "--ports-file", str(ports_file))
    with running_plant(folder, *options) as running:
        assert json.loads(ports_file.read_text())["pid"] == running.process.pid
        yield running


async def registers(plant: RunningPlant, unit: int) -> list[int]:
    client = AsyncModbusTcpClient("127.0.0.1", port=plant.modbus)
    try:
        assert await client.connect()
        answer = await client.read_holding_registers(0, count=5, device_id=unit)
        assert not answer.isError()
        return list(answer.registers)
    finally:
        client.close()


async def nodes(plant: RunningPlant, machine: str) -> list[ua.DataValue]:
    async with Client(plant.opcua_url) as client:
        index = await client.get_namespace_index(NAMESPACE)
        return [
            await client.get_node(f"ns={index};s={machine}.{name}").read_data_value()
            for name in ("GoodCount", "ScrapCount", "StateCurrent")
        ]


async def test_a_modbus_machine_shows_what_the_file_has(plant: RunningPlant) -> None:
    await plant.press("press-1", "start", quantity=30)
    await plant.until("press-1", "idle")
    good_high, good, scrap_high, scrap, state = await registers(plant, 1)
    assert good + scrap == 30
    assert (good, scrap) == (
        plant.made("press-1", "good"),
        plant.made("press-1", "scrap"),
    )
    assert (good_high, scrap_high, state) == (0, 0, IDLE)


async def test_an_opcua_machine_shows_what_the_file_has(plant: RunningPlant) -> None:
    await plant.press("lathe-1", "start", quantity=30)
    await plant.until("lathe-1", "idle")
    good, scrap, state = await nodes(plant, "lathe-1")
    assert good.Value is not None
    assert scrap.Value is not None
    assert state.Value is not None
    assert good.Value.VariantType is ua.VariantType.UInt32
    assert state.Value.VariantType is ua.VariantType.Int32
    assert (good.Value.Value, scrap.Value.Value, state.Value.Value) == (
        plant.made("lathe-1", "good"),
        plant.made("lathe-1", "scrap"),
        IDLE,
    )
    last = json.loads(plant.pieces.read_text().splitlines()[-1])
    assert state.SourceTimestamp is not None
    assert round(state.SourceTimestamp.timestamp() * 1e6) == last["at_us"]


async def test_a_counter_of_16_bits_rolls_over(plant: RunningPlant) -> None:
    await plant.press("press-2", "start", quantity=80)
    await plant.until("press-2", "idle")
    good, scrap, *_, state = await registers(plant, 2)
    assert good == (65_500 + plant.made("press-2", "good")) % 65_536 < 100
    assert (scrap, state) == (plant.made("press-2", "scrap"), IDLE)


@pytest.mark.parametrize(("button", "state"), [("jam", HELD), ("starve", SUSPENDED)])
async def test_a_machine_that_stands_goes_on_by_itself(
    plant: RunningPlant, button: str, state: int
) -> None:
    await plant.press("pack-1", "start", quantity=1000)
    shown = await plant.press("pack-1", button, seconds=0.2)
    assert shown["state"] == state
    assert (await registers(plant, 4))[4] == state
    await plant.until("pack-1", "execute")
    await plant.press("pack-1", "stop")


async def test_an_aborted_machine_waits_to_be_started(plant: RunningPlant) -> None:
    await plant.press("wash-1", "start", quantity=1000)
    assert (await plant.press("wash-1", "abort"))["state"] == ABORTED
    assert (await plant.press("wash-1", "start", quantity=0))["state"] == EXECUTE
    await plant.press("wash-1", "stop")


async def test_a_panel_says_what_is_wrong(plant: RunningPlant) -> None:
    base = f"http://127.0.0.1:{plant.panel}/machines/"
    async with httpx.AsyncClient(base_url=base, timeout=10) as client:
        idle = await client.post("mill-2/jam", json={"seconds": 1})
        nobody = await client.post("mill-9/stop")
        negative = await client.post("mill-2/start", json={"quantity": -1})
        every = await client.get(base.removesuffix("/"))
    assert (idle.status_code, nobody.status_code, negative.status_code) == (
        409,
        404,
        422,
    )
    assert [machine["id"] for machine in every.json()][:2] == ["mill-1", "mill-2"]


async def test_nobody_can_write_to_the_machines(plant: RunningPlant) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=plant.modbus)
    try:
        assert await client.connect()
        answer = await client.write_register(0, 7, device_id=3)
        assert answer.isError()
    finally:
        client.close()
    async with Client(plant.opcua_url) as opcua:
        index = await opcua.get_namespace_index(NAMESPACE)
        node = opcua.get_node(f"ns={index};s=mill-2.GoodCount")
        with pytest.raises(ua.UaStatusCodeError):
            await node.write_value(ua.Variant(7, ua.VariantType.UInt32))


async def test_a_killed_plant_resumes_where_its_file_ends(tmp_path: Path) -> None:
    """Nothing made is forgotten, nothing is counted twice."""
    with running_plant(tmp_path, *OPTIONS, "--free-run") as plant:
        await plant.until_made("press-1", 20)
        plant.kill()
        good = plant.made("press-1", "good")
        with running_plant(tmp_path, *OPTIONS, again=plant) as plant_again:
            assert (await plant_again.panel_of("press-1"))["good"] == good
            assert (await registers(plant_again, 1))[1] == good
            plant_again.process.send_signal(signal.SIGTERM)
            assert plant_again.process.wait(timeout=10) == 0


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """A test that is killed leaves no plant behind."""
    starts_a_plant = (
        "import os, subprocess, sys;"
        "subprocess.Popen([sys.executable, '-m', 'mes_adapters.simulator',"
        " '--pieces', sys.argv[1], '--opcua-port=0', '--modbus-port=0',"
        " '--panel-port=0', '--parent', str(os.getpid())]); sys.stdin.read()"
    )
    command = [sys.executable, "-c", starts_a_plant, str(tmp_path / "pieces.jsonl")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        plant = json.loads(parent.stdout.readline())
        httpx.get(f"http://127.0.0.1:{plant['panel']}/machines").raise_for_status()
        parent.kill()
        # The plant writes to our pipe too: it ends when the plant does.
        assert parent.stdout.read() == b""
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{plant['panel']}/machines")


@pytest.mark.parametrize("wrong", ["press-9.good=1", "press-1.bad=1", "press-1.good=x"])
def test_a_start_count_of_nothing_is_refused(tmp_path: Path, wrong: str) -> None:
    pieces = tmp_path / "pieces.jsonl"
    with pytest.raises(SystemExit) as refusal:
        main(["--pieces", str(pieces), "--start-count", wrong])
    assert refusal.value.code
    assert not pieces.exists()
