"""Routings: a released revision of a process, as a graph of steps.

ISA-95 calls these operations definition and segment. A routing is immutable once it is
released; a job order keeps the revision that it was stored with.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

import msgspec

from mes_engine.core.characteristics import Characteristic
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.time_windows import WindowRule

_RESTS_KEPT = 256
"""For how many quantities a routing remembers what is left of it."""


class JobPer(StrEnum):
    """How much of a visit is one job order."""

    REQUEST = "request"
    LOT = "lot"
    RUN = "run"


class BeginOn(StrEnum):
    """Who or what begins a loaded job order."""

    OPERATOR = "operator"
    FIRST_COUNT = "first_count"
    EXECUTING = "executing"


class ConnectionKind(StrEnum):
    """What passes along a connection between two steps."""

    QUANTITY = "quantity"
    ALTERNATIVE = "alternative"
    PRECEDENCE = "precedence"


class StepOrder(StrEnum):
    """Whether steps may be reported before the ones that feed them."""

    STRICT = "strict"
    FREE = "free"


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """Material consumed at a step: ``per_piece`` of ``unit`` for each piece worked."""

    material: str
    per_piece: Decimal
    unit: str


class OutputKind(StrEnum):
    """What comes out of a step beside its pieces."""

    CO_PRODUCT = "co_product"
    BY_PRODUCT = "by_product"
    RECOVERED = "recovered"


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Material that comes out of a step: ``per_piece`` of ``unit`` for each piece.

    Attributes:
        location: Where in stock it is put; empty for where finished pieces are.
    """

    material: str
    per_piece: Decimal
    unit: str
    kind: OutputKind
    location: str = ""


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How many of those that come to a step are worked there; the first one is.

    Attributes:
        every: One in so many; or else
        share: So large a share of them.
    """

    every: int = 1
    share: Decimal | None = None

    def takes(self, number: int) -> bool:
        """Whether the ``number``-th that comes, counted from 1, is worked."""
        if self.share is None:
            return (number - 1) % self.every == 0
        before, until = (self.share * (number - 1)), (self.share * number)
        return until.__ceil__() > before.__ceil__()

    def __str__(self) -> str:
        if self.share is None:
            return f"one in {self.every}"
        return f"a share of {self.share}"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a routing.

    Attributes:
        setup_s: Standard time to set up, in seconds, for each job order.
        run_s: Standard time to run, in seconds, for each piece.
        tools: The classes of the assets that it needs, one of each mention.
        qualification: What it asks of whoever loads and begins it.
        documents: The ids of those that it is worked by.
        kanban: How many pieces may wait for it while the steps before it begin new
            work; None for any number.
        sampling: Which lots, or requests, are worked; all of them if None.
        is_optional: Whether a person may let pieces skip it.
        characteristics: What is measured at it.
        skip_when: The condition on measured data under which a lot skips it.
        setup_family: What a work unit is set up for; empty for the material that the
            routing makes.
        same_unit_as: The step on whose work unit a lot has to be worked here as well
            (lot-to-tool dedication); empty for none.
    """

    id: str
    name: str
    work_center: str
    equipment_class: str
    job_per: JobPer = JobPer.REQUEST
    begin_on: BeginOn = BeginOn.OPERATOR
    setup_s: Decimal = ZERO
    run_s: Decimal = ZERO
    setup_family: str = ""
    same_unit_as: str = ""
    consumes: tuple[Component, ...] = ()
    produces: tuple[Output, ...] = ()
    tools: tuple[str, ...] = ()
    qualification: QualificationNeed | None = None
    documents: tuple[str, ...] = ()
    kanban: Decimal | None = None
    load_per_piece: Decimal = Decimal(1)
    sampling: Sampling | None = None
    is_optional: bool = False
    characteristics: tuple[Characteristic, ...] = ()
    skip_when: str = ""

    @property
    def may_be_skipped(self) -> bool:
        """Whether it is known only when pieces come, if they are worked at it."""
        return self.sampling is not None or bool(self.skip_when)

    def standard_us(self, pieces: Decimal) -> int:
        """Return the standard time of so many pieces with their setup."""
        return int((self.setup_s + self.run_s * pieces) * MILLION)


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What goes from one step to another.

    Attributes:
        transfer_batch: Pieces that wait before they move on together; None moves
            everything at once, when the job order ends.
        share: For several quantity connections out of one step, the share of the pieces
            that takes this one; the shares of a step add up to 1.
        when: The condition on measured data under which a lot takes this alternative;
            the first of those out of a step that holds.
        is_otherwise: Whether a lot takes it for which none of the others' holds.
    """

    kind: ConnectionKind
    source: str
    target: str
    transfer_batch: Decimal | None = None
    share: Decimal = Decimal(1)
    when: str = ""
    is_otherwise: bool = False

    @property
    def is_conditional(self) -> bool:
        """Whether measured data tells which lots take it."""
        return bool(self.when) or self.is_otherwise

    @property
    def carries_pieces(self) -> bool:
        """Whether pieces pass; precedence passes a token only."""
        return self.kind is not ConnectionKind.PRECEDENCE


class ReworkLoop(msgspec.Struct, frozen=True, kw_only=True):
    """A way back: pieces that are to be worked again at ``source`` go to ``target``.

    From there they follow the connections, each step in a pass of its own, until they
    have come past ``source`` again, or to a step that follows it.

    A target that no connection leads to is a step for rework only.

    Attributes:
        limit: How often a piece may take it; anew in each pass of a loop around it.
    """

    id: str
    source: str
    target: str
    limit: int = 1


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
