"""The spool: in order, there after a crash, bounded, honest about what it left out."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.gateway.spool import ROW_BYTES, Kept, Refusal, Spool, SpoolFull
from tests.gateway.builders import kept
from tests.runtime.builders import NOW

MB = 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    opened = Spool(path, limit_bytes=MB)
    yield opened
    opened.close()


def bodies(spool: Spool, at_most: int = 10_000) -> list[str]:
    return [body.decode().strip(".") for _, body in spool.head(at_most, 2**40)]


def filled(spool: Spool, make: Callable[[int], Kept]) -> int:
    """Keep reports until no more are taken; return how many were."""
    for n in count():
        try:
            spool.append([make(n)])
        except spool.unwritable:
            return n
    raise AssertionError


def test_what_is_kept_comes_back_in_order(spool: Spool) -> None:
    spool.append([kept(1), kept(2)])
    spool.append([kept(1, source="press")])
    assert bodies(spool) == ["plc/1", "plc/2", "press/1"]
    assert bodies(spool, at_most=2) == ["plc/1", "plc/2"]
    assert spool.waiting == 3


def test_a_head_is_bounded_in_bytes_and_never_empty(spool: Spool) -> None:
    spool.append([kept(n, more=1000) for n in range(5)])
    assert len(spool.head(100, 2 * 1000 + 2 * ROW_BYTES + 20)) == 2
    assert len(spool.head(100, 1)) == 1


def test_what_is_forgotten_does_not_come_again(spool: Spool, path: Path) -> None:
    spool.append([kept(n) for n in range(4)])
    (place, _) = spool.head(3, MB)[-1]
    spool.forget(place)
    assert bodies(spool) == ["plc/3"]
    spool.close()
    again = Spool(path, limit_bytes=MB)
    assert bodies(again) == ["plc/3"]
    assert (again.waiting, again.bytes) == (1, len(b"plc/3") + ROW_BYTES)
    again.close()


def test_what_is_refused_is_put_aside_with_its_reason(spool: Spool) -> None:
    spool.append([kept(n) for n in range(3)])
    rows = spool.head(3, MB)
    spool.forget(rows[-1][0], refused=[Refusal(rows[1][0], "no such link")])
    assert spool.set_aside() == (1, "no such link")
    assert spool.waiting == 0


def test_each_life_has_an_epoch_of_its_own(path: Path) -> None:
    epochs, lost = [], []
    for now in (NOW, NOW, NOW - 10**12):
        spool = Spool(path, limit_bytes=MB)
        life = spool.begin_life(now=now)
        spool.live(now=now + 5)
        epochs.append(life.epoch)
        lost.append(life.lost_at)
        spool.close()
    seconds = NOW // 1_000_000
    assert epochs == [seconds, seconds + 1, seconds + 2]
    assert lost == [None, NOW + 5, NOW + 5]


def test_a_life_knows_when_each_source_was_last_heard(path: Path) -> None:
    spool = Spool(path, limit_bytes=MB)
    assert spool.begin_life(now=NOW).last_at == {}
    spool.append([kept(1, at=NOW + 1), kept(2, at=NOW + 2)])
    spool.forget(spool.head(9, MB)[-1][0])
    spool.close()
    again = Spool(path, limit_bytes=MB)
    assert again.begin_life(now=NOW).last_at == {"plc": NOW + 2}
    again.close()


def test_when_full_only_the_newest_of_each_measurement_is_kept(path: Path) -> None:
    spool = Spool(path, limit_bytes=10_000)
    n = 0
    while not spool.is_full:
        n += 1
        spool.append([kept(n, tag="m.temp", at=NOW + n), kept(n, tag="m.bar")])
        if n % 10 == 0:
            spool.append([kept(n, source="count")])
    counts = [one for one in bodies(spool) if one.startswith("count")]
    rest = [one for one in bodies(spool) if not one.startswith("count")]
    assert counts == [f"count/{k}" for k in range(10, n + 1, 10)]
    assert rest[-2:] == [f"plc/{n}", f"plc/{n}"]
    assert spool.bytes <= 10_000
    left_out = {one.tag: one.count for one in spool.take_thinned()}
    assert left_out["m.temp"] + left_out["m.bar"] + len(rest) == 2 * n
    assert spool.thinned_total() == sum(left_out.values())
    assert spool.take_thinned() == []
    spool.close()


def test_what_may_not_be_dropped_finds_a_full_spool_closed(path: Path) -> None:
    spool = Spool(path, limit_bytes=5_000)
    filled(spool, kept)
    before = bodies(spool)
    with pytest.raises(SpoolFull):
        spool.append([kept(0, more=100)])
    assert bodies(spool) == before
    spool.forget(spool.head(40, MB)[-1][0])
    spool.append([kept(77)])
    assert bodies(spool)[-1] == "plc/77"
    assert not spool.is_full
    spool.close()


def test_what_is_on_its_way_is_not_thinned(path: Path) -> None:
    """It may be committed already: thinning it would tell of a loss that is none."""
    spool = Spool(path, limit_bytes=10_000)
    spool.append([kept(n, tag="m.temp") for n in range(20)])
    on_its_way = spool.head(10, MB)
    n = 20
    while not spool.is_full:
        spool.append([kept(n, tag="m.temp")])
        n += 1
    assert spool.take_thinned()[0].count == n - 10 - len(bodies(spool)) + 10
    assert bodies(spool)[:10] == [body.decode() for _, body in on_its_way]
    spool.close()


def test_old_measurements_are_thinned_too(spool: Spool) -> None:
    spool.append([kept(n, tag="m.temp", at=NOW + n) for n in range(5)])
    spool.append([kept(9, at=NOW)])
    spool.thin_older(NOW + 3)
    assert bodies(spool) == ["plc/3", "plc/4", "plc/9"]
    (one,) = spool.take_thinned()
    assert (one.tag, one.since, one.until, one.count) == ("m.temp", NOW, NOW + 2, 3)


def test_a_file_that_is_no_spool_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(SettingsError, match=r"spool\.db cannot be used"):
        Spool(path, limit_bytes=MB)


_KEEPS_ON = """
import sys
from pathlib import Path
from mes_engine.gateway.spool import Kept, Spool
spool = Spool(Path(sys.argv[1]), limit_bytes=2**30)
n = 0
while True:
    n += 1
    body = str(n).encode()
    spool.append([Kept(source="s", tag=None, at=n, is_sample=True, body=body)])
    print(n, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 40, 300])
