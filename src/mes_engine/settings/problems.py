"""Problems in settings files: collected while reading, told all at once."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from mes_engine.core.errors import SettingsError


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong at one place of one file.

    Attributes:
        key: Dotted, as in the file: ``links.cell.url``. Empty for the whole file.
    """

    file: str
    position: Position
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.position.line}:{self.position.column}"
        line = ": ".join(part for part in (place, self.key, self.text) if part)
        return "".join(one if one.isprintable() else _escaped(one) for one in line)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class Problems:
    """The problems found so far, over all files of a site."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Position, str], Problem] = {}

    def add(self, problem: Problem) -> None:
        """Keep ``problem``; at one place the first counts."""
        place = (problem.file, problem.position, problem.key)
        self._found.setdefault(place, problem)

    def raise_any(self) -> None:
        """Refuse the settings if there was a problem.

        Raises:
            SettingsError: One line a problem, in the order of the files.
        """
        if self._found:
            lines = [str(one) for one in sorted(self._found.values())]
            raise SettingsError("\n".join(lines))


def guess(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean '...'?`` with the nearest of ``known``, or nothing.

    Example:
        >>> guess("adress", ["address", "type"])
        "; did you mean 'address'?"
        >>> guess("colour", ["address", "type"])
        ''
    """
    by_folded = {one.casefold(): one for one in sorted(known, reverse=True)}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.55)
    return f"; did you mean '{by_folded[near[0]]}'?" if near else ""
