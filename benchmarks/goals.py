"""Goals: ratios within one run, and whether each was reached."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One line of the page.

    Attributes:
        name: What is held against what.
        found: The median of the rounds' ratios.
        wanted: The figure to reach: at least, or, for a bound, at most.
    """

    name: str
    found: float
    wanted: float
    is_bound: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether it is as good as wanted."""
        if self.is_bound:
            return self.found <= self.wanted
        return self.found >= self.wanted

    def __str__(self) -> str:
        word = "at most" if self.is_bound else "at least"
        verdict = "reached" if self.is_reached else "NOT reached"
        return f"{self.name}: {self.found:.2f} (goal {word} {self.wanted:g}: {verdict})"


def median_of_ratios(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios within each round."""
    return statistics.median(
        one / other for one, other in zip(ours, theirs, strict=True)
    )
