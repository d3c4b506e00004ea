"""The clock of the time windows: tells the engine when time alone has changed one.

It looks at the committed state only, so that it costs nothing while nothing is due. A
slot is the second in which something was found due; where the engine was down over that
moment, it is told as soon as it is up again.
"""

from collections.abc import Callable

import structlog

from mes_engine.core.messages import CheckTimeWindows, Commanded
from mes_engine.core.state import State
from mes_engine.core.time_windows import CLOCK
from mes_engine.ports import Submit
from mes_engine.runtime.delivery import deliver, digest_of
from mes_engine.runtime.jobs import Job, every
from mes_engine.runtime.pace import BackOff, Clock

log = structlog.stdlib.get_logger()

ORIGIN = "clock"
LOOK_EVERY_S = 0.5
"""How late, at most, it is noticed that something is due."""


def next_due_at(state: State) -> int | None:
    """Return when time alone changes a time window next; None if it never does."""
    windows = state.time_window.find("due", CLOCK)
    return min((one.due_at for one in windows if one.due_at is not None), default=None)


def time_windows_job(
    committed: State,
    submit: Submit,
    *,
    clock: Clock,
    patience: Callable[[], BackOff],
    look_every_s: float = LOOK_EVERY_S,
) -> Job:
    """Return the scheduled work that brings the time windows up to date.

    Args:
        committed: The engine's state; for reading.
        submit: Hands the command to the engine.
        clock: Microseconds of UTC.
        patience: How long to wait between attempts while the engine takes nothing.
        look_every_s: How often to look whether something is due.
    """
    second = every(1)
    last = 0

    def slot_at(now: int) -> int:
        nonlocal last
        due_at = next_due_at(committed)
        if due_at is not None and due_at <= now:
            last = max(last, second(now))
        return last

    async def check(slot: int) -> None:
        now = clock()
        due_at = next_due_at(committed)
        if due_at is None or due_at > now:
            return  # The first look after a start, or somebody was quicker.
        command = CheckTimeWindows()
        answer = await deliver(
            Commanded(
                origin=ORIGIN,
                key=f"time-windows/{slot}",
                digest=digest_of(command),
                person="",
                at=now,
                command=command,
            ),
            submit,
            patience(),
        )
        log.info("time_windows_checked", due_at=due_at, outcome=answer.outcome)

    return Job(name="time_windows", slot_at=slot_at, wake_s=look_every_s, work=check)
