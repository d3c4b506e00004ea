"""The demo's people: one at each work unit, at the terminal and at the machine's panel.

They do what the terminal shows them and nothing else: take the next job order, tell the
machine how many pieces to make, and complete when everything is accounted for.
"""

import asyncio
import random
from decimal import Decimal
from typing import Any

from mes_engine.demo.client import Api, Panels, RefusedByEngine

LOOK_S = 0.25
BENCH_SCRAP = 0.03
PAUSE_RATE = 0.2


class Operator:
    """Someone who works one work unit until told to go home."""

    def __init__(
        self, api: Api, panels: Panels, work_unit: str, rng: random.Random
    ) -> None:
        self._api = api
        self._panels = panels
        self._unit = work_unit
        self._rng = rng
        self._told: dict[str, Decimal] = {}
        self._paused: set[str] = set()

    async def work(self, *, has_machine: bool) -> None:
        """Work for as long as the task lives."""
        while True:
            shown = await self._api.get(f"/work-units/{self._unit}")
            jobs = shown["job_orders"]
            if not jobs:
                await self._take_next()
            for job in jobs:
                if has_machine:
                    await self._mind_machine(job)
                else:
                    await self._work_by_hand(job)
            await asyncio.sleep(LOOK_S)

    async def _take_next(self) -> None:
        try:
            await self._api.post(f"/work-units/{self._unit}/dispatch")
        except RefusedByEngine:
            return  # The machine is down, or someone was quicker: look again.

    async def _mind_machine(self, job: dict[str, Any]) -> None:
        if job["begin_on"] == "operator" and _may(job, "begin"):
            await self._fire(job, "begin")
            return
        due = _pieces_due(job)
        told = self._told.get(job["id"], Decimal(0))
        if due > told:
            # The machine first begins to run; the first count may begin the job order.
            self._told[job["id"]] = due
            await self._panels.start(self._unit, int(due - told))
        elif _may(job, "complete"):
            await self._fire(job, "complete")

    async def _work_by_hand(self, job: dict[str, Any]) -> None:
        if _may(job, "begin"):
            await self._fire(job, "begin")
        elif _may(job, "resume"):
            await self._fire(job, "resume")
        elif self._wants_a_break(job) and _may(job, "pause"):
            self._paused.add(job["id"])
            await self._fire(job, "pause", {"reason": "break"})
        elif _may(job, "complete"):
            await self._fire(job, "complete")
        elif _may(job, "report"):
            await self._report(job)

    def _wants_a_break(self, job: dict[str, Any]) -> bool:
        return job["id"] not in self._paused and self._rng.random() < PAUSE_RATE

    async def _report(self, job: dict[str, Any]) -> None:
        here = job["here"]
        if here is None:
            left, scrap = Decimal(job["to_do"]), 0
        else:
            left = Decimal(here["queued"]) + Decimal(here["in_process"])
            scrap = sum(self._rng.random() < BENCH_SCRAP for _ in range(int(left)))
        if left:
            body: dict[str, Any] = {"good": str(left - scrap)}
            if scrap:
                body["scrap"] = [{"quantity": str(scrap), "reason": "scratched"}]
            await self._fire(job, "report", body)

    async def _fire(
        self, job: dict[str, Any], trigger: str, body: dict[str, Any] | None = None
    ) -> None:
        try:
            await self._api.post(f"/job-orders/{job['id']}/{trigger}", body)
        except RefusedByEngine:
            return  # The page was a moment old: look again.


def _may(job: dict[str, Any], trigger: str) -> bool:
    return any(
        one["trigger"] == trigger and one["is_allowed"] for one in job["triggers"]
    )


def _pieces_due(job: dict[str, Any]) -> Decimal:
    """Return how many pieces the machine has had to make for this job order so far."""
    here = job["here"]
    worked = sum(
        (Decimal(job[word]) for word in ("good", "scrap", "lost", "tested")), Decimal(0)
    )
    if here is None:
        return Decimal(job["planned"])
    return worked + Decimal(here["queued"]) + Decimal(here["in_process"])
