"""Anchors: what they say, how lines are missed, and how one says what was put back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mes_engine.bootstrap.anchored import acknowledge_restored
from mes_engine.core.errors import Malformed, Refused
from mes_engine.storage.chain import ChainKey, Head, keyring
from mes_engine.storage.chain.anchors import AnchorKind, read_anchors, write_anchor
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import Anchored, VerifyReport, verify_chain
from tests.builders import SHIFT_START, Shop, a_request, a_site
from tests.databases import open_database, url_in
from tests.storage.tampering import Site

KEY = ChainKey.of(b"k" * 32)
HEAD = Head(7, "ab" * 32, 0)


def written(path: Path, head: Head = HEAD) -> int:
    return write_anchor(path, KEY, head, partition="main", at=SHIFT_START).number


def test_lines_are_counted_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "mes.anchors"

    assert [written(path), written(path, Head(9, "cd" * 32, 1))] == [1, 2]

    log = read_anchors([path], keyring([KEY]))
    assert [(one.number, one.seq, one.kind) for one in log.anchors] == [
        (1, 7, AnchorKind.ANCHORED),
        (2, 9, AnchorKind.ANCHORED),
    ]
    assert (log.last, log.strange) == (2, [])


def test_a_new_file_goes_on_with_the_number_that_the_chain_has(tmp_path: Path) -> None:
    assert written(tmp_path / "mes.anchors", HEAD._replace(anchors=12)) == 13


def test_a_line_that_was_torn_takes_nothing_with_it(tmp_path: Path) -> None:
    path = tmp_path / "mes.anchors"
    written(path)
    with path.open("ab") as file:
        file.write(path.read_bytes()[:100])

    assert written(path) == 2

    log = read_anchors([path], keyring([KEY]))
    assert [one.number for one in log.anchors] == [1, 2]
    assert log.strange == [f"{path}:2"]


@pytest.mark.parametrize(
    ("old", "new"), [(b'"seq":7', b'"seq":8'), (b'"at":', b'"at":1'), (b" {", b"0{")]
)
def test_a_line_that_was_edited_is_none(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "mes.anchors"
    written(path)
    path.write_bytes(path.read_bytes().replace(old, new))

    log = read_anchors([path], keyring([KEY]))

    assert log.anchors == []
    assert log.strange == [f"{path}:1"]


def test_a_line_of_another_key_is_none(tmp_path: Path) -> None:
    written(tmp_path / "mes.anchors")

    log = read_anchors([tmp_path / "mes.anchors"], keyring([ChainKey.of(b"o" * 32)]))

    assert log.anchors == []


class Kept:
    """A database whose head is anchored now and then."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.file = folder / "mes.anchors"
        self.keys = folder / "journal.key"
        self.keys.write_text(KEY.secret.hex())
        self.store = SqlStore(site.database, key=KEY)
        self.shop = Shop()

    async def work(self, *requests: str) -> int:
        """Commit each request, and anchor the head; return its seq."""
        for request in requests:
            a_request(self.shop, request)
            await self.store.commit(*self.shop.take())
        head = await self.store.head()
        self.store.anchors = written(self.file, head)
        return head.seq

    async def report(self) -> VerifyReport:
        keys = keyring([KEY])

        def read() -> object:
            return read_anchors([self.file], keys)

        anchored = Anchored(read_anchors([self.file], keys), read)  # type: ignore[arg-type]
        return await self.site.database.read(
            lambda at: verify_chain(at, keys=keys, anchored=anchored)
        )

    async def go_back(self, seq: int) -> None:
        """Have the journal end earlier, as an old copy of it does."""
        last = (await self.store.head()).seq
        for link in range(seq + 1, last + 1):
            if (
                await self.site.scalar(f"SELECT 1 FROM chain_link WHERE seq = {link}")
                == "1"
            ):
                self.site.corrupt(f"DELETE FROM chain_link WHERE seq = {link}")
        for fact in range(seq + 1, last + 1):
            self.site.corrupt(f"DELETE FROM fact WHERE seq = {fact}")

    async def acknowledge(self, *, seq: int | None = None, reason: str = "disk") -> int:
        anchor = await acknowledge_restored(
            url_in(self.file.parent),
            key_file=self.keys,
            anchor_file=self.file,
            person="Ana",
            reason=reason,
            at=SHIFT_START,
            seq=seq,
        )
        return anchor.seq


