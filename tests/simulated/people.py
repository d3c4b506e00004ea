"""People at terminals: they send, lose the answer, and send again."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random

from mes_engine.core import messages as m
from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.postings import SETTLED, PostingState
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.state import State
from mes_engine.runtime.engine import Engine
from tests.core import finishing
from tests.core.whole_engine import WholeEngine
from tests.simulated import wishes

ROUTINGS = WholeEngine.routings
MOST_REQUESTS = 6
TWICE = 0.1


class Person:
    """One who works at a terminal, through all the lives of the engine.

    Attributes:
        answered: Every answer that came, by key, with what was sent.
        accepted: How often a command of a type was accepted.
        sent: How often something was sent.
    """

    def __init__(self, name: str, rng: Random, now: Callable[[], int]) -> None:
        self.name = name
        self.answered: dict[str, tuple[m.Commanded, m.Answer]] = {}
        self.accepted: Counter[str] = Counter()
        self.sent = 0
        self._rng = rng
        self._now = now
        self._waits_for: m.Commanded | None = None

    async def work(self, engine: Engine) -> None:
        """Do one thing after another; ask again for what was not answered."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 0.02))
            if self._waits_for is None:
                self._waits_for = self._next(engine.committed)
            sent = self._waits_for
            self.sent += 1
            try:
                async with asyncio.timeout(self._rng.uniform(0.001, 2)):
                    answer = await self._sent(engine, sent)
            except (Overloaded, OutcomeUnknown, TimeoutError):
                continue
            self._heard(sent, answer)
            self._waits_for = None

    async def _sent(self, engine: Engine, sent: m.Commanded) -> m.Answer:
        """Send it, or press twice at once: it is done once, and told alike."""
        times = 2 if self._rng.random() < TWICE else 1
        answers = await asyncio.gather(*(engine.submit(sent) for _ in range(times)))
        first = answers[0]
        if first.outcome in m.KEPT:
            assert answers == [first] * times, f"{sent.key} was told {answers}"
        return first

    def _heard(self, sent: m.Commanded, answer: m.Answer) -> None:
        before = self.answered.get(sent.key)
        if before is not None and before[1].outcome in m.KEPT:
            assert answer == before[1], f"{sent.key} was answered twice, differently"
        elif answer.outcome is m.Outcome.ACCEPTED:
            self.accepted[type(sent.command).__name__] += 1
        self.answered[sent.key] = sent, answer

    def _next(self, state: State) -> m.Commanded:
        if self.answered and self._rng.random() < 0.1:
            return self._rng.choice(list(self.answered.values()))[0]
        found = list(self._wishes(state))
        number = len(self.answered) + 1
        return m.Commanded(
            origin=self.name,
            key=f"{self.name}-{number}",
            digest="",
            person=self.name,
            at=self._now(),
            command=found[0],
        )

    def _wishes(self, state: State) -> Iterator[m.Command]:
        rng = self._rng
        requests = list(state.work_request.values())
        planned = [one for one in requests if not one.is_released]
        live = finishing.live_jobs(state)
        if planned and rng.random() < 0.5:
            yield m.ReleaseWorkRequest(work_request=rng.choice(planned).id)
        if len(live) < MOST_REQUESTS and rng.random() < 0.5:
            yield self._request(state)
        unsettled = [one for one in state.posting.values() if one.state not in SETTLED]
        if unsettled and rng.random() < 0.2:
            yield m.RecordPosting(
                posting=rng.choice(unsettled).key, state=PostingState.ACKNOWLEDGED
            )
        holds = [one for one in state.hold.values() if one.is_open]
        if holds and rng.random() < 0.3:
            yield m.ReleaseHold(hold=rng.choice(holds).id, resumes=rng.random() < 0.5)
        if live:
            job = rng.choice(live)
            if rng.random() < 0.25:
                yield self._disturbance(job)
            if rng.random() < 0.25:
                yield wishes.of_a_job(rng, state, job)
            if rng.random() < 0.15:
                yield wishes.of_the_floor(rng, state, self._now())
            yield from finishing.next_commands(
                state, job, Decimal(rng.choice([0, 1, 2, 5]))
            )
            yield self._disturbance(job)
        yield m.ReceiveMaterial(
            material="steel", unit="KGM", quantity=Decimal(50), supplier="S"
        )

    def _request(self, state: State) -> m.Command:
        number = state.last_number("job_order")
        return m.CreateWorkRequest(
            work_request=f"WR-{self.name}-{number}",
            routing=self._rng.choice(ROUTINGS).id,
            quantity=Decimal(self._rng.choice([1, 2, 7, 10])),
            due_at=self._now(),
            lot_size=self._rng.choice([None, None, Decimal(3)]),
        )

    def _disturbance(self, job: JobOrder) -> m.Command:
        rng = self._rng
        ways: list[m.Command] = [
            m.PauseJobOrder(
                job_order=job.id, reason="break", gives_up_slot=rng.random() < 0.5
            ),
            m.OpenHold(
                scope=HoldScope.JOB_ORDER,
                target=job.id,
                reason="crack",
                mode=rng.choice([HoldMode.STOP_NOW, HoldMode.AFTER_RUN]),
            ),
            m.StopJobOrder(
                job_order=job.id,
                remainder=rng.choice(list(m.Remainder)),
                reason="early",
            ),
            m.AbortJobOrder(job_order=job.id, reason="crash", signature="Ana"),
            m.AssertTrigger(
                job_order=job.id, trigger=rng.choice(list(JobOrderTrigger)), reason="so"
            ),
            m.ReportQuantity(
                job_order=job.id,
                good=Decimal(rng.choice([-1, 0, 1, 3, 1000])),
                suspect=Decimal(rng.choice([0, 1])),
                reason="because",
            ),
        ]
        return rng.choice(ways)
