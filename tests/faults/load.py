"""The load: people who plan, who work at the bench, and who mind a machine.

Each works until the shift is over, and ends after a command that was answered.
"""

import asyncio
import random
from typing import Any

from tests.faults.people import Body, Person

BENCH = "inspect-1"
DUE = "2030-01-01T00:00:00Z"
GAUGE: Body = {
    "id": "gauge",
    "revision": "A",
    "material": "GAUGE-1",
    "unit": "C62",
    "steps": [
        {
            "id": "10",
            "name": "Measure",
            "work_center": "INSPECTION",
            "equipment_class": "inspection",
        },
        {
            "id": "20",
            "name": "Label",
            "work_center": "INSPECTION",
            "equipment_class": "labelling",
        },
    ],
}
BLANK: Body = {
    "id": "blank",
    "revision": "A",
    "material": "BLANK-1",
    "unit": "C62",
    "steps": [
        {
            "id": "10",
            "name": "Press",
            "work_center": "PRESSING",
            "equipment_class": "pressing-100t",
            "begin_on": "first_count",
        }
    ],
}


class Shift:
    """When work ends, and the pause between two commands of a person."""

    def __init__(self, seed: str, *, pause_s: float = 0.02) -> None:
        self.is_over = False
        self._seed = seed
        self._pause_s = pause_s

    def chance(self, person: Person) -> random.Random:
        """Return a person's own luck, the same for the same seed."""
        return random.Random(f"{self._seed}/{person.name}")

    async def goes_on(self) -> bool:
        """Take a breath; whether there is still work to do."""
        await asyncio.sleep(self._pause_s)
        return not self.is_over


async def work_at_bench(person: Person, shift: Shift) -> None:
    """Make gauges by hand, both steps, and report them in parts."""
    rng, number = shift.chance(person), 0
    while await shift.goes_on():
        number += 1
        request = f"G-{person.name}-{number:05}"
        await order(person, request, "gauge", rng.randint(2, 9))
        for step in ("10", "20"):
            if shift.is_over:
                return
            job = await job_of(person, request, step)
            await person.done(f"/job-orders/{job}/load", {"work_unit": BENCH})
            await person.done(f"/job-orders/{job}/begin")
            await _report_all(person, job, shift, rng)


async def _report_all(
    person: Person, job: str, shift: Shift, rng: random.Random
) -> None:
    here = (await person.get(f"/job-orders/{job}"))["here"]
    left = there = int(here["queued"]) + int(here["in_process"])
    while left and await shift.goes_on():
        if rng.random() < 0.2:  # too early: refused, and that answer counts too
            early = await person.command(f"/job-orders/{job}/complete")
            assert not early.is_done, early
        now = rng.randint(1, left)
        body: Body = {"good": str(now)}
        if 1 < now < there and rng.random() < 0.3:
            body = {
                "good": str(now - 1),
                "scrap": [{"quantity": "1", "reason": "scratched"}],
            }
        await person.done(f"/job-orders/{job}/report", body)
        left -= now
    if not left:
        await person.done(f"/job-orders/{job}/complete")


async def plan(person: Person, shift: Shift) -> None:
    """Plan, release and give up requests that nobody works on."""
    rng, number = shift.chance(person), 0
    while await shift.goes_on():
        number += 1
        request = f"P-{number:05}"
        await order(person, request, rng.choice(["gauge", "blank"]), 1)
        again = await person.command("/work-requests", _order(request, "gauge", 2))
        assert not again.is_done, again
        await person.done(f"/work-requests/{request}/cancel", {"reason": "not wanted"})


async def mind_machine(person: Person, unit: str, shift: Shift) -> None:
    """Make blanks on a machine that counts by itself; scrap one by hand at times."""
    rng, number = shift.chance(person), 0
    while await shift.goes_on():
        number += 1
        request = f"B-{unit}-{number:05}"
        await order(person, request, "blank", rng.randint(3, 20))
        job = await job_of(person, request, "10")
        await person.done(f"/job-orders/{job}/load", {"work_unit": unit})
        while await shift.goes_on():
            shown = await person.get(f"/job-orders/{job}")
            if _may(shown, "complete"):
                await person.done(f"/job-orders/{job}/complete")
                break
            if _may(shown, "report") and rng.random() < 0.1:
                body = {"scrap": [{"quantity": "1", "reason": "bent"}]}
                # The machine may have counted the last one in between: refused then.
                await person.command(f"/job-orders/{job}/report", body)
        else:
            return


async def order(person: Person, request: str, routing: str, quantity: int) -> None:
    """Plan a request and release it."""
    await person.done("/work-requests", _order(request, routing, quantity))
    await person.done(f"/work-requests/{request}/release")


def _order(request: str, routing: str, quantity: int) -> Body:
    return {
        "work_request": request,
        "routing": routing,
        "quantity": str(quantity),
        "due_at": DUE,
    }


async def job_of(person: Person, request: str, step: str) -> str:
    """Return the id of the request's job order at ``step``."""
    shown = await person.get(f"/work-requests/{request}")
    return next(str(job["id"]) for job in shown["job_orders"] if job["step"] == step)


def _may(job: dict[str, Any], trigger: str) -> bool:
    return any(
        one["trigger"] == trigger and one["is_allowed"] for one in job["triggers"]
    )
