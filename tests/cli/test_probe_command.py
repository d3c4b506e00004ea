"""``mes adapters probe``: what live devices are, against what the settings say."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.adapters.plant import RunningPlant, running_plant
from tests.commands import CONFIG, mes


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlant]:
    with running_plant(tmp_path_factory.mktemp("plant")) as running:
        yield running


def where(plant: RunningPlant) -> dict[str, Any]:
    return {"MES_OPCUA_URL": plant.opcua_url, "MES_MODBUS_PORT": str(plant.modbus)}


def test_a_plant_that_is_as_it_should_be(plant: RunningPlant) -> None:
    said = mes("adapters", "probe", "--json", **where(plant))
    lines = {one["tag"]: one for one in said.plain["probe"]}
    assert said.code == 0, said.out
    assert len(lines) == 29
    good = lines["mill-1.good"]
    assert (good["value"], good["quality"]) == (0, "good")
    assert good["told"] == {"sampling_ms": 250.0, "queue": 1000, "type": "UInt32"}
    assert lines["press-1.state"]["told"]["type"] == "u16"
    (server,) = [one for one in said.plain["probe"] if "clock_skew_ms" in one["told"]]
    assert abs(server["told"]["clock_skew_ms"]) < 5_000


def test_what_is_unfit_is_named_and_the_rest_is_told(
    plant: RunningPlant, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    copytree(CONFIG, config)
    file = config / "plant.yaml"
    text = file.read_text().replace("s=mill-1.GoodCount", "s=mill-1.Nothing")
    text = text.replace("address: 4, type: u16}", "address: 1900, type: u16}", 1)
    file.write_text(text)
    said = mes("adapters", "probe", "--config", str(config), **where(plant))
    assert said.code == 1
    lines = said.out.splitlines()
    unfit = [one for one in lines if "UNFIT" in one]
    assert len(unfit) == 2, said.out
    assert unfit[0].startswith("cell mill-1.good: ")
    assert "no such node" in unfit[0]
    assert unfit[1].startswith("line press-1.state: ")
    assert "no such address" in unfit[1]
    assert len(lines) == 30


def test_a_device_that_does_not_answer(plant: RunningPlant) -> None:
    nowhere = where(plant) | {"MES_OPCUA_URL": "opc.tcp://127.0.0.1:9/mes"}
    said = mes("adapters", "probe", "cell", **nowhere)
    assert said.code == 1
    assert "UNFIT: opc.tcp://127.0.0.1:9/mes cannot be reached" in said.out


def test_a_link_that_is_not_there_is_named(plant: RunningPlant) -> None:
    said = mes("adapters", "probe", "lathe", **where(plant))
    assert said.code == 1
    assert "Known: cell, line." in said.err
