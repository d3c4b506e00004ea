"""How a shop is driven at random: messages, batches, and what must hold."""

import sys
from collections import Counter
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import JOB_ORDER_CHART as CHART
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.plant import Plant
from mes_engine.core.quantity import ZERO
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from tests.core import finishing, watch
from tests.core.restarting import Doubled
from tests.core.tables import kept_tables

ENOUGH = 4
COUNTERS = ("cut-1.good", "mill-1.good", "mill-1.scrap", "pack-1.good")


class Driving(RuleBasedStateMachine):
    """A shop in memory, and what must hold of it after each thing that is done.

    Attributes:
        answers: How often commands of a type were answered how, over all examples.
    """

    answers: ClassVar[Counter[tuple[type[m.Command], m.Outcome]]] = Counter()

    def __init__(self, *routings: Routing, plant: Plant | None = None) -> None:
        super().__init__()
        self.shop = Doubled(*routings, plant=plant)
        self.shadow = State()
        self.followed = self.checked = 0
        self.sent: list[tuple[m.Commanded, m.Answer]] = []
        self.counts = dict.fromkeys(COUNTERS, 0)
        self.lag = 0

    # Repeats and batches

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 100))
    def repeat(self, *, pick: int) -> None:
        """The same message gets the same answer, and does nothing."""
        message, answer = self.sent[-1 - pick % len(self.sent)]
        seq = self.shop.batch.seq
        again = self.shop.decide(message)
        if answer.outcome in m.KEPT:
            assert again == answer
            assert self.shop.batch.seq == seq

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 100))
    def say_again_afresh(self, *, pick: int) -> None:
        """What was meant for another moment comes late, and is a message of its own."""
        self.do(self.sent[-1 - pick % len(self.sent)][0].command)

    @precondition(lambda self: self.shop.sensed)
    @rule(pick=st.integers(0, 20))
    def hear_again(self, *, pick: int) -> None:
        """A link tells again what it told: nothing comes of it."""
        sensed = self.shop.sensed[-1 - pick % len(self.shop.sensed)]
        seen = self.shop.batch.watermark.get(sensed.source)
        seq = self.shop.batch.seq
        self.shop.decide(sensed)
        if seen is not None and sensed.n <= seen.n:
            assert self.shop.batch.seq == seq

    @rule(is_loaded=st.booleans())
    def restart(self, *, is_loaded: bool) -> None:
        """What is loaded, or not forgotten, decides from here on as all that is."""
        self.shop.restart(is_loaded=is_loaded)

    @rule()
    def commit(self) -> None:
        self.shop.commit()

    @rule()
    def lose_the_batch(self) -> None:
        self.shop.throw_away()
        kept = {(one.origin, one.key) for one in self.shop.state.handled.values()}
        self.sent = [
            (message, answer)
            for message, answer in self.sent
            if (message.origin, message.key) in kept
        ]

    # How it is done

    def do(self, command: m.Command) -> m.Answer:
        lag, self.lag = self.lag, 0
        message = self.shop.commanded(command)
        message = msgspec.structs.replace(message, at=message.at - lag)
        committed = self.shop.kept()
        seq = self.shop.batch.seq
        before = watch.states(self.shop.batch)
        answer = self.shop.decide(message)
        assert answer is not None
        self.answers[type(command), answer.outcome] += 1
        if answer.outcome is not m.Outcome.ACCEPTED:
            is_kept = answer.outcome in m.KEPT
            assert self.shop.changed == ({"handled"} if is_kept else set())
            assert self.shop.batch.seq == seq + is_kept
            assert answer.message
        else:
            assert answer.seq == self.shop.batch.seq - 1
        assert self.shop.kept() == committed
        watch.check_states(before, self.shop.batch, self.shop.last)
        self.sent.append((message, answer))
        return answer

    def sense(self, tag: str, value: Any, **changed: Any) -> None:
        before = watch.states(self.shop.batch)
        self.shop.hear(self.shop.a_sample(tag, value, **changed))
        watch.check_states(before, self.shop.batch, self.shop.last)

    def job(self, pick: int, trigger: JobOrderTrigger | None = None) -> str:
        """Return a job order's id: mostly one whose state takes the trigger."""
        jobs = sorted(self.shop.batch.job_order.values(), key=lambda one: one.number)
        fitting = [job for job in jobs if not job.is_over]
        if trigger is not None:
            fitting = [job for job in jobs if CHART.row(job.state, trigger)]
        chosen = fitting if fitting and pick < 10 else jobs
        return chosen[pick % len(chosen)].id if chosen else "JO-none"

    def of(self, request: str) -> list[JobOrder]:
        """Return the job orders of a request that are not over, oldest first."""
        found = self.shop.batch.job_order.find("live_of", request)
        return sorted(found, key=lambda one: one.number)

    def go_on(self, name: str, good: Decimal = ZERO, *, steps: int) -> None:
        """Do what comes next with a job order: ``good`` pieces, or all there are."""
        for _ in range(steps):
            job = self.shop.batch.job_order.get(name)
            if job is not None:
                for command in finishing.next_commands(self.shop.batch, job, good):
                    self.do(command)

    def new_request(
        self, routing: str, quantity: int, *, lot_size: Decimal | None = None
    ) -> str:
        """Create and release a request besides those that there are; return it.

        Of a routing by which enough is made already, return one that is not over.
        """
        known = [
            one
            for one in self.shop.batch.work_request.values()
            if one.id.startswith("MORE-")
        ]
        going = [one.id for one in known if one.routing == routing and self.of(one.id)]
        if len(going) >= ENOUGH:
            return going[-1]
        name = f"MORE-{len(known)}"
        command = m.CreateWorkRequest(
            work_request=name,
            routing=routing,
            quantity=Decimal(quantity),
            due_at=self.shop.at,
            lot_size=lot_size,
        )
        self.do(command)
        self.do(m.ReleaseWorkRequest(work_request=name))
        return name

    def posting(self, pick: int) -> str:
        keys = list(self.shop.batch.posting.values())
        return keys[pick % len(keys)].key if keys else "none"

    # What must hold

    @invariant()
    def every_law_holds(self) -> None:
        if self.checked == self.shop.batch.seq:
            return
        self.checked = self.shop.batch.seq
        assert (found := watch.broken(self.shop.batch)) == [], found
        assert (found := watch.broken_tallies(self.shop)) == [], found
        assert (found := watch.broken_clocks(self.shop)) == [], found
        assert (found := watch.broken_shares(self.shop)) == [], found
        assert (found := watch.broken_labour(self.shop)) == [], found

    @invariant()
    def a_rebuild_from_the_journal_is_the_same(self) -> None:
        news = self.shop.journal[self.followed :]
        for recorded in news:
            assert recorded.seq == self.shadow.seq + 1
            body = f.encoded(recorded.fact)
            fact = f.decoded(body, version=f.FACT_VERSION)
            assert fact == recorded.fact
            evolve(self.shadow, watch.with_fact(recorded, fact))
        if not news:
            return
        self.followed = len(self.shop.journal)
        live = self.shop.kept()
        assert kept_tables(self.shadow) == live
        for name, rows in live.items():
            assert self.shop.rows[name] == rows
        assert (found := self.shop.broken_laws()) == [], found

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            finishing.finish(self.shop)
            self.a_rebuild_from_the_journal_is_the_same()
