"""The core on a state in memory: each command is decided at its virtual time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide import decide
from mes_engine.core.laws import broken_laws
from mes_engine.core.layers import Table
from mes_engine.core.plant import Plant
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkReport, Sample
from mes_engine.core.state import TABLES, State
from mes_engine.runtime.memory import forget

ORIGIN = "simulation"
F = TypeVar("F")

Listener = Callable[[Sequence[f.Recorded]], None]


class SimulationStuck(RuntimeError):
    """What the simulation takes for granted was refused, or a law is broken: a bug."""


class VirtualShop:
    """A plant with its routings, decided upon by the engine's own core.

    Attributes:
        state: What is committed: every message is committed by itself.
        facts: How many there have been.
        commands: How many were decided, whatever the answer.
    """

    def __init__(self, plant: Plant, routings: Iterable[Routing], *, at: int) -> None:
        self.state = State(ORIGIN)
        self.facts = 0
        self.commands = 0
        self._sensed = 0
        self._only_written: tuple[Table[Any, Any], ...] = tuple(
            getattr(self.state, name)
            for name, spec in TABLES.items()
            if not spec.is_kept
        )
        self._listeners: list[Listener] = []
        self._heard: dict[type, list[Callable[[Any], None]]] = defaultdict(list)
        self.ok(m.ApplyPlant(plant=plant), at=at)
        for routing in routings:
            self.ok(m.ReleaseRouting(routing=routing), at=at)

    def listen(self, listener: Listener) -> None:
        """Let ``listener`` hear the facts of each message, once they are committed."""
        self._listeners.append(listener)

    def hear(self, kind: type[F], hears: Callable[[F], None]) -> None:
        """Let ``hears`` be told each fact of a kind, once it is committed."""
        self._heard[kind].append(hears)

    def do(self, command: m.Command, *, at: int, person: str = ORIGIN) -> m.Answer:
        """Let one command be decided and committed; return its answer."""
        self.commands += 1
        message = m.Commanded(
            origin=ORIGIN,
            key=str(self.commands),
            digest="",
            person=person,
            at=at,
            command=command,
        )
        answer = self._decided(message, at)
        if answer is None:
            raise SimulationStuck(f"no answer to {command}")
        return answer

    def sense(self, source: str, report: Sample | LinkReport, *, at: int) -> None:
        """Let the core hear what a link reports."""
        self._sensed += 1
        message = m.Sensed(source=source, epoch=1, n=self._sensed, report=report)
        self._decided(message, at)

    def _decided(self, message: m.Message, at: int) -> m.Answer | None:
        # Nobody reads beside it, and nothing is committed: one layer is enough.
        decision = decide(self.state, message, now=at)
        for table in self._only_written:
            table.own.clear()
        self.state.handled.trim(0)  # Nothing here is sent twice.
        self.facts += len(decision.facts)
        heard = self._heard
        for recorded in decision.facts:
            kind = type(recorded.fact)
            if kind in heard:
                for hears in heard[kind]:
                    hears(recorded.fact)
        for listener in self._listeners:
            listener(decision.facts)
        return decision.answer

    def ok(
        self, command: m.Command, *, at: int, person: str = ORIGIN
    ) -> dict[str, str]:
        """Do what has to be accepted; return its result.

        Raises:
            SimulationStuck: It was not.
        """
        answer = self.do(command, at=at, person=person)
        if answer.outcome is not m.Outcome.ACCEPTED:
            told = "; ".join((answer.message, *answer.unmet))
            raise SimulationStuck(f"{type(command).__name__}: {told}")
        return answer.result

    def check_laws(self) -> None:
        """Check L0 to L5 over all that is in memory.

        Raises:
            SimulationStuck: Names each break.
        """
        broken = list(broken_laws(self.state))
        if broken:
            raise SimulationStuck("; ".join(broken))

    def forget(self, requests: set[str]) -> None:
        """Drop what belongs to requests that are over, as a running engine does."""
        forget(self.state, requests)
        for request in requests:
            self.state.work_request.drop(request)
