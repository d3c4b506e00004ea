"""Whatever a file says, the answer is a site or its problems; never a traceback."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core.errors import SettingsError
from mes_engine.settings import load_site
from tests.settings.builders import ADAPTERS, PLANT, ROUTING, SITE, write_site

FILES = {"plant": PLANT, "site": SITE, "routings": ROUTING}
IDS = {"milling", "turning", "MILLS", "mill-1", "good", "state", "cell", "day"}
IDS |= {"words", "RUN"}
KEYS = [
    (name, match.span(1))
    for name, text in FILES.items()
    for match in re.finditer(r"([\w-]+):(?=\s)", text)
    if match[1] not in IDS or text[match.start() - 2 :].startswith("- ")
]
LINE = re.compile(r"(?:config|routings)/[a-z]+\.yaml:[1-9]\d*:[1-9]\d*: \S.*")
PIECES = st.sampled_from(
    [
        *(":", "-", "{}", "[]", ",", " ", "#", "\n", "\n  ", "\t", "---", "...", "<<"),
        *("&", "*", "!", "|", ">", "'", '"', "%", "@", "`", "?", "\\", "${", "${X}"),
        *("0", "-1", "1e999999", "nan", "null", "\xe9", "\x85", "\u2028", "\ufeff"),
        *("\x00", '"\\UFFFFFFFF"', "!!python/object:os.system", "address: 1", "[[["),
    ]
)


@contextmanager
def written(plant: str, site: str, routing: str) -> Iterator[None]:
    before = Path.cwd()
    with TemporaryDirectory() as directory:
        routings = {"bracket.yaml": routing}
        write_site(Path(directory), plant=plant, site=site, routings=routings)
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


def said(texts: dict[str, str]) -> list[str]:
    """Load the site and return its problems; every one has a place and a text."""
    with written(texts["plant"], texts["site"], texts["routings"]):
        try:
            load_site(
                Path("config"), Path("routings"), environment={}, adapters=ADAPTERS
            )
        except SettingsError as error:
            lines = str(error).split("\n")
        else:
            return []
    assert all(LINE.fullmatch(line) for line in lines), lines
    return lines


def replaced(name: str, start: int, end: int, text: str) -> dict[str, str]:
    return FILES | {name: FILES[name][:start] + text + FILES[name][end:]}


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(KEYS), st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1))
def test_a_key_that_is_not_the_right_one_is_a_problem(
    key: tuple[str, tuple[int, int]], word: str
) -> None:
    name, (start, end) = key
    texts = replaced(name, start, end, word)

    assert bool(said(texts)) is (texts[name] != FILES[name])


@settings(deadline=None, max_examples=250)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_change_of_a_file_is_read_or_refused(
    name: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(FILES[name])))
    end = min(start + data.draw(st.integers(0, 12)), len(FILES[name]))
    text = "".join(data.draw(st.lists(PIECES, max_size=4)))

    said(replaced(name, start, end, text))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(FILES)), st.text())
def test_any_text_is_refused_or_read(name: str, text: str) -> None:
    said(FILES | {name: text})
