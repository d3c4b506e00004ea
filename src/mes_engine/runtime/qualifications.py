"""The clock of the qualifications: tells the engine when one has expired."""

from collections.abc import Callable

import structlog

from mes_engine.core.messages import Commanded, ExpireQualifications
from mes_engine.core.personnel import CLOCK
from mes_engine.core.state import State
from mes_engine.ports import Submit
from mes_engine.runtime.delivery import deliver, digest_of
from mes_engine.runtime.jobs import Job, every
from mes_engine.runtime.pace import BackOff, Clock

log = structlog.stdlib.get_logger()

ORIGIN = "clock"
LOOK_EVERY_S = 0.5
"""How late, at most, it is noticed that one has expired; to load is asked exactly."""


def next_expiry_at(state: State) -> int | None:
    """Return when the next qualification expires; None if none ever does."""
    people = state.person.find("expires", CLOCK)
    times = (one.expires_at for one in people)
    return min((at for at in times if at is not None), default=None)


def qualifications_job(
    committed: State,
    submit: Submit,
    *,
    clock: Clock,
    patience: Callable[[], BackOff],
    look_every_s: float = LOOK_EVERY_S,
) -> Job:
    """Return the scheduled work that lets qualifications expire.

    Args:
        committed: The engine's state; for reading.
        submit: Hands the command to the engine.
        clock: Microseconds of UTC.
        patience: How long to wait between attempts while the engine takes nothing.
        look_every_s: How often to look whether one has expired.
    """
    second = every(1)
    last = 0

    def slot_at(now: int) -> int:
        nonlocal last
        due_at = next_expiry_at(committed)
        if due_at is not None and due_at <= now:
            last = max(last, second(now))
        return last

    async def expire(slot: int) -> None:
        now = clock()
        due_at = next_expiry_at(committed)
        if due_at is None or due_at > now:
            return  # The first look after a start, or somebody was quicker.
        command = ExpireQualifications()
        answer = await deliver(
            Commanded(
                origin=ORIGIN,
                key=f"qualifications/{slot}",
                digest=digest_of(command),
                person="",
                at=now,
                command=command,
            ),
            submit,
            patience(),
        )
        log.info("qualifications_expired", due_at=due_at, outcome=answer.outcome)

    return Job(name="qualifications", slot_at=slot_at, wake_s=look_every_s, work=expire)
