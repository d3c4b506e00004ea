"""A decision in the making: facts go into a layer of the state as they are found."""

from mes_engine.core import facts as f
from mes_engine.core.errors import NotFound
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import (
    AT_WORK,
    READY,
    WAITING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.means import Asker
from mes_engine.core.requests import WorkRequest
from mes_engine.core.state import State


class Draft:
    """What one message does, so far.

    Attributes:
        state: The layer that its facts go into, and that later questions are asked of.
        now: When the engine took the message up; the ``recorded_at`` of its facts.
        at: When it happened, by its source.
        told_at: By which it is held against what people did: clocks of machines differ.
        heard_at: When we heard of it, by our own clock.
        touched: Job orders that something was done with, and whether their conditions
            may be others now.
        lots: Those that came into stock.
        is_into_open_period: Whether what is posted goes into the open period, whatever
            day it is of.
        records: The facts, in order.
    """

    def __init__(
        self,
        state: State,
        *,
        now: int,
        at: int,
        cause: str,
        person: str,
        told_at: int | None = None,
        heard_at: int | None = None,
    ) -> None:
        self.state = state
        self.now = now
        self.at = at
        self.told_at = at if told_at is None else told_at
        self.heard_at = at if heard_at is None else heard_at
        self.cause = cause
        self.person = person
        self.touched: dict[str, bool] = {}
        self.lots: dict[str, None] = {}
        self.is_into_open_period = False
        self.records: list[f.Recorded] = []

    @property
    def next_seq(self) -> int:
        """The number that the next fact gets."""
        return self.state.seq + 1

    def emit(self, fact: f.Fact) -> None:
        """Let ``fact`` have happened."""
        state = self.state
        recorded = f.Recorded(
            partition=state.partition,
            seq=state.seq + 1,
            occurred_at=self.at,
            recorded_at=self.now,
            cause=self.cause,
            person=self.person,
            fact=fact,
        )
        evolve(state, recorded)
        self.records.append(recorded)

    def touch(self, *job_orders: str) -> None:
        """Note that the conditions of these job orders may have changed."""
        for one in job_orders:
            self.touched[one] = True

    def came(self, lot: str) -> None:
        """Note that a lot came into stock, which a hold may wait for."""
        self.lots[lot] = None

    def touch_needing(self, need: str) -> None:
        """Note that something that these job orders need is no longer as it was."""
        for job in self.state.job_order.find("needs", need):
            self.touch(job.id)

    @property
    def asker(self) -> Asker:
        """Who does this, and when it happened."""
        return Asker(person=self.person, at=self.at)

    def job(self, job_order: str) -> JobOrder:
        """Return the job order.

        Raises:
            NotFound: There is none of that id.
        """
        job = self.state.job_order.get(job_order)
        if job is None:
            raise NotFound(f"There is no job order '{job_order}'.")
        return job

    def request(self, work_request: str) -> WorkRequest:
        """Return the work request.

        Raises:
            NotFound: There is none of that id.
        """
        request = self.state.work_request.get(work_request)
        if request is None:
            raise NotFound(f"There is no work request '{work_request}'.")
        return request

    def move_state(
        self,
        job: JobOrder,
        trigger: JobOrderTrigger,
        state: JobOrderState,
        *,
        reason: str = "",
    ) -> JobOrder:
        """Take ``job`` along a row of the chart, and return it as it is then."""
        self.emit(
            f.JobOrderMoved(
                job_order=job.id,
                trigger=trigger,
                source=job.state,
                state=state,
                at=self.at,
                person=self.person,
                reason=reason,
            )
        )
        moved = self.job(job.id)
        if _asks_otherwise(job, moved):
            self.touch(job.id)
        else:
            self.touched.setdefault(job.id, False)
        return moved


def _asks_otherwise(before: JobOrder, after: JobOrder) -> bool:
    """Whether a job order's own state means other conditions to it, or them to it."""
    return (
        bool(after.needs)
        or (after.state in READY and before.state not in READY | WAITING)
        or before.begun_at != after.begun_at
        or (before.state in AT_WORK) != (after.state in AT_WORK)
    )
