"""Routings: a released revision of a process, as a graph of steps.

ISA-95 calls these operations definition and segment. A routing is immutable once it is
released; a job order keeps the revision that it was stored with.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cached_property
from operator import attrgetter

import msgspec

from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.quantity import ZERO
from mes_engine.core.steps import (
    Connection,
    ConnectionKind,
    Output,
    ReworkLoop,
    Step,
    StepOrder,
)
from mes_engine.core.time_windows import WindowRule

_RESTS_KEPT = 256
"""For how many quantities a routing remembers what is left of it."""


class Routing(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A revision of a process that makes ``unit`` of ``material``.

    Attributes:
        over_tolerance: Share of the quantity that may be made beyond it (0.05: 5 %).
        under_tolerance: Share that may be missing when a job order is completed, with
            a reason; what is missing is booked as lost.
        step_order: ``free`` for a shop that books its steps as it comes: a step may
            begin before pieces have come to it, and what it reports beyond what came
            is found there, within ``over_tolerance``.
        rework: The declared ways back.
        deviation: What it asks of whoever skips a step, or sends pieces another way.
        time_windows: How long a lot may, or has to, be between two steps.
    """

    id: str
    revision: str
    material: str
    unit: str
    steps: tuple[Step, ...]
    connections: tuple[Connection, ...]
    over_tolerance: Decimal = ZERO
    under_tolerance: Decimal = ZERO
    step_order: StepOrder = StepOrder.STRICT
    rework: tuple[ReworkLoop, ...] = ()
    deviation: QualificationNeed | None = None
    time_windows: tuple[WindowRule, ...] = ()

    def step(self, step: str) -> Step:
        """Return the step with this id.

        Raises:
            KeyError: There is none.
        """
        return self._step_of[step]

    def leaving(self, step: str) -> tuple[Connection, ...]:
        """Return the connections out of ``step``, as declared."""
        return self._leaving.get(step, ())

    def reaching(self, step: str) -> tuple[Connection, ...]:
        """Return the connections into ``step``, as declared."""
        return self._reaching.get(step, ())

    def waits_for(self, step: str) -> tuple[str, ...]:
        """Return the steps whose end ``step`` waits for, without their pieces."""
        return self._waits_for.get(step, ())

    @cached_property
    def _waits_for(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for one in self.connections:
            if not one.carries_pieces:
                found[one.target] = (*found.get(one.target, ()), one.source)
        return found

    def loop(self, loop: str) -> ReworkLoop:
        """Return the rework loop with this id.

        Raises:
            KeyError: There is none.
        """
        return self._loops[loop]

    def leads_to(self, source: str, step: str, *, by_tokens: bool = False) -> bool:
        """Whether pieces can come from one step to another, rework apart.

        Args:
            source: From where.
            step: Where to.
            by_tokens: Whether what only a token reaches counts as well.
        """
        asked = source, step, by_tokens
        known = self._led.get(asked)
        if known is None:
            known = self._led[asked] = self._finds(source, step, by_tokens=by_tokens)
        return known

    def after(self, step: str) -> frozenset[str]:
        """Return the steps that pieces can come to from ``step``, rework apart."""
        return frozenset(self.beyond(step, by_tokens=False))

    def body(self, loop: str) -> frozenset[str]:
        """Return the steps that are worked in passes of the loop's own."""
        known = self._bodies.get(loop)
        if known is None:
            one = self.loop(loop)
            within = self.after(one.target) | {one.target}
            known = self._bodies[loop] = within - self.after(one.source)
        return known

    @cached_property
    def components(self) -> tuple[str, ...]:
        """The materials that any of its steps consumes."""
        found = (part.material for step in self.steps for part in step.consumes)
        return tuple(dict.fromkeys(found))

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """What comes out of any of its steps beside the pieces."""
        return tuple(one for step in self.steps for one in step.produces)

    @cached_property
    def entry_ids(self) -> frozenset[str]:
        """The ids of ``entries``."""
        return frozenset(one.id for one in self.entries)

    @cached_property
    def has_alternatives(self) -> bool:
        """Whether pieces take one of several ways somewhere."""
        return any(one.kind is ConnectionKind.ALTERNATIVE for one in self.connections)

    @cached_property
    def has_conditions(self) -> bool:
        """Whether measured data tells the way somewhere."""
        return any(one.is_conditional for one in self.connections)

    @cached_property
    def has_kanban(self) -> bool:
        """Whether the buffer before any of its steps has a limit."""
        return any(one.kanban is not None for one in self.steps)

    @cached_property
    def _loops(self) -> dict[str, ReworkLoop]:
        return {one.id: one for one in self.rework}

    # Found once a routing: a fab's has hundreds of steps, asked for with each report.

    @cached_property
    def _step_of(self) -> dict[str, Step]:
        return {one.id: one for one in reversed(self.steps)}

    @cached_property
    def _leaving(self) -> dict[str, tuple[Connection, ...]]:
        return _by_end(self.connections, attrgetter("source"))

    @cached_property
    def _reaching(self) -> dict[str, tuple[Connection, ...]]:
        return _by_end(self.connections, attrgetter("target"))

    def bound_by(self, step: str) -> frozenset[str]:
        """Return the later steps that are to be worked where ``step`` was."""
        return self._bound_by.get(step, frozenset())

    @cached_property
    def _bound_by(self) -> dict[str, frozenset[str]]:
        binding = {one.same_unit_as for one in self.steps if one.same_unit_as}
        return {
            step: frozenset(one.id for one in self.steps if one.same_unit_as == step)
            for step in binding
        }

    def windows_from(self, step: str) -> tuple[WindowRule, ...]:
        """Return the rules of the time windows that start with ``step``."""
        return self._windows_from.get(step, ())

    @cached_property
    def _windows_from(self) -> dict[str, tuple[WindowRule, ...]]:
        found: dict[str, list[WindowRule]] = {}
        for one in self.time_windows:
            found.setdefault(one.source, []).append(one)
        return {step: tuple(ones) for step, ones in found.items()}

    @cached_property
    def _led(self) -> dict[tuple[str, str, bool], bool]:
        return {}  # Kept of what was asked: few pairs of steps are near each other.

    @cached_property
    def _bodies(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _rank(self) -> dict[str, int]:
        """A number of each step that is above those of all that lead to it."""
        waits_for = {one.id: len(self.reaching(one.id)) for one in self.steps}
        ready = [step for step, count in waits_for.items() if count == 0]
        rank: dict[str, int] = {}
        while ready:
            step = ready.pop()
            rank[step] = len(rank)
            for one in self.leaving(step):
                waits_for[one.target] -= 1
                if waits_for[one.target] == 0:
                    ready.append(one.target)
        return rank

    def _finds(self, source: str, step: str, *, by_tokens: bool) -> bool:
        rank = self._rank
        seen = {source}
        frontier = [source]
        while frontier:
            for one in self.leaving(frontier.pop()):
                counts = by_tokens or one.carries_pieces
                if counts and rank[one.target] <= rank[step]:
                    if one.target == step:
                        return True
                    if one.target not in seen:
                        seen.add(one.target)
                        frontier.append(one.target)
        return False

    def rest_us(self, step: str, pieces: Decimal) -> int:
        """Return the longest path of standard times after ``step``, in microseconds."""
        rests = self._rests.get(pieces)
        if rests is None:
            if len(self._rests) >= _RESTS_KEPT:
                del self._rests[next(iter(self._rests))]
            rests = self._rests[pieces] = self._longest_paths(pieces)
        return rests[step]

    @cached_property
    def _rests(self) -> dict[Decimal, dict[str, int]]:
        return {}

    def _longest_paths(self, pieces: Decimal) -> dict[str, int]:
        rests: dict[str, int] = {}
        for step in self._last_first:
            rests[step] = max(
                (
                    self.step(one.target).standard_us(pieces) + rests[one.target]
                    for one in self.leaving(step)
                ),
                default=0,
            )
        return rests

    @property
    def in_order(self) -> Iterator[str]:
        """The steps, each after those that lead to it."""
        return reversed(self._last_first)

    @cached_property
    def _last_first(self) -> list[str]:
        to_come = {one.id: len(self.leaving(one.id)) for one in self.steps}
        found = [step for step, count in to_come.items() if count == 0]
        for step in found:  # It grows while it is read.
            for one in self.reaching(step):
                to_come[one.source] -= 1
                if to_come[one.source] == 0:
                    found.append(one.source)
        return found

    def beyond(self, step: str, *, by_tokens: bool = True) -> set[str]:
        """Return every step that can be reached from ``step``, if only by a token."""
        found: set[str] = set()
        asked = [step]
        while asked:
            for one in self.leaving(asked.pop()):
                counts = by_tokens or one.carries_pieces
                if counts and one.target not in found:
                    found.add(one.target)
                    asked.append(one.target)
        return found

    def holds_pieces(self, step: str) -> bool:
        """Whether pieces pass through ``step``; else it works on a token.

        A step reached by precedence alone, in a routing whose pieces enter elsewhere,
        has no pieces of its own.
        """
        inward = self.reaching(step)
        return not inward or any(one.carries_pieces for one in inward)

    @property
    def entries(self) -> tuple[Step, ...]:
        """The steps that nothing leads to: where pieces are started.

        Those that only rework leads to are none, as long as there is another.
        """
        first = tuple(one for one in self.steps if not self.reaching(one.id))
        ways_back = {one.target for one in self.rework}
        return tuple(one for one in first if one.id not in ways_back) or first[:1]


def _by_end(
    connections: tuple[Connection, ...], end: Callable[[Connection], str]
) -> dict[str, tuple[Connection, ...]]:
    found: dict[str, list[Connection]] = {}
    for one in connections:
        found.setdefault(end(one), []).append(one)
    return {step: tuple(ones) for step, ones in found.items()}
