"""What came of the fab's run: throughput, cycle time by product, and the balance."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from statistics import fmean, median

import msgspec

from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.state import State
from mes_engine.core.wip_ledger import SINKS, Bucket, Move
from mes_engine.simulation.smt2020.lots import Lot

DAY_US = 86_400 * 1_000_000
_SUNK = frozenset(SINKS)
_OPEN = frozenset({WorkRequestState.RELEASED, WorkRequestState.IN_PROGRESS})


class ProductReport(msgspec.Struct, frozen=True, kw_only=True):
    """One product over the whole span; times in days.

    Attributes:
        in_process: Lots that were there at the start.
        released: Lots started since.
        completed: Lots that came out, of both.
        wip: Lots that are there at the end.
        measured: Lots both started and completed in the span: those of the cycle times.
        on_time: Share of the completed that were not late.
    """

    part: str
    in_process: int
    released: int
    completed: int
    wip: int
    pieces: int
    lots_a_day: float
    measured: int
    cycle_mean: float
    cycle_median: float
    cycle_95: float
    on_time: float


class FabMeasures:
    """Counts lots in, out and on the floor, and every piece besides.

    Attributes:
        operations: Lots' operations that were completed.
        setups: How often a tool was set up.
        kept_setups: How often a lot was taken so that a setup ran its least.
        reworked: How often a lot was sent back to be worked again.
        windows_kept: Time windows whose end came in time.
        windows_violated: Those whose end did not; a lot counts for each of its own.
        pieces: By bucket: pieces started, put into stock, sunk.
    """

    def __init__(self, parts: Iterable[str]) -> None:
        self.operations = 0
        self.setups = 0
        self.kept_setups = 0
        self.reworked = 0
        self.windows_kept = 0
        self.windows_violated = 0
        self.pieces: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self._parts = tuple(parts)
        self._initial: Counter[str] = Counter()
        self._released: Counter[str] = Counter()
        self._completed: Counter[str] = Counter()
        self._pieces_out: Counter[str] = Counter()
        self._in_time: Counter[str] = Counter()
        self._cycles: dict[str, list[int]] = defaultdict(list)

    def enter(self, lot: Lot) -> None:
        """Count a lot that comes in."""
        (self._initial if lot.is_initial else self._released)[lot.part] += 1

    def leave(self, lot: Lot, now: int) -> None:
        """Count a lot that goes out."""
        self._completed[lot.part] += 1
        self._pieces_out[lot.part] += lot.pieces
        self._in_time[lot.part] += now <= lot.due
        if not lot.is_initial:
            self._cycles[lot.part].append(now - lot.began_at)

    def move(self, move: Move) -> None:
        """Count pieces that come onto the floor or leave it."""
        if move.bucket is Bucket.STARTED:
            self.pieces["started"] += move.quantity
        elif move.to_bucket is Bucket.STOCK:
            self.pieces["finished"] += move.quantity
        elif move.to_bucket in _SUNK:
            self.pieces["sunk"] += move.quantity

    def unbalanced(self, state: State, lots_there: int) -> str:
        """Say what does not add up: lots or pieces lost or doubled; empty if nothing.

        The pieces on the floor are those of the core's own positions, the lots those of
        its work requests.
        """
        came = self._initial.total() + self._released.total()
        open_requests = sum(
            1 for one in state.work_request.values() if one.state in _OPEN
        )
        if came != self._completed.total() + lots_there:
            return f"{came} lots in, {self._completed.total()} out, {lots_there} there"
        if open_requests != lots_there:
            return f"{lots_there} lots are there, {open_requests} requests are open"
        floor = sum((one.on_floor for one in state.position.values()), ZERO)
        pieces = self.pieces
        if pieces["started"] != pieces["finished"] + pieces["sunk"] + floor:
            return f"{dict(pieces)} and {floor} on the floor"
        return ""

    def products(self, span_us: int) -> tuple[ProductReport, ...]:
        """Return each product's figures over ``span_us``."""
        return tuple(self._product(part, span_us) for part in self._parts)

    def _product(self, part: str, span_us: int) -> ProductReport:
        days = sorted(one / DAY_US for one in self._cycles[part])
        completed = self._completed[part]
        came = self._initial[part] + self._released[part]
        return ProductReport(
            part=part,
            in_process=self._initial[part],
            released=self._released[part],
            completed=completed,
            wip=came - completed,
            pieces=self._pieces_out[part],
            lots_a_day=round(completed * DAY_US / span_us, 3),
            measured=len(days),
            cycle_mean=round(fmean(days), 3) if days else 0.0,
            cycle_median=round(median(days), 3) if days else 0.0,
            cycle_95=round(days[-(-len(days) * 95 // 100) - 1], 3) if days else 0.0,
            on_time=round(self._in_time[part] / completed, 4) if completed else 0.0,
        )