def test_what_it_has_returned_for_is_there_after_a_kill(path: Path, lines: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _KEEPS_ON, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split()
    last = int(said[-1]) if said else lines
    spool = Spool(path, limit_bytes=MB)
    found = [int(one) for one in bodies(spool)]
    assert found == list(range(1, len(found) + 1))
    assert len(found) in (last, last + 1)  # it was killed before it could say so
    spool.close()


def test_a_torn_tail_is_cut(path: Path) -> None:
    """As after a power failure: the last write is there in part."""
    spool = Spool(path, limit_bytes=MB)
    for n in range(50):
        spool.append([kept(n)])
    wal = path.with_name("spool.db-wal").read_bytes()
    main = path.read_bytes()
    spool.close()
    for torn in (1, 100, 4000, 5000):
        other = path.with_name(f"torn-{torn}.db")
        other.write_bytes(main)
        other.with_name(f"{other.name}-wal").write_bytes(wal[:-torn])
        again = Spool(other, limit_bytes=MB)
        found = bodies(again)
        assert found == [f"plc/{n}" for n in range(len(found))]
        assert 40 < len(found) < 50
        again.append([kept(99)])
        assert bodies(again)[-1] == "plc/99"
        again.close()


_FILLS_DISK = """
import resource, sys
from pathlib import Path
from mes_engine.gateway.spool import Kept, Spool
spool = Spool(Path(sys.argv[1]), limit_bytes=2**30)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
n = failed = 0
while failed < 3:
    kept = Kept(source="s", tag=None, at=n, is_sample=True, body=str(n).encode() * 200)
    try:
        spool.append([kept])
    except spool.unwritable:
        failed += 1
    else:
        n += 1
        assert not failed
spool.forget(spool.head(200, 2**30)[-1][0])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
spool.append([kept])
print(n, spool.waiting)
"""


def test_a_disk_that_is_full_loses_nothing_and_works_again(path: Path) -> None:
    """A file's size is limited: what the disk does not take is an error, and told."""
    done = subprocess.run(
        [sys.executable, "-c", _FILLS_DISK, str(path)],
        capture_output=True,
        check=False,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    kept_before, _ = map(int, done.stdout.split())
    assert kept_before > 10
    spool = Spool(path, limit_bytes=MB)
    found = [int(body[: len(body) // 200]) for _, body in spool.head(9999, 2**40)]
    assert found == [*range(found[0], kept_before), kept_before]
    spool.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_small_disk_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        spool = Spool(disk / "spool.db", limit_bytes=64 * MB)
        n = filled(spool, lambda n: kept(n, more=2000))
        assert bodies(spool) == [f"plc/{k}" for k in range(n)]
        spool.close()
        again = Spool(disk / "spool.db", limit_bytes=64 * MB)
        assert bodies(again) == [f"plc/{k}" for k in range(n)]
        again.forget(again.head(n - 1, 2**40)[-1][0])
        again.append([kept(n)])
        assert bodies(again) == [f"plc/{n - 1}", f"plc/{n}"]
        again.close()
    finally:
        subprocess.run(("umount", "--lazy", str(disk)), check=True)


def test_limits_are_of_this_process_only() -> None:
    """The tests above leave this process as it was."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
