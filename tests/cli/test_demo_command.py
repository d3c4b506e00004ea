"""``mes demo``: it ends with what the plant itself says, and can fail."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from mes_engine.demo.client import Api
from mes_engine.demo.reckoning import MachineReckoning, reckon
from mes_engine.storage.lock import sole_engine
from tests.commands import CONFIG, SITE, Said, mes
from tests.scenarios.site import Site, running_site, until

PATIENCE_S = 240.0
A_RUN = ("demo", "--until-done", "--seed", "1", "--port", "0", "--speed", "30")
NO_PLANT = {"MES_OPCUA_URL": "opc.tcp://127.0.0.1:9/mes", "MES_MODBUS_PORT": "9"}
ONE_MORE = {"machine": "mill-1", "serial": 10_000, "result": "good", "at_us": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def said(folder: Path, compiled_once: None) -> Said:
    """What a demo of three orders came to."""
    options = ("--orders", "3", "--timeout-s", str(PATIENCE_S))
    return mes(*A_RUN, *options, *SITE, folder=folder, timeout_s=PATIENCE_S + 60)


@pytest.mark.timeout(PATIENCE_S + 90)
def test_it_accounts_for_everything_that_the_plant_made(
    said: Said, folder: Path
) -> None:
    assert said.code == 0, said.out + said.err
    assert "Demo data, not for production." in said.out
    assert "Laws L0 to L5 hold: " in said.out
    assert said.out.endswith("Everything the plant made is accounted for.\n")

    lines = (folder / ".demo/pieces.jsonl").read_text().splitlines()
    made = Counter(json.loads(line)["machine"] for line in lines)
    assert made.total() > 10
    for machine, pieces in made.items():
        row = next(one for one in said.out.splitlines() if f" {machine} " in one)
        assert row.split()[1:5] == [str(pieces), str(pieces), "0", "0"]


def test_the_data_of_a_demo_that_runs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    with sole_engine(f"sqlite:///{tmp_path / '.demo/mes.db'}"):
        second = mes(*A_RUN, *SITE, folder=tmp_path)

    assert second.code == 3
    assert "Another engine runs on " in second.err
    assert list((tmp_path / ".demo").iterdir())


@pytest.mark.timeout(PATIENCE_S + 90)
def test_a_piece_that_nobody_counted_is_found(
    said: Said, folder: Path, tmp_path: Path
) -> None:
    """The same engine, against the plant's file with one line more."""
    assert said.code == 0, said.out + said.err
    honest, tampered = folder / ".demo/pieces.jsonl", tmp_path / "pieces.jsonl"
    shutil.copy(folder / ".demo/mes.db", tmp_path)
    shutil.copy(honest, tampered)
    with tampered.open("a") as lines:
        lines.write(json.dumps(ONE_MORE) + "\n")

    with running_site(tmp_path, CONFIG, **NO_PLANT) as site:
        assert problems_of(site, honest) == {}
        assert problems_of(site, tampered) == {
            "mill-1": ["1 pieces made and not counted"]
        }


def problems_of(site: Site, pieces: Path) -> dict[str, list[str]]:
    """Reckon with a file of pieces; return what does not add up, by machine."""

    async def reckoned() -> list[MachineReckoning]:
        async with httpx.AsyncClient(base_url=site.url) as http:
            return await reckon(Api(http, "the judge"), pieces)

    found = asyncio.run(reckoned())
    return {one.machine: one.problems for one in found if one.problems}


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_S + 90)
def test_a_demo_whose_plant_says_more_than_it_counted_fails(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "mes_engine", *A_RUN, "--orders", "1", "--json"),
        *("--timeout-s", str(PATIENCE_S), "--keep", str(tmp_path), *SITE),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        until((tmp_path / "engine-ready.json").exists, within_s=60)
        with (tmp_path / "pieces.jsonl").open("a") as lines:
            lines.write(json.dumps(ONE_MORE) + "\n")
        out, _ = demo.communicate(timeout=PATIENCE_S + 60)
    told = json.loads(out)
    assert demo.returncode == 1
    assert not told["reconciled"]
    assert told["verify"]["ok"]
    [mill] = [one for one in told["machines"] if one["problems"]]
    assert (mill["machine"], mill["difference"]) == ("mill-1", "1")


def test_a_port_that_is_taken_cannot_be_used(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        demo = mes("demo", "--port", port, "--keep", str(tmp_path), *SITE)
        run = mes(
            *("run", "--config", str(CONFIG)),
            MES_DATABASE_URL=f"sqlite:///{tmp_path / 'mes.db'}",
            MES_HTTP_PORT=port,
        )
    assert demo.code == 4
    assert f"cannot listen on 127.0.0.1:{port}" in demo.out
    assert run.code == 3
    assert f"cannot listen on 127.0.0.1:{port}" in run.err


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"made": 9}, "-1 pieces made and not counted"),
        ({"made": 11}, "1 pieces made and not counted"),
        ({"made_scrap": 3}, "3 scrap made, 2 counted, 0 explained"),
        ({"unassigned": 1}, "counted is not booked and unassigned"),
        ({"posted": 9}, "10 booked, 9 posted"),
    ],
    ids=str,
)
def test_each_difference_has_its_sentence(
    changed: dict[str, int], problem: str
) -> None:
    whole = {"made": 10, "counted": 10, "booked": 10, "posted": 10}
    scrap = {"made_scrap": 2, "scrapped": 2}

    def reckoning(**amounts: int) -> MachineReckoning:
        exact: dict[str, Any] = {name: Decimal(one) for name, one in amounts.items()}
        return MachineReckoning(machine="mill-1", **exact)

    assert reckoning(**whole, **scrap).problems == []
    assert reckoning(**{**whole, **scrap, **changed}).problems == [problem]
