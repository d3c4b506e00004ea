"""A shop in memory: messages go to ``decide`` in layers, as the engine does it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from mes_engine.core import messages as m
from mes_engine.core.carrier_laws import broken_aggregation_laws
from mes_engine.core.decide import decide
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import Fact, Recorded, SourceAdvanced
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.laws import broken_edge_laws, broken_laws
from mes_engine.core.plant import Plant
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import visit_id
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkReport, LinkState, Quality, Report, Sample
from mes_engine.core.state import State
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import HELD, SINKS, SOURCES
from tests.core.plants import LINK, a_plant
from tests.core.tables import kept_tables

SECOND = 1_000_000
MONDAY = 1_767_589_200 * SECOND
"""2026-01-05 05:00 UTC, six in the morning in the plant."""


class Shop:
    """The engine's committed state, the batch in hand, and the journal.

    Attributes:
        state: What is committed.
        batch: What is decided and not yet committed, on top of it.
        journal: The committed facts.
        pending: The facts of the batch.
        rows: What a database would hold: the committed changes of every table.
        at: The time of the last message.
    """

    def __init__(self, *routings: Routing, plant: Plant | None = None) -> None:
        self.state = State()
        self.batch = self.state.layer()
        self.journal: list[Recorded] = []
        self.pending: list[Recorded] = []
        self.rows: dict[str, dict[Any, Any]] = {}
        self.at = MONDAY
        self.sent = 0
        self.last: list[Recorded] = []
        self.changed: set[str] = set()
        self.ok(m.ApplyPlant(plant=plant or a_plant()))
        for routing in routings:
            self.ok(m.ReleaseRouting(routing=routing))

    @classmethod
    def without_a_plant(cls) -> Self:
        """Return a shop that nothing was ever said to."""
        shop = cls()
        shop.state = State()
        shop.batch, shop.pending = shop.state.layer(), []
        shop.journal, shop.rows = [], {}
        return shop

    def do(self, command: m.Command, **changed: Any) -> m.Answer:
        """Let one command be decided and committed, whatever its answer."""
        answer = self.decide(self.commanded(command, **changed))
        if answer is None:
            raise AssertionError(f"no answer to {command}")
        self.commit()
        return answer

    def ok(self, command: m.Command, **changed: Any) -> dict[str, str]:
        """Do what must be accepted; return the result, every law checked."""
        answer = self.do(command, **changed)
        assert answer.outcome is m.Outcome.ACCEPTED, answer
        assert self.broken_laws() == []
        return answer.result

    def refused(self, command: m.Command, **changed: Any) -> m.Answer:
        """Do what must be refused, and leave nothing but the answer behind."""
        answer = self.do(command, **changed)
        assert answer.outcome is m.Outcome.REFUSED, answer
        assert self.changed == {"handled"}
        return answer

    def malformed(self, command: m.Command, **changed: Any) -> m.Answer:
        """Do what no state would allow: nothing is kept of it at all."""
        answer = self.do(command, **changed)
        assert answer.outcome is m.Outcome.MALFORMED, answer
        assert self.changed == set()
        return answer

    def commanded(self, command: m.Command, **changed: Any) -> m.Commanded:
        """Put a command into a message with a key of its own."""
        self.sent += 1
        self.at += SECOND
        fields: dict[str, Any] = {
            "origin": "terminal",
            "key": str(self.sent),
            "digest": "",
            "person": "Maria",
            "at": self.at,
            "command": command,
        }
        return m.Commanded(**fields | changed)

    def sense(self, tag: str, value: Any, **changed: Any) -> list[Fact]:
        """Let a value be heard and committed; return the facts that follow."""
        self.hear(self.a_sample(tag, value, **changed))
        return self._heard()

    def link(self, state: LinkState) -> list[Fact]:
        """Let the link change its state."""
        self.at += SECOND
        self.hear(LinkReport(state=state, at=self.at))
        return self._heard()

    def _heard(self) -> list[Fact]:
        facts = [recorded.fact for recorded in self.last]
        self.commit()
        assert self.broken_laws() == []
        return facts

    def a_sample(self, tag: str, value: Any, **changed: Any) -> Sample:
        """Return a sample of good quality, a second after the last message."""
        self.at += SECOND
        fields: dict[str, Any] = {
            "tag": tag,
            "value": value,
            "quality": Quality.GOOD,
            "source_at": self.at,
            "received_at": self.at,
        }
        return Sample(**fields | changed)

    def hear(self, report: Report, link: str = LINK) -> None:
        """Let a link hear something, in the batch."""
        self.sent += 1
        self.decide(m.Sensed(source=link, epoch=1, n=self.sent, report=report))

    def decide(self, message: m.Message) -> m.Answer | None:
        """Decide a message on the batch, unless it was handled before."""
        self.last, self.changed = [], set()
        if isinstance(message, m.Commanded):
            known = self.batch.handled.get((message.origin, message.key))
            if known is not None:
                return known.answer
        elif self._is_repeat(message):
            return None
        layer = self.batch.layer()
        decision = decide(layer, message, now=self.at)
        self.last = list(decision.facts)
        self.changed = {name for name, table in layer.tables.items() if table.changes()}
        layer.merge()
        self.pending += decision.facts
        if isinstance(message, m.Sensed):
            self._advance(message)
        return decision.answer

    def _is_repeat(self, message: m.Sensed) -> bool:
        seen = self.batch.watermark.get(message.source)
        return seen is not None and (message.epoch, message.n) <= (seen.epoch, seen.n)

    def _advance(self, message: m.Sensed) -> None:
        recorded = Recorded(
            partition=self.batch.partition,
            seq=self.batch.seq + 1,
            occurred_at=self.at,
            recorded_at=self.at,
            cause=f"{message.source}/{message.epoch}/{message.n}",
            person="",
            fact=SourceAdvanced(
                source=message.source, epoch=message.epoch, n=message.n
            ),
        )
        evolve(self.batch, recorded)
        self.pending.append(recorded)

    def commit(self) -> None:
        """Make the batch last."""
        for name, table in self.batch.tables.items():
            rows = self.rows.setdefault(name, {})
            for key, value in table.changes().items():
                if value is None:
                    rows.pop(key, None)
                else:
                    rows[key] = value
        self.batch.merge()
        self.journal += self.pending
        self.batch, self.pending = self.state.layer(), []

    def throw_away(self) -> None:
        """Forget the batch, as after a commit that failed."""
        self.batch, self.pending = self.state.layer(), []

    def make(
        self, quantity: int = 100, *, request: str = "WR-1", **changed: Any
    ) -> str:
        """Create a work request and release it."""
        fields: dict[str, Any] = {
            "work_request": request,
            "routing": "R",
            "quantity": Decimal(quantity),
            "due_at": MONDAY,
        }
        self.ok(m.CreateWorkRequest(**fields | changed))
        self.ok(m.ReleaseWorkRequest(work_request=request))
        return request

    def load(self, step: str, unit: str = "", **changed: Any) -> str:
        """Load the step's job order on its first work unit, or on ``unit``."""
        job = self.job(step).id
        self.ok(m.LoadJobOrder(job_order=job, work_unit=unit or f"{step}-1", **changed))
        return job

    def begin(self, step: str, unit: str = "", *, in_process: int = 0) -> str:
        """Load the step's job order if need be, and begin it."""
        if self.job(step).state is JobOrderState.ALLOWED_READY:
            self.load(step, unit)
        job = self.job(step).id
        self.ok(m.BeginJobOrder(job_order=job, in_process=Decimal(in_process)))
        return job

    def report(self, step: str, good: int = 0, **changed: Any) -> dict[str, str]:
        """Report pieces of the step's job order."""
        return self.ok(self.a_report(step, good, **changed))

    def a_report(self, step: str, good: int = 0, **changed: Any) -> m.ReportQuantity:
        """Return a report on the step's job order."""
        job = self.job(step).id
        return m.ReportQuantity(job_order=job, good=Decimal(good), **changed)

    def fire(self, step: str, trigger: JobOrderTrigger) -> JobOrder:
        """Ask for a trigger of the step's job order that must be accepted."""
        return self.fire_of(self.job(step).id, trigger)

    def fire_of(self, job_order: str, trigger: JobOrderTrigger) -> JobOrder:
        """Ask for a trigger of a job order that must be accepted."""
        self.ok(m.AssertTrigger(job_order=job_order, trigger=trigger))
        return self.by_id(job_order)

    def complete(self, step: str) -> JobOrder:
        """Complete the step's job order."""
        return self.fire(step, JobOrderTrigger.COMPLETE)

    def run(self, step: str, good: int, unit: str = "") -> JobOrder:
        """Load, begin, report and complete the step's job order."""
        self.begin(step, unit)
        self.report(step, good)
        return self.complete(step)

    def receive(self, quantity: str, material: str = "steel", unit: str = "KGM") -> str:
        """Take material into stock; return its lot."""
        command = m.ReceiveMaterial(
            material=material, unit=unit, quantity=Decimal(quantity), supplier="S"
        )
        return self.ok(command)["lot"]

    def jobs(self, step: str, request: str = "WR-1") -> list[JobOrder]:
        """Return the job orders of a step, oldest first."""
        return self.state.job_order.find("visit", visit_id(request, step))

    def job(self, step: str, request: str = "WR-1") -> JobOrder:
        """Return the newest job order of a step."""
        return self.jobs(step, request)[-1]

    def by_id(self, job_order: str) -> JobOrder:
        """Return a job order."""
        job = self.state.job_order.get(job_order)
        assert job is not None
        return job

    def at_step(self, step: str, request: str = "WR-1") -> dict[str, int]:
        """Return the buckets at a step that are not empty."""
        positions = positions_of(self.state, self.job(step, request))
        amounts = {
            bucket.value: sum((one.of(bucket) for one in positions), ZERO)
            for bucket in (*HELD, *SOURCES, *SINKS)
        }
        return {name: int(amount) for name, amount in amounts.items() if amount}

    def stock(self, material: str = "bracket") -> Decimal:
        """Return what is in stock of a material."""
        found = self.state.position.find("material_in_stock", material)
        return sum((one.stock for one in found), ZERO)

    def facts(self, kind: type[Fact]) -> list[Any]:
        """Return the committed facts of a type."""
        return [one.fact for one in self.journal if isinstance(one.fact, kind)]

    def broken_laws(self) -> list[str]:
        """Return every break of the laws L0 to L5."""
        edges = self.rows.get("genealogy_edge", {}).values()
        positions = self.state.position.values()
        events = self.rows.get("aggregation_event", {})
        told = broken_aggregation_laws(
            (events[seq] for seq in sorted(events)),
            self.rows.get("lot", {}).values(),
            self.rows.get("carrier", {}).values(),
        )
        edge_laws = broken_edge_laws(edges, positions)
        return [*broken_laws(self.state), *edge_laws, *told]

    def kept(self) -> Mapping[str, dict[Any, Any]]:
        """Return the committed tables that stay in memory, as plain dictionaries."""
        return kept_tables(self.state)
