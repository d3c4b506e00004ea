"""What rows add up to: pieces and booked time, exact."""

from dataclasses import dataclass, fields
from decimal import Decimal

from mes_engine.core.quantity import ZERO

_HOUR_S = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """A number of rows, and the sums of what they say.

    Attributes:
        rework: Of the pieces, those that were worked again.
        unknown_s: Seconds of rows that do not tell what the time was spent on.
    """

    rows: int = 0
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    suspect: Decimal = ZERO
    rework: Decimal = ZERO
    setup_s: Decimal = ZERO
    processing_s: Decimal = ZERO
    down_s: Decimal = ZERO
    unknown_s: Decimal = ZERO

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(
            **{name: getattr(self, name) + getattr(other, name) for name in _NAMES}
        )

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(
            **{name: getattr(self, name) - getattr(other, name) for name in _NAMES}
        )

    @property
    def pieces(self) -> Decimal:
        """Pieces, whatever became of them."""
        return self.good + self.scrap + self.suspect

    @property
    def hours(self) -> Decimal:
        """Booked time of every kind, to a hundredth of an hour."""
        seconds = self.setup_s + self.processing_s + self.down_s + self.unknown_s
        return (seconds / _HOUR_S).quantize(Decimal("0.01"))

    def plain(self) -> dict[str, str | int]:
        """Return it for JSON, decimals as text."""
        told = {name: str(getattr(self, name)) for name in _NAMES[1:]}
        return {"rows": self.rows, **told, "hours": str(self.hours)}


_NAMES = tuple(one.name for one in fields(Amounts))
