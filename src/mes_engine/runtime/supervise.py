"""Keep one link running: pass on what it says, reconnect, log an outage once.

Each link has a task of its own and never takes another down: only cancellation and the
end of the engine end it, besides settings that no reconnecting would mend.
"""

import time

import structlog

from mes_engine.core.errors import (
    Overloaded,
    SourceLost,
    SourceMisconfigured,
    SourceRefused,
)
from mes_engine.core.samples import (
    EventSample,
    LinkReport,
    LinkState,
    Report,
    Sample,
    SampleGroup,
)
from mes_engine.ports import Emit, Link
from mes_engine.runtime.pace import BackOff, Clock, Monotonic

log = structlog.stdlib.get_logger()

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0
REFUSED_PAUSE_S = 300.0
"""A wrong password that is tried again and again locks the account."""
STEADY_S = 5.0
"""A connection that lasted so long was a good one: the next pause is short again."""


async def supervise(
    source: str,
    link: Link,
    emit: Emit,
    *,
    clock: Clock,
    lost_at: int | None = None,
    back_off: BackOff | None = None,
    monotonic: Monotonic = time.monotonic,
) -> None:
    """Run ``link`` again and again, passing on what it says.

    Returns only if the link is misconfigured, or nothing more is taken.

    Args:
        source: The link's id.
        link: What to run.
        emit: Where to pass it on to.
        clock: For the reports that it makes itself.
        lost_at: Since when nothing is known of the device; None for now.
        back_off: The pauses between two lives of the link.
        monotonic: How long a life lasted.
    """
    watched = _Watched(emit, clock=clock)
    pause = back_off or BackOff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
    with structlog.contextvars.bound_contextvars(link=source):
        try:
            await watched.report_down("Not connected since the start.", at=lost_at)
            while True:
                began = monotonic()
                watched.has_delivered = False
                least_s = await _live_once(link, watched)
                if least_s is None:
                    return
                if watched.has_delivered and monotonic() - began >= STEADY_S:
                    pause.reset()
                await pause.wait(least_s)
        except Overloaded:
            log.info("link_ended", reason="Nothing more is taken.")


async def _live_once(link: Link, watched: "_Watched") -> float | None:
    """Run the link until it ends.

    Returns:
        How many seconds to wait at least until the next life; None if there is none.
    """
    try:
        await link.run(watched.emit)
    except (Overloaded, MemoryError):
        raise
    except SourceMisconfigured as wrong:
        log.error("link_misconfigured", reason=str(wrong))
        await watched.report_down(str(wrong))
        return None
    except SourceRefused as refused:
        await watched.lost(refused)
        return REFUSED_PAUSE_S
    except SourceLost as lost:
        await watched.lost(lost)
    except Exception as error:
        if watched.is_news(error):
            log.exception("link_failed", error=type(error).__name__)
        await watched.lost(error)
    else:
        await watched.lost(SourceLost("The connection ended."))
    return 0


class _Watched:
    """What one link has said so far, over all its lives."""

    def __init__(self, emit: Emit, *, clock: Clock) -> None:
        self.has_delivered = False
        self._emit = emit
        self._clock = clock
        self._is_lost = False
        self._last: tuple[LinkState, str] | None = None
        self._seen: set[type[Exception]] = set()

    async def emit(self, report: Report) -> None:
        """Take note of a report and pass it on."""
        if isinstance(report, Sample | SampleGroup | EventSample):
            self.has_delivered = True
            self._answers()
        elif isinstance(report, LinkReport):
            self._last = (report.state, report.reason)
            if report.state is LinkState.CONNECTED:
                self._answers()
        await self._emit(report)

    async def lost(self, error: Exception) -> None:
        """Say that the connection is gone: in the log once, until it is back."""
        reason = str(error) or type(error).__name__
        if not self._is_lost:
            self._is_lost = True
            log.warning("link_lost", reason=reason)
        await self.report_down(reason)

    def is_news(self, error: Exception) -> bool:
        """Whether this outage has not seen such an error before."""
        is_news = type(error) not in self._seen
        self._seen.add(type(error))
        return is_news

    async def report_down(self, reason: str, *, at: int | None = None) -> None:
        """Tell the engine that nothing is known of the device, if it is news."""
        if self._last == (LinkState.DISCONNECTED, reason):
            return
        since = self._clock() if at is None else at
        await self.emit(
            LinkReport(state=LinkState.DISCONNECTED, at=since, reason=reason)
        )

    def _answers(self) -> None:
        if self._is_lost:
            self._is_lost = False
            self._seen.clear()
            log.info("link_recovered")
