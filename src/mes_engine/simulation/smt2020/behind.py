"""What a lot leaves behind: dropped from memory, as soon as no law speaks of it.

A route has hundreds of steps and the fab thousands of lots. A step that all pieces have
passed, with neither sources nor sinks there, adds nothing to any law: what came to it
has gone on. In a running engine it stays for corrections; nobody corrects here.
"""

from mes_engine.core import facts as f
from mes_engine.core.readiness import routing_of
from mes_engine.core.runs import Run
from mes_engine.core.wip_ledger import SINKS, SOURCES, Bucket
from mes_engine.runtime.memory import forget
from mes_engine.simulation.shop import VirtualShop

_SPEAKS = (*SOURCES, *SINKS, Bucket.STOCK)


class Behind:
    """Forgets steps that are behind a lot, and lots that are out."""

    def __init__(self, shop: VirtualShop) -> None:
        self._state = shop.state
        self._closed: list[Run] = []
        self._ended: list[str] = []
        shop.hear(f.RunChanged, self._run_changed)
        shop.hear(f.TimeWindowSatisfied, lambda fact: self._ended.append(fact.window))
        shop.hear(f.TimeWindowPassed, lambda fact: self._ended.append(fact.window))
        shop.hear(f.TimeWindowVoided, lambda fact: self._ended.append(fact.window))

    def _run_changed(self, fact: f.RunChanged) -> None:
        if not fact.run.is_open:
            self._closed.append(fact.run)

    def leave(self, job_order: str) -> None:
        """Drop a job order that is completed, with its visit and what was there."""
        state = self._state
        while self._closed:
            run = self._closed.pop()
            state.run.drop(run.id)
            for member in run.job_orders:
                state.run_member.drop((member, run.id))
        while self._ended:
            state.time_window.drop(self._ended.pop())
        job = state.job_order.get(job_order)
        if job is None or not job.is_over:
            return
        visit = state.visit.get(job.visit)
        positions = state.position.find("place", job.visit)
        is_silent = not any(
            one.held or any(one.of(bucket) for bucket in _SPEAKS) for one in positions
        )
        if visit is None or not visit.is_done or not is_silent:
            return
        for position in positions:
            state.position.drop((position.lot, position.place))
        for one in routing_of(state, job).reaching(job.step):
            state.connection_flow.drop((job.request, one.source, one.target))
        state.visit.drop(visit.id)
        state.job_order.drop(job.id)

    def forget_over(self, requests: set[str]) -> None:
        """Drop lots that are out, and what of them is in stock: it has left the fab."""
        state = self._state
        stocked = [
            position
            for request in requests
            for position in state.position.find("request", request)
            if position.is_stock
        ]
        forget(state, requests)
        for request in requests:
            state.work_request.drop(request)
        for position in stocked:
            state.position.drop((position.lot, position.place))
            state.lot.drop(position.lot)
