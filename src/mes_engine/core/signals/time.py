"""Time: when something was so, by the device's clock or by ours, and how far they are.

A device's clock that goes wrong is found out, and its times are corrected by how far it
is off; a single late value is not taken for that.
"""

from enum import StrEnum

import msgspec

from mes_engine.core.samples import Origin, Sample

SKEWED_US = 5_000_000
"""A device's clock that differs more than this from ours is skewed."""
IN_A_ROW = 3
"""So many values in a row have to say so: one that is late is no clock."""


class TimeBasis(StrEnum):
    """By which clock a link's values are dated."""

    SOURCE = "source"
    CORRECTED = "corrected"


class LinkClock(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the clock behind a link.

    Attributes:
        offset_us: By how much ours is ahead of it; 0 while they agree.
        basis: ``corrected`` while it is skewed: then the offset is added.
        streak: How many values in a row have said otherwise.
        streak_us: The offset of the nearest of them.
        since: When the basis began, by our clock.
    """

    link: str
    offset_us: int = 0
    basis: TimeBasis = TimeBasis.SOURCE
    streak: int = 0
    streak_us: int = 0
    since: int = 0

    @property
    def is_skewed(self) -> bool:
        """Whether the device's clock is wrong."""
        return self.basis is TimeBasis.CORRECTED


def read_clock(known: LinkClock | None, sample: Sample, link: str) -> LinkClock | None:
    """Tell what is known of a link's clock after ``sample``; None if nothing is new."""
    if sample.source_at is None or sample.origin is not Origin.LIVE:
        return None  # Only what was told as it changed tells the time.
    off = sample.received_at - sample.source_at
    offset = 0 if known is None else known.offset_us
    if -SKEWED_US <= off - offset <= SKEWED_US:
        if known is None or not known.streak:
            return None
        return msgspec.structs.replace(known, streak=0, streak_us=0)
    known = known or LinkClock(link=link)
    # The least delayed of the values in a row tells best how far the clock is off.
    nearest = off if not known.streak else min(off, known.streak_us)
    if known.streak + 1 < IN_A_ROW:
        return msgspec.structs.replace(
            known, streak=known.streak + 1, streak_us=nearest
        )
    is_skewed = abs(nearest) > SKEWED_US
    return msgspec.structs.replace(
        known,
        offset_us=nearest if is_skewed else 0,
        basis=TimeBasis.CORRECTED if is_skewed else TimeBasis.SOURCE,
        streak=0,
        streak_us=0,
        since=sample.received_at,
    )


def corrected(sample: Sample, clock: LinkClock | None) -> Sample:
    """Return ``sample`` dated by our clock, where the device's is known to be wrong."""
    if clock is None or not clock.offset_us or sample.source_at is None:
        return sample
    at = sample.source_at + clock.offset_us
    return msgspec.structs.replace(sample, source_at=at)