@pytest.fixture
async def kept(tmp_path: Path, either_database: str) -> AsyncIterator[Kept]:
    async with open_database(tmp_path) as database:
        kept = Kept(Site(database, url_in(tmp_path)), tmp_path)
        a_site(kept.shop)
        yield kept


async def test_a_chain_that_has_all_of_its_anchors(kept: Kept) -> None:
    await kept.work("WR-1")
    await kept.work("WR-2", "WR-3")

    report = await kept.report()

    assert report.is_sound
    assert report.anchors == 2


async def test_an_end_that_was_cut_off_clean(kept: Kept) -> None:
    early = await kept.work("WR-1")
    late = await kept.work("WR-2")
    await kept.go_back(early)

    (problem,) = (await kept.report()).problems

    assert problem.where == str(early)
    assert f"its head was anchored at {late}" in problem.why
    assert "2026-01-05" in problem.why, "and when"


async def test_another_work_in_the_place_of_what_was_anchored(kept: Kept) -> None:
    early = await kept.work("WR-1")
    late = await kept.work("WR-2")
    await kept.go_back(early)
    kept.shop = Shop(await kept.store.load())
    a_request(kept.shop, "WR-9")
    await kept.store.commit(*kept.shop.take())

    (problem,) = (await kept.report()).problems

    assert problem.where == str(late)
    assert "it is another" in problem.why


@pytest.mark.parametrize("lines", [slice(0, 0), slice(1, 9), slice(0, 1)])
async def test_lines_that_are_gone_are_missed(kept: Kept, lines: slice) -> None:
    """By their numbers, and the last of them by the chain."""
    for number in range(3):
        await kept.work(f"WR-{number}")
    a_request(kept.shop, "WR-9")
    await kept.store.commit(*kept.shop.take())
    text = kept.file.read_bytes().splitlines(keepends=True)
    kept.file.write_bytes(b"".join(text[lines]))

    (problem,) = (await kept.report()).problems

    assert problem.what == "anchor"
    assert "no such line" in problem.why


async def test_what_was_put_back_is_acknowledged(kept: Kept) -> None:
    early = await kept.work("WR-1")
    await kept.work("WR-2")
    await kept.go_back(early)

    assert await kept.acknowledge(reason="the disk died") == early

    report = await kept.report()
    assert report.is_sound
    (told,) = report.restored
    assert told.endswith("by Ana: the disk died")
    assert f"put back to {early}" in told


async def test_work_may_have_gone_on_before_it_is_acknowledged(kept: Kept) -> None:
    early = await kept.work("WR-1")
    await kept.work("WR-2", "WR-3")
    await kept.go_back(early)
    kept.shop = Shop(await kept.store.load())
    await kept.work("WR-9")
    assert not (await kept.report()).is_sound

    assert await kept.acknowledge() == early

    assert (await kept.report()).is_sound
    await kept.work("WR-10")
    assert (await kept.report()).is_sound


async def test_the_anchors_may_be_lost_with_the_disk(kept: Kept) -> None:
    await kept.work("WR-1")
    last = await kept.work("WR-2")
    kept.file.unlink()
    assert not (await kept.report()).is_sound

    assert await kept.acknowledge(seq=last) == last

    assert (await kept.report()).is_sound


async def test_nothing_is_acknowledged_that_was_not_done(kept: Kept) -> None:
    last = await kept.work("WR-1")

    with pytest.raises(Refused, match="nothing was put back"):
        await kept.acknowledge()
    with pytest.raises(Refused, match="No commit of the journal ends"):
        await kept.acknowledge(seq=last + 1)
    with pytest.raises(Malformed, match="Somebody has to say it"):
        await kept.acknowledge(reason=" ")


async def test_what_was_acknowledged_is_found_when_it_is_done_again(kept: Kept) -> None:
    early = await kept.work("WR-1")
    await kept.work("WR-2")
    await kept.go_back(early)
    await kept.acknowledge()
    kept.shop = Shop(await kept.store.load())
    await kept.work("WR-9")

    await kept.go_back(early)

    assert not (await kept.report()).is_sound
