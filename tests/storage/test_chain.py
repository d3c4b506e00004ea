"""The arithmetic of the chain, and the file with its keys."""

from pathlib import Path
from stat import S_IMODE

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core.errors import SettingsError
from mes_engine.storage.chain import (
    GENESIS,
    UNKEYED,
    ChainKey,
    Head,
    Link,
    encoded_fact,
    fact_digest,
    linked,
    read_keys,
    read_or_make_keys,
    tag_of,
)

KEY = ChainKey.of(b"k" * 32)
DIGESTS = [fact_digest(KEY, encoded_fact((seq, "body"))) for seq in (4, 5, 6)]
BEFORE = Head(3, "ab" * 32, 2)


def a_link(**other: object) -> Link:
    said = {
        "key": KEY,
        "partition": "main",
        "before": BEFORE,
        "seq": 6,
        "digests": DIGESTS,
        "anchors": 2,
        **other,
    }
    return linked(**said)  # type: ignore[arg-type]


def test_a_link_knows_its_facts() -> None:
    link = a_link()

    assert (link.first, link.seq, link.key) == (4, 6, KEY.id)
    assert [link.tag(seq) for seq in (4, 5, 6)] == [tag_of(one) for one in DIGESTS]
    assert link.head == Head(6, link.digest, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"key": ChainKey(KEY.id, b"x" * 32)},
        {"key": ChainKey("other", KEY.secret)},
        {"partition": "mai"},
        {"before": GENESIS},
        {"seq": 7},
        {"anchors": 3},
        {"digests": DIGESTS[:2]},
        {"digests": [*DIGESTS[:2], b"\0" * 32]},
        {"digests": DIGESTS[::-1]},
    ],
    ids=str,
)
def test_whatever_is_other_makes_another_link(other: dict[str, object]) -> None:
    assert a_link(**other).digest != a_link().digest


@given(
    cause=st.text(),
    body=st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())),
)
def test_a_fact_is_the_same_whether_it_is_written_or_read(
    cause: str, body: dict[str, object]
) -> None:
    """As a value on its way in, and as the text that the database has of it."""
    text = msgspec.json.encode(body).decode()

    assert encoded_fact((1, cause, body)) == encoded_fact((1, cause, msgspec.Raw(text)))


def test_a_key_is_told_by_its_id_that_tells_nothing_of_it() -> None:
    assert ChainKey.of(b"k" * 32) == KEY
    assert ChainKey.of(b"l" * 32).id != KEY.id
    assert UNKEYED.id == "none"


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "journal.key"

    (made,), is_new = read_or_make_keys(path)

    assert is_new
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert len(made.secret) == 32
    assert read_or_make_keys(path) == ([made], False)
    assert [one.name for one in path.parent.iterdir()] == ["journal.key"]


def test_a_line_that_is_added_is_the_key_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    (old,), _ = read_or_make_keys(path)

    with path.open("a") as file:
        file.write(f"# since the audit\n\n{'5a' * 32}\n")

    assert read_keys(path) == [old, ChainKey.of(b"Z" * 32)]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "password\n", "ab" * 31 + "\n", "zz" * 32 + "\n"]
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal.key"
    path.write_text(text)

    with pytest.raises(SettingsError, match="key") as refused:
        read_or_make_keys(path)

    assert "hexadecimal" in str(refused.value)
    assert text.strip() not in str(refused.value) or not text.strip("# \n")


def test_a_file_that_cannot_be_made_says_what_to_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"journal\.key_file in site\.yaml"):
        read_or_make_keys(tmp_path / "file" / "journal.key")


def test_a_file_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="put it back from its copy"):
        read_keys(tmp_path / "journal.key")
