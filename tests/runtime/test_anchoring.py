"""The head is anchored when it is another than before, and the chain knows of it."""

from pathlib import Path

from mes_engine.runtime.anchoring import anchor_job
from mes_engine.storage.chain import ChainKey, keyring
from mes_engine.storage.chain.anchors import read_anchors
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import SHIFT_START, Shop, a_request, a_site

KEY = ChainKey.of(b"k" * 32)


async def test_each_head_is_anchored_once(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "mes.anchors"
    store, shop = SqlStore(database, key=KEY), Shop()
    job = anchor_job(store, file, clock=lambda: SHIFT_START)

    await job.work(0)
    assert read_anchors([file], keyring([KEY])).anchors == []

    a_site(shop)
    await store.commit(*shop.take())
    await job.work(60_000_000)
    await job.work(120_000_000)
    a_request(shop, "WR-1")
    await store.commit(*shop.take())
    await job.work(180_000_000)

    log = read_anchors([file], keyring([KEY]))
    head = await store.head()
    assert [one.number for one in log.anchors] == [1, 2]
    assert (log.anchors[-1].seq, log.anchors[-1].digest) == (head.seq, head.digest)
    assert head.anchors == 1, "the second is of this head: the next link will have it"


async def test_after_a_restart_the_count_goes_on(
    database: Database, tmp_path: Path
) -> None:
    shop = Shop()
    a_site(shop)
    store = SqlStore(database, key=KEY)
    for name in ("WR-1", "WR-2"):
        store = SqlStore(database, key=KEY)
        job = anchor_job(store, tmp_path / "mes.anchors", clock=lambda: SHIFT_START)
        a_request(shop, name)
        await store.commit(*shop.take())
        await job.work(0)

    log = read_anchors([tmp_path / "mes.anchors"], keyring([KEY]))
    assert [one.number for one in log.anchors] == [1, 2]
    assert (await store.head()).anchors == 1, "it was told at its start"
