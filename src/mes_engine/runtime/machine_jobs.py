"""Have machines that serve job orders do what ours say, each thing once.

What is to be asked follows from what is committed: from our job order, and from what
the machine has told of its own. So a restart, a lost answer or a second look asks again
only what is still missing. What the machine answers is committed before the next thing
is asked; what it refuses is kept, shown, and asked again at a slow pace.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from mes_engine.core.errors import (
    Malformed,
    NotFound,
    OutcomeUnknown,
    Refused,
    SourceLost,
    SourceMisconfigured,
)
from mes_engine.core.facts import MachineJobChanged, Recorded, RunChanged, RunOpened
from mes_engine.core.job_control import JobOrderData, order_data
from mes_engine.core.job_order import JobOrder
from mes_engine.core.machine_jobs import (
    ANSWER_WITHIN_S,
    ECHO,
    NO_ERROR,
    JobMachine,
    JobVerb,
    MachineJob,
    wanted,
)
from mes_engine.core.messages import Outcome, RecordMachineJob
from mes_engine.core.runs import Run
from mes_engine.core.state import State
from mes_engine.ports import JobAnswer, JobMachines, Submit
from mes_engine.runtime.delivery import told
from mes_engine.runtime.pace import BackOff, Clock, Monotonic, engine_back_off

log = structlog.stdlib.get_logger()

ORIGIN = "machine-jobs"
TICK_S = 2.0
AGAIN_S = 30.0
"""How long until a machine is asked again what it has refused, or not answered."""


@dataclass(frozen=True, slots=True)
class _Missing:
    """Something that a machine is still to be asked."""

    link: str
    verb: JobVerb
    order: JobOrderData
    sent: str
    basis: tuple[object, ...]


class MachineJobs:
    """Asks machines, one thing at a time over each link.

    Attributes:
        asked: How many calls were answered with no error.
    """

    def __init__(
        self,
        machines: JobMachines,
        *,
        committed: State,
        submit: Submit,
        clock: Clock,
        tick_s: float = TICK_S,
        again_s: float = AGAIN_S,
        monotonic: Monotonic = time.monotonic,
        patience: Callable[[], BackOff] = engine_back_off,
    ) -> None:
        self.asked = 0
        self._machines = machines
        self._committed = committed
        self._submit = submit
        self._clock = clock
        self._tick_s = tick_s
        self._again_s = again_s
        self._monotonic = monotonic
        self._patience = patience
        self._busy: set[str] = set()
        self._vain: dict[tuple[str, str], tuple[tuple[object, ...], float]] = {}
        self._woken = asyncio.Event()

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit (a tap of the feed)."""
        if not self._has_machines():
            return
        if any(_may_matter(one) for one in records):
            self._woken.set()

    async def run(self) -> None:
        """Ask for as long as the task lives."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                for link in {one.link for one in self._missing()} - self._busy:
                    self._busy.add(link)
                    tasks.create_task(self._drain(link))
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._tick_s):
                await self._woken.wait()
        except TimeoutError:
            return

    def _has_machines(self) -> bool:
        state = self._committed
        return state.has_plant and bool(state.site.job_machines)

    async def _drain(self, link: str) -> None:
        """Ask all that is missing at one link."""
        try:
            with structlog.contextvars.bound_contextvars(link=link):
                while True:
                    found = [one for one in self._missing() if one.link == link]
                    if not found:
                        return
                    await self._ask(found[0])
        finally:
            self._busy.discard(link)

    def _missing(self) -> Iterator[_Missing]:
        """Go through what machines are to be asked, but for what was in vain lately."""
        if not self._has_machines():
            return
        state = self._committed
        for unit, machine in state.site.job_machines.items():
            names = [
                name
                for run in state.run.find("work_unit", unit)
                for name in run.job_orders
            ]
            names += [
                one.job_order
                for one in state.machine_job.find("link", machine.link)
                if one.work_unit == unit
            ]
            for name in dict.fromkeys(names):
                job = state.job_order.get(name)
                found = None if job is None else self._of(job, unit, machine)
                if found is not None and not self._was_vain(found):
                    yield found

    def _of(self, job: JobOrder, unit: str, machine: JobMachine) -> _Missing | None:
        state = self._committed
        known = state.machine_job.get((job.id, machine.link))
        run = None if job.run is None else state.run.get(job.run)
        on_it: Run | None = None
        if run is not None and run.is_open:
            if run.work_unit == unit:
                on_it = run
            elif run.work_unit in state.site.units_served_over(machine.link):
                return None  # It is asked for where it is.
        order = order_data(state, job)
        sent = "/".join(
            map(str, (order.due_at, order.priority, order.makes.quantity, unit))
        )
        verb = wanted(job, on_it, machine, known, sent=sent)
        if verb is None:
            return None
        basis = (verb, job.state, None if known is None else _basis(known))
        return _Missing(machine.link, verb, order, sent, basis)

    def _was_vain(self, missing: _Missing) -> bool:
        vain = self._vain.get((missing.order.id, missing.link))
        if vain is None or vain[0] != missing.basis:
            return False
        return self._monotonic() < vain[1]

    async def _ask(self, missing: _Missing) -> None:
        """Ask one thing, and have the answer committed.

        What leads to a state is committed before, so that whoever finds the machine in
        it knows why, even where the answer was lost with us.
        """
        name, verb = missing.order.id, missing.verb
        is_told = verb not in ECHO or self._is_unanswered(missing)
        if not is_told and not await self._record(missing, status=None):
            self._remember_vain(missing, self._tick_s)
            return
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._machines.ask_job(missing.link, verb, missing.order)
        except SourceLost as lost:
            log.debug("machine_not_asked", job_order=name, verb=verb, reason=str(lost))
            self._remember_vain(missing, self._tick_s)
            return
        except (OutcomeUnknown, TimeoutError) as lost:
            # What came of it the machine's list will tell.
            answer = JobAnswer(status=0, problem=f"not answered. {lost}".strip())
        except (Refused, Malformed, NotFound, SourceMisconfigured) as refused:
            answer = JobAnswer(status=0, problem=str(refused))
        if answer.status == NO_ERROR:
            self.asked += 1
            self._vain.pop((name, missing.link), None)
        else:
            log.warning(
                "machine_refused", job_order=name, verb=verb, reason=answer.problem
            )
        is_kept = await self._record(missing, answer.status, answer.problem)
        if not is_kept or answer.status != NO_ERROR:
            pause_s = self._again_s if answer.status else self._tick_s
            self._remember_vain(missing, pause_s)

    def _remember_vain(self, missing: _Missing, pause_s: float) -> None:
        """Do not ask the same again at once, as long as nothing is another."""
        until = self._monotonic() + pause_s
        job = self._committed.job_order.get(missing.order.id)
        known = self._committed.machine_job.get((missing.order.id, missing.link))
        if job is not None:
            state = None if known is None else _basis(known)
            basis = (missing.verb, job.state, state)
            self._vain[missing.order.id, missing.link] = (basis, until)

    def _is_unanswered(self, missing: _Missing) -> bool:
        """Whether it is known already that just this is asked."""
        known = self._committed.machine_job.get((missing.order.id, missing.link))
        return known is not None and known.is_unanswered and known.asked is missing.verb

    async def _record(
        self, missing: _Missing, status: int | None, problem: str = ""
    ) -> bool:
        """Tell the engine what a machine is asked, or has answered.

        Returns whether the engine has taken it.
        """
        command = RecordMachineJob(
            job_order=missing.order.id,
            link=missing.link,
            verb=missing.verb,
            status=status,
            problem=problem,
            sent=missing.sent,
        )
        answer = await told(
            command,
            origin=ORIGIN,
            key=f"{missing.order.id}/{missing.verb}/{self._committed.seq}",
            at=self._clock(),
            submit=self._submit,
            back_off=self._patience(),
        )
        return answer is not None and answer.outcome is Outcome.ACCEPTED


def _basis(known: MachineJob) -> tuple[object, ...]:
    return (known.state, known.sent)


def _may_matter(recorded: Recorded) -> bool:
    fact = recorded.fact
    if isinstance(fact, (MachineJobChanged, RunOpened, RunChanged)):
        return True
    return getattr(fact, "job_order", None) is not None
