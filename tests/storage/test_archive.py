"""The journal's archive: whole lines in order, whatever is done to its files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core.errors import Refused, SettingsError
from mes_engine.storage.archive.history import history
from mes_engine.storage.archive.lines import Commit, FactRow, segments
from mes_engine.storage.archive.writing import ArchiveWriter
from mes_engine.storage.chain import Link


def a_commit(first: int, facts: int = 2, *, said: str = "") -> Commit:
    body = msgspec.Raw(b'{"q": "%b"}' % said.encode())
    seqs = range(first, first + facts)
    return Commit(
        link=Link(seqs[-1], "none", 0, "0" * 64, "01234567" * facts),
        facts=[FactRow(seq, "t", 1, seq, seq, "c", "p", body) for seq in seqs],
    )


def a_writer(folder: Path, *, plant: str = "P", small: bool = False) -> ArchiveWriter:
    size = 1 if small else 1 << 20
    writer = ArchiveWriter(folder, plant=plant, partition="main", segment_bytes=size)
    writer.open()
    return writer


def seqs(found: Sequence[Commit]) -> list[int]:
    return [row.seq for commit in found for row in commit.facts]


@pytest.mark.parametrize("small", [False, True], ids=["one file", "many files"])
def test_what_was_written_is_read_again(tmp_path: Path, *, small: bool) -> None:
    writer = a_writer(tmp_path, small=small)
    written = [a_commit(seq) for seq in range(1, 20, 2)]
    for commit in written:
        writer.append([commit])

    assert list(history(tmp_path)) == written
    assert seqs(list(history(tmp_path, after=8))) == list(range(9, 21))
    assert len(segments(tmp_path)) == (10 if small else 1)


def test_another_life_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    a_writer(tmp_path).append([a_commit(1), a_commit(3)])

    writer = a_writer(tmp_path)
    assert writer.last is not None
    assert writer.last.seq == 4
    writer.append([a_commit(5)])

    assert seqs(list(history(tmp_path))) == [1, 2, 3, 4, 5, 6]


@given(cut=st.integers(0, 2_000), small=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_torn_end_is_cut_off_wherever_it_was_torn(
    tmp_path_factory: pytest.TempPathFactory, cut: int, *, small: bool
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    writer = a_writer(folder, small=small)
    for seq in (1, 3, 5):
        writer.append([a_commit(seq)])
    last = segments(folder)[-1].path
    content = last.read_bytes()
    last.write_bytes(content[: len(content) * cut // 2_000])

    before = seqs(list(history(folder)))
    writer = a_writer(folder, small=small)
    following = 1 if writer.last is None else writer.last.seq + 1
    assert before == list(range(1, following))
    writer.append([a_commit(following), a_commit(following + 2)])

    assert seqs(list(history(folder))) == list(range(1, following + 4))


def test_a_restored_database_goes_on_by_a_timeline_of_its_own(tmp_path: Path) -> None:
    a_writer(tmp_path).append([a_commit(1), a_commit(3), a_commit(5)])
    writer = a_writer(tmp_path)
    writer.branch(5)
    writer.append([a_commit(5, said="new"), a_commit(7, said="new")])

    assert seqs(list(history(tmp_path))) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert b"new" in bytes(list(history(tmp_path))[-1].facts[-1].body)
    old = list(history(tmp_path, timeline=1))
    assert seqs(old) == [1, 2, 3, 4, 5, 6]
    assert b"new" not in bytes(old[-1].facts[-1].body)
    again = a_writer(tmp_path)
    assert again.last == a_commit(7, said="new").facts[-1]


def test_a_timeline_without_a_fact_yet_ends_where_it_began(tmp_path: Path) -> None:
    a_writer(tmp_path).append([a_commit(1), a_commit(3)])
    a_writer(tmp_path).branch(3)

    writer = a_writer(tmp_path)

    assert writer.last is not None
    assert writer.last.seq == 2
    assert seqs(list(history(tmp_path))) == [1, 2]


def test_an_archive_is_of_one_plant(tmp_path: Path) -> None:
    a_writer(tmp_path).append([a_commit(1)])

    with pytest.raises(SettingsError, match="has the journal of P; this is Q"):
        a_writer(tmp_path, plant="Q")


def _edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"c"', b'"d"', 1))


def _leave_a_line_out(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], *lines[2:]]))


def _swap(path: Path) -> None:
    first, second, third, *more = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, third, second, *more]))


@pytest.mark.parametrize("spoil", [_edit, _leave_a_line_out, _swap])
def test_what_was_changed_is_refused_where_it_was(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    a_writer(tmp_path).append([a_commit(seq) for seq in (1, 3, 5, 7)])
    path = segments(tmp_path)[0].path
    spoil(path)

    with pytest.raises(Refused, match=rf"{path.name}:2: not as it was written"):
        list(history(tmp_path))


def test_a_file_that_is_gone_is_missed(tmp_path: Path) -> None:
    writer = a_writer(tmp_path, small=True)
    for seq in (1, 3, 5):
        writer.append([a_commit(seq)])
    segments(tmp_path)[1].path.unlink()

    with pytest.raises(Refused, match=r"--until-seq 4"):
        list(history(tmp_path))
