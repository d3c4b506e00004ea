"""Gateways and the engine part and meet again: in order, each report once in effect.

A few kills run with every test; forty of gateway, engine and both with

    make test-slow ARGS="-s tests/faults/test_gateways.py"
"""

import os
import random
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from shutil import copytree

import pytest

from tests.faults.gateways import GatewayProcess, Parted, door, parted
from tests.faults.harness import CONFIG, an_engine, until, verified


async def test_the_engine_is_away_and_comes_back(tmp_path: Path) -> None:
    """Twenty pieces a second go on meanwhile; none is lost, doubled or told late."""
    async with parted(tmp_path) as site:
        before = len(await site.clerk.items("/facts", type="signal_read"))
        await site.engine.kill()
        made = site.made()
        await site.until_made(100)
        await site.gateway.until_said("engine_lost")
        await site.engine.start()
        await site.gateway.until_said("engine_recovered")
        await site.comes_out()
        facts = await site.clerk.items("/facts", type="signal_read")
        kept = [
            one for one in facts[before:] if one["recorded_at"] > one["occurred_at"]
        ]
        assert len(kept) > 60, "what was counted meanwhile came as one jump"
        gaps = await site.clerk.items("/facts", type="data_gap_seen")
        assert gaps == []
        assert site.made() > made + 100
        assert await site.engine.stop() == 0
    assert (await verified(site.engine))["ok"]


async def one_death(site: Parted, rng: random.Random) -> str:
    """Kill the gateway, the engine, or both, at any moment, and start them again."""
    await site.until_made(rng.randint(0, 12))
    who = rng.choice(["gateway", "gateway", "engine", "both"])
    if who != "engine":
        await site.gateway.kill()
    if who != "gateway":
        await site.engine.kill()
    await site.until_made(rng.randint(0, 6))
    if who != "engine":
        await site.gateway.start()
    if who != "gateway":
        await site.engine.start()
    if rng.random() < 0.5:
        await site.until_counting()
    return who


