"""A full disk: read on, refuse clearly, go on when there is room; lose nothing."""

import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults import small_disk
from tests.faults.conftest import Shop, at_work
from tests.faults.harness import NOWHERE, EngineProcess, until, verified
from tests.faults.small_disk import SmallDisk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]
MIB = 64


@pytest_asyncio.fixture(loop_scope="session")
async def on_a_disk(tmp_path: Path) -> AsyncIterator[tuple[Shop, SmallDisk]]:
    """An engine whose database is on a small disk; whole when it is over."""
    if why := small_disk.missing():
        (pytest.fail if os.environ.get("MES_CI") else pytest.skip)(why)
    with small_disk.small_disk(tmp_path / "disk", mib=MIB) as disk:
        engine = EngineProcess(
            tmp_path,
            opcua=NOWHERE,
            modbus=NOWHERE,
            token="no-gateway-of-its-own",
            database_url=f"sqlite:///{disk.folder / 'mes.db'}",
            within=disk.within,
        )
        async with at_work(engine, tmp_path) as shop:
            yield shop, disk
        shutil.copytree(disk.seen, tmp_path / "copy")
        engine.database_url = f"sqlite:///{tmp_path / 'copy' / 'mes.db'}"
        found = await verified(engine)
        assert found["ok"], found


async def tried(shop: Shop, job: str, key: str) -> int:
    answer = await shop.clerk.tried(
        "POST", f"/job-orders/{job}/report", key=key, json={"good": "1"}
    )
    return answer.status_code


async def until_refused(shop: Shop, job: str, name: str) -> list[str]:
    """Report until it is refused; return the keys of what was accepted, in order."""
    done: list[str] = []
    for number in range(1_000):
        key = f"{name}-{number:06}"
        if (status := await tried(shop, job, key)) != 200:
            assert status == 503
            return done
        done.append(key)
    raise AssertionError("the disk never was full")


async def test_a_full_disk_refuses_clearly_and_needs_only_room(
    on_a_disk: tuple[Shop, SmallDisk],
) -> None:
    shop, disk = on_a_disk
    job = await shop.begun("D-FULL", 2_000)

    disk.fill()
    done = await until_refused(shop, job, "full")

    path = f"/job-orders/{job}/report"
    answer = await shop.clerk.tried("POST", path, key="full-late", json={"good": "1"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    assert "disk" in answer.json()["detail"]
    shown = await shop.clerk.get(f"/job-orders/{job}")
    assert shown["good"] == str(len(done)), "who only reads is served meanwhile"

    disk.free()

    async def is_accepted() -> bool:
        return await tried(shop, job, "full-late") == 200

    await until(is_accepted)
    facts = await shop.clerk.items("/facts", type="quantity_reported")
    causes = Counter(one["cause"] for one in facts)
    assert causes == Counter(f"http:{key}" for key in [*done, "full-late"])


async def test_a_life_begins_on_a_full_disk_and_works_once_there_is_room(
    on_a_disk: tuple[Shop, SmallDisk],
) -> None:
    shop, disk = on_a_disk
    job = await shop.begun("D-AGAIN", 2_000)
    disk.fill()
    done = await until_refused(shop, job, "full-before")

    await shop.engine.kill()
    await shop.engine.start()

    shown = await shop.clerk.get(f"/job-orders/{job}")
    assert shown["good"] == str(len(done))
    for key in done:
        assert await tried(shop, job, key) == 200, "it is answered as it was"
    disk.free()

    async def is_accepted() -> bool:
        return await tried(shop, job, "full-after") == 200

    await until(is_accepted)
    shown = await shop.clerk.get(f"/job-orders/{job}")
    assert shown["good"] == str(len(done) + 1)
