"""The core on a state in memory: each command is decided at its virtual time."""

from collections.abc import Callable, Iterable, Sequence

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide import decide
from mes_engine.core.laws import broken_laws
from mes_engine.core.plant import Plant
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.runtime.memory import forget

ORIGIN = "simulation"

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
        self._layer = self.state.layer()
        self.facts = 0
        self.commands = 0
        self._listeners: list[Listener] = []
        self.ok(m.ApplyPlant(plant=plant), at=at)
        for routing in routings:
            self.ok(m.ReleaseRouting(routing=routing), at=at)

    def listen(self, listener: Listener) -> None:
        """Let ``listener`` hear the facts of each message, once they are committed."""
        self._listeners.append(listener)

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
        decision = decide(self._layer, message, now=at)
        self._layer.merge()
        self._layer.clear()
        self.state.handled.trim(0)  # Nothing here is sent twice.
        self.facts += len(decision.facts)
        for listener in self._listeners:
            listener(decision.facts)
        if decision.answer is None:
            raise SimulationStuck(f"no answer to {command}")
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
