"""The steps of a routing and what leads from one to the other, each by itself.

ISA-95 calls them segments and their dependencies. How they make a graph is in
``routing``.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.characteristics import Characteristic
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.quantity import MILLION, ZERO


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
