"""Clocks behind links: found out when they go wrong, and told."""

from mes_engine.core import facts as f
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.draft import Draft
from mes_engine.core.signals import LinkClock

SECOND = 1_000_000


def tell_clock(draft: Draft, known: LinkClock | None, clock: LinkClock) -> None:
    """Keep what is known of a link's clock; let people know when it is skewed."""
    draft.emit(f.LinkClockRead(clock=clock))
    name = f"{clock.link}/clock_skew"
    if clock.is_skewed and (known is None or known.offset_us != clock.offset_us):
        ahead = "behind" if clock.offset_us > 0 else "ahead of"
        raise_alarm(
            draft,
            name,
            "",
            code="clock_skew",
            text=f"The clock behind link {clock.link} is "
            f"{abs(clock.offset_us) / SECOND:.0f} s {ahead} ours; times are corrected",
        )
    elif not clock.is_skewed:
        clear_alarm(draft, name)
