"""The clock of the signals: tells the engine when time alone has changed one.

It looks at the committed state only, so that it costs nothing while nothing is due. No
slot is claimed: to be told twice that time has passed changes nothing.
"""

import asyncio
from collections.abc import Callable

from mes_engine.core.messages import CheckSignals, Commanded
from mes_engine.core.state import State
from mes_engine.core.time_windows import CLOCK
from mes_engine.ports import Submit
from mes_engine.runtime.delivery import deliver, digest_of
from mes_engine.runtime.pace import BackOff, Clock

ORIGIN = "signal-clock"
LOOK_EVERY_S = 0.1
"""How late, at most, it is noticed that something is due."""


def next_due_at(state: State) -> int | None:
    """Return when time alone changes something next; None if it never does."""
    requests = (one.due_at for one in state.handshake.find("due", CLOCK))
    waits = (one.due_at for one in state.signal_watch.find("due", CLOCK))
    due = (one for one in (*requests, *waits) if one is not None)
    return min(due, default=None)


async def run_signal_clock(
    committed: State,
    submit: Submit,
    *,
    clock: Clock,
    patience: Callable[[], BackOff],
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Tell the engine the time whenever something is due, for as long as it lives.

    Args:
        committed: The engine's state; for reading.
        submit: Hands the command to the engine.
        clock: Microseconds of UTC.
        patience: How long to wait between attempts while the engine takes nothing.
        look_every_s: How often to look whether something is due.
    """
    while True:
        due_at, now = next_due_at(committed), clock()
        if due_at is not None and due_at <= now:
            command = CheckSignals()
            commanded = Commanded(
                origin=ORIGIN,
                key=f"{now}/{committed.seq}",
                digest=digest_of(command),
                person="",
                at=now,
                command=command,
            )
            await deliver(commanded, submit, patience())
        await asyncio.sleep(look_every_s)
