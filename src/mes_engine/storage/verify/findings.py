"""What verify has found, and how much it has looked at."""

from dataclasses import dataclass

MOST_PROBLEMS = 1_000
CHAIN, ANCHOR = "chain", "anchor"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be.

    Attributes:
        what: A table, a column as ``table.column``, a ``law``, the ``ledger``, the
            ``chain`` or an ``anchor``.
        where: The key of the row; the law by its number.
        why: What is there, and what should be.
    """

    what: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} {self.where}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What verify found.

    Attributes:
        problems: At most ``MOST_PROBLEMS``: one lost fact can lead to very many.
        facts: How many facts were read; ``moves`` and ``rows`` were compared.
        links: How many links the chain of the journal has.
        unchecked: Facts that were not held against it, as no key was given.
        followed: Facts that were read along it, of all partitions.
        anchors: How many anchors it was held against.
        restored: Each time that somebody said that the journal was put back, in a
            sentence.
        laws: How many times a law was held against something.
        in_flight: Postings that are booked, and whose acknowledgement is not recorded.
    """

    problems: tuple[Problem, ...]
    facts: int
    links: int
    unchecked: int
    followed: int
    anchors: int
    restored: tuple[str, ...]
    moves: int
    rows: int
    laws: int
    in_flight: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    @property
    def broken_at(self) -> str | None:
        """Where the journal's chain is broken first; None if it holds."""
        chained = (one.where for one in self.problems if one.what in {CHAIN, ANCHOR})
        return next(chained, None)


class Findings:
    """A report in the making."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.facts = 0
        self.links = 0
        self.unchecked = 0
        self.followed = 0
        self.anchors = 0
        self.restored: list[str] = []
        self.moves = 0
        self.rows = 0
        self.laws = 0
        self.in_flight = 0

    def add(self, what: str, where: object, why: str) -> None:
        """Note a problem, unless there are too many to read already."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(what, str(where), why))

    def report(self) -> VerifyReport:
        """Return what was found."""
        return VerifyReport(
            problems=tuple(self.problems),
            facts=self.facts,
            links=self.links,
            unchecked=self.unchecked,
            followed=self.followed,
            anchors=self.anchors,
            restored=tuple(self.restored),
            moves=self.moves,
            rows=self.rows,
            laws=self.laws,
            in_flight=self.in_flight,
        )
