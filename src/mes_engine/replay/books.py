"""What the engine's own books say of a replay: its facts, its totals, its laws."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.job_order import JobOrder
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.state import State
from mes_engine.replay.amounts import Amounts


class Bookings:
    """Sums what the engine commits, by the work unit whose run it is booked on."""

    def __init__(self, state: State) -> None:
        self.by_unit: dict[str, Amounts] = defaultdict(Amounts)
        self._back = {job.id for job in state.job_order.values() if _is_back(job)}
        self._units = {run.id: run.work_unit for run in state.run.values()}

    def hear(self, records: Sequence[f.Recorded]) -> None:
        """Take note of a commit: a tap of the feed."""
        for recorded in records:
            match recorded.fact:
                case f.RunOpened(run=run):
                    self._units[run.id] = run.work_unit
                case f.JobOrderStored(job_order=job) if _is_back(job):
                    self._back.add(job.id)
                case f.QuantityReported() as fact:
                    pieces = fact.good + fact.scrap + fact.suspect
                    self._add(
                        fact.run,
                        Amounts(
                            rows=1,
                            good=fact.good,
                            scrap=fact.scrap,
                            suspect=fact.suspect,
                            rework=pieces if fact.job_order in self._back else ZERO,
                        ),
                    )
                case f.TimeBooked() as fact:
                    self._add(
                        fact.run,
                        Amounts(
                            setup_s=_seconds(fact.setup_us),
                            processing_s=_seconds(fact.processing_us),
                            down_s=_seconds(fact.down_us),
                        ),
                    )
                case _:
                    pass

    def _add(self, run: str | None, amounts: Amounts) -> None:
        unit = "no run" if run is None else self._units[run]
        self.by_unit[unit] += amounts


def totals_of(state: State, requests: Collection[str]) -> Amounts:
    """Sum the totals of the requests' job orders, and what is suspect of them."""
    total = Amounts()
    for request in requests:
        for job in state.job_order.find("request", request):
            total += Amounts(
                rework=job.good + job.scrap if _is_back(job) else ZERO,
                good=job.good,
                scrap=job.scrap,
                setup_s=_seconds(job.setup_us),
                processing_s=_seconds(job.processing_us),
                down_s=_seconds(job.down_us),
            )
        for position in state.position.find("request", request):
            is_back = not position.is_stock and _is_pass_back(position.place)
            rework = position.suspect if is_back else ZERO
            total += Amounts(suspect=position.suspect, rework=rework)
    return total


def _is_back(job: JobOrder) -> bool:
    return _is_pass_back(job.visit)


def _is_pass_back(visit: str) -> bool:
    return not visit.endswith("/1")


def _seconds(microseconds: int) -> Decimal:
    return Decimal(microseconds) / MILLION
