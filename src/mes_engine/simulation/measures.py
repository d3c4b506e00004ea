"""What came of a simulation: cycle time, on-time share, tardiness, WIP, utilisation.

Names and formulas as in ISO 22400-2 where it has them; WIP by Little's law over the
requests themselves, which is exact over the whole span (Little 1961).
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import WorkRequestState

_THOUSANDTH = Decimal("0.001")


class Flow(msgspec.Struct, kw_only=True):
    """A request on its way; times in microseconds of UTC, None before they are."""

    due_at: int
    quantity: Decimal
    released_at: int | None = None
    completed_at: int | None = None


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What a shop came to; times in seconds, shares between 0 and 1.

    Attributes:
        requests: How many were released.
        completed: How many of them came to their end.
        cycle_mean_s: From release to completion, of the completed; likewise the median
            and what 95 % do not exceed.
        on_time: The share of the completed that were completed by their due date.
        tardiness_mean_s: How late, on average over the completed; early counts as 0.
        wip_mean: Requests between release and completion, averaged over the span.
        wip_pieces_mean: Their pieces likewise.
        span_s: From the first release to the last completion.
        setup_s: Machine time that went into setups, and how many there were.
        utilisation: Of each work center that worked: its share of the span, over its
            active lanes, that was setup or processing.
    """

    requests: int
    completed: int
    cycle_mean_s: Decimal
    cycle_median_s: Decimal
    cycle_95_s: Decimal
    on_time: Decimal
    tardiness_mean_s: Decimal
    tardiness_max_s: Decimal
    wip_mean: Decimal
    wip_pieces_mean: Decimal
    span_s: Decimal
    setup_s: Decimal
    setups: int
    utilisation: dict[str, Decimal]


class Observer:
    """Hears the facts of a shop, and adds up.

    Attributes:
        flows: Every request that was heard of, by id.
    """

    def __init__(self, lanes: dict[str, int]) -> None:
        """Take the active lanes of each work center."""
        self.flows: dict[str, Flow] = {}
        self._lanes = lanes
        self._busy_us: dict[str, int] = defaultdict(int)
        self._setup_us = 0
        self._setups = 0

    def hear(self, records: Sequence[f.Recorded]) -> None:
        """Take note of what was committed."""
        for recorded in records:
            fact = recorded.fact
            match fact:
                case f.WorkRequestCreated():
                    request = fact.work_request
                    self.flows[request.id] = Flow(
                        due_at=request.due_at, quantity=request.quantity
                    )
                case f.WorkRequestChanged():
                    self._hear_request(fact, recorded.occurred_at)
                case f.RunChanged() if not fact.run.is_open:
                    run = fact.run
                    self._busy_us[run.work_center] += run.setup_us + run.processing_us
                    self._setup_us += run.setup_us
                    self._setups += bool(run.setup_us)

    def _hear_request(self, fact: f.WorkRequestChanged, at: int) -> None:
        flow = self.flows[fact.work_request]
        match fact.state:
            case WorkRequestState.RELEASED if flow.released_at is None:
                flow.released_at = at
            case WorkRequestState.COMPLETED:
                flow.completed_at = at
            case WorkRequestState.IN_PROGRESS:
                flow.completed_at = None  # A follow-on was stored: it goes on.

    def measures(self, now: int) -> Measures:
        """Return what it came to by ``now``."""
        released = [one for one in self.flows.values() if one.released_at is not None]
        began = min((_released(one) for one in released), default=now)
        ended = max((one.completed_at or now for one in released), default=now)
        span = max(ended - began, 1)
        done = [one for one in released if one.completed_at is not None]
        cycles = sorted(_stayed(one, ended) for one in done)
        late = [
            max(_stayed(one, ended) + _released(one) - one.due_at, 0) for one in done
        ]
        in_time = sum(1 for one in late if not one)
        return Measures(
            requests=len(released),
            completed=len(done),
            cycle_mean_s=_seconds(sum(cycles), len(cycles)),
            cycle_median_s=_seconds(_rank(cycles, 50)),
            cycle_95_s=_seconds(_rank(cycles, 95)),
            on_time=_share(in_time, len(done)),
            tardiness_mean_s=_seconds(sum(late), len(late)),
            tardiness_max_s=_seconds(max(late, default=0)),
            wip_mean=_share(sum(_stayed(one, ended) for one in released), span),
            wip_pieces_mean=_share(
                sum((_stayed(one, ended) * one.quantity for one in released), ZERO),
                span,
            ),
            span_s=_seconds(span),
            setup_s=_seconds(self._setup_us),
            setups=self._setups,
            utilisation={
                center: _share(busy, span * self._lanes.get(center, 1))
                for center, busy in sorted(self._busy_us.items())
            },
        )


def _released(flow: Flow) -> int:
    return 0 if flow.released_at is None else flow.released_at


def _stayed(flow: Flow, ended: int) -> int:
    completed = ended if flow.completed_at is None else flow.completed_at
    return completed - _released(flow)


def _rank(ordered: Sequence[int], percent: int) -> int:
    """Return the smallest value that ``percent`` of them do not exceed; 0 of none."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else 0


def _seconds(us: int, of: int = 1) -> Decimal:
    return _share(us, of * 1_000_000)


def _share(part: Decimal | int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(_THOUSANDTH) if whole else ZERO