async def killed(folder: Path, *, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    async with parted(folder, "--seed", str(seed)) as site:
        died = [await one_death(site, rng) for _ in range(kills)]
        await site.comes_out()
        facts = await site.clerk.items("/facts")
        causes = [one["cause"] for one in facts if one["type"] == "message_set_aside"]
        assert await site.engine.stop() == 0, site.engine.tail()
    told = f"seed {seed}: {died}, {len(facts)} facts, {site.made()} pieces"
    print(told)  # noqa: T201 - `pytest -s` shows it
    assert not causes, told
    assert (await verified(site.engine))["ok"], told


@pytest.mark.timeout(180)
async def test_a_few_kills_of_gateway_and_engine(tmp_path: Path) -> None:
    await killed(tmp_path, kills=4, seed=5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_forty_kills_of_gateway_and_engine(tmp_path: Path) -> None:
    await killed(tmp_path, kills=40, seed=6)


async def test_a_gateway_that_was_away_says_so(tmp_path: Path) -> None:
    """Its machines are shown as unknown meanwhile, and the gap is told afterwards."""
    async with parted(tmp_path) as site:
        assert (await site.status())["is_heard"]
        await site.gateway.kill()

        async def is_unknown() -> bool:
            shown = await site.clerk.get("/equipment")
            machines = [one for one in shown if one["link"] is not None]
            return {one["shown"] for one in machines} == {"unknown"}

        await until(is_unknown, within_s=20)
        assert not (await site.status())["is_heard"]
        board = await site.clerk.get("/board")
        assert [one["id"] for one in board["gateways"]] == ["north"]
        told = await site.clerk.get("/gateways")
        assert told["unfed"] == ["cell", "line"]

        await site.gateway.start()

        async def is_told() -> bool:
            gaps = await site.clerk.items("/facts", type="data_gap_seen")
            return {one["fact"]["link"] for one in gaps} == {"cell", "line"}

        await until(is_told, within_s=30)
        (first, *_) = await site.clerk.items("/facts", type="data_gap_seen")
        gap = first["fact"]["gap"]
        assert gap["since"] < gap["until"]
        await site.comes_out()


async def test_a_second_gateway_for_the_same_link_is_refused_by_name(
    tmp_path: Path,
) -> None:
    async with parted(tmp_path) as site:
        other = GatewayProcess(
            tmp_path,
            site.engine,
            environment={
                "MES_OPCUA_URL": site.plant.opcua_url,
                "MES_MODBUS_PORT": str(site.plant.modbus),
            },
            name="south",
            options=("--links", "line"),
        )
        await other.start()
        assert await other.ended(within_s=30) == 1
        assert "Link 'line' is fed by gateway 'north'" in other.said()
        same = GatewayProcess(tmp_path, site.engine, environment={})
        await same.start()
        assert await same.ended(within_s=30) == 3
        assert "Another gateway runs in" in same.said()
        await site.comes_out()


async def test_a_changed_plant_reaches_the_gateway(tmp_path: Path) -> None:
    """The engine has read it first; only the link that changed begins anew."""
    config = tmp_path / "config"
    copytree(CONFIG, config)
    plant = config / "plant.yaml"
    async with parted(tmp_path, config=config) as site:
        text = plant.read_text()
        assert text.count("poll_s: 0.1\n") == 1
        plant.write_text(text.replace("poll_s: 0.1\n", "poll_s: 0.2\n"))
        assert await site.engine.stop() == 0
        await site.engine.start()
        await site.gateway.until_said("plant_changed")

        async def has_this_plant() -> bool:
            return bool((await site.status()).get("has_this_plant"))

        await until(has_this_plant)
        changed = [one for one in site.gateway.said().splitlines() if "link_ch" in one]
        assert len(changed) == 1
        assert '"link": "line"' in changed[0]
        await site.comes_out()


async def test_the_door_is_shut_to_who_has_no_token(tmp_path: Path) -> None:
    async with an_engine(tmp_path, token="the one") as engine:
        await engine.start()
        nothing = {"instance": 1, "links": [], "plant": "", "status": {}}
        async with door(engine, "another") as wrong, door(engine, "the one") as right:
            for path in ("/north/reports", "/north/wanted/x"):
                answer = await wrong.post(path, json=nothing)
                assert answer.status_code == 401, answer.text
                assert answer.json()["type"] == "/problems/no-token"
            assert (await wrong.get("/north/wanted?instance=1")).status_code == 401
            answer = await right.post("/north/reports", json=nothing)
            assert answer.status_code == 200, answer.text

            async def said(body: object, **headers: str) -> int:
                answer = await right.post("/north/reports", json=body, headers=headers)
                return answer.status_code

            assert await said(nothing | {"more": 1}) == 422
            assert await said(nothing | {"links": ["lathe"]}) == 422
            assert await said(nothing, **{"Content-Type": "text/plain"}) == 415
            assert await said(nothing, **{"Content-Type": "application/msgpack"}) == 422
            report = {
                "source": "cell",
                "epoch": 1,
                "n": 1,
                "report": {"type": "link_report", "state": "connected", "at": 5},
            }
            both = nothing | {"links": ["cell"], "reports": [report, {"n": 1}]}
            answer = await right.post("/north/reports", json=both)
            assert answer.json()["committed"] == {"cell": {"epoch": 1, "n": 1}}
            assert [one["index"] for one in answer.json()["refused"]] == [1]
            older = nothing | {"instance": 0}
            answer = await right.post("/north/reports", json=older)
            assert answer.status_code == 409
            big = {"Content-Length": str(2 * 1024 * 1024)}
            answer = await right.post("/north/reports", content=b"x" * 2**21)
            assert answer.status_code == 413, big


async def test_the_engines_own_gateway_lives_and_ends_with_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(an_engine(tmp_path))
        await engine.start()

        async def is_there() -> bool:
            return gateway_of(engine.pid) is not None

        await until(is_there)
        first = gateway_of(engine.pid)
        assert first is not None
        environment = of_process(first, "environ")
        assert b"MES_DATABASE_URL" not in environment
        assert b"MES_OPCUA_URL" in environment
        os.kill(first, signal.SIGKILL)

        async def is_another() -> bool:
            return gateway_of(engine.pid) not in (None, first)

        await until(is_another)
        second = gateway_of(engine.pid)
        assert second is not None
        await engine.kill()

        async def is_gone() -> bool:
            return not of_process(second, "cmdline")

        await until(is_gone)


def gateway_of(engine: int) -> int | None:
    """Return the process of the gateway that an engine has started."""
    children = of_process(engine, f"task/{engine}/children").split()
    found = (one for one in map(int, children) if b"gateway" in _command(one))
    return next(found, None)


def _command(process: int) -> bytes:
    return of_process(process, "cmdline")


def of_process(process: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{what}").read_bytes()
    except OSError:
        return b""
