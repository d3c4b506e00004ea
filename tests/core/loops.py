"""Shops with rework loops, and how to work in the passes of one."""

from decimal import Decimal
from typing import Any

import msgspec

from mes_engine.core import messages as m
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import ReworkLoop
from mes_engine.core.wip_ledger import HELD
from tests.core.plants import a_plant, a_routing, flows
from tests.core.shop import Shop
from tests.core.tables import kept_tables
from tests.core.watch import broken


def again(source: str, target: str, limit: int = 1, **changed: Any) -> ReworkLoop:
    """A loop that is named after where it leads to."""
    fields: dict[str, Any] = {
        "id": f"to-{target}",
        "source": source,
        "target": target,
        "limit": limit,
    }
    return ReworkLoop(**fields | changed)


def with_a_loop(limit: int = 1, **changed: Any) -> Routing:
    """Cut, mill, drill, pack; what is found at drilling is milled again."""
    loop = again("drill", "mill", limit)
    return a_routing("cut", "mill", "drill", "pack", **{"rework": (loop,)} | changed)


def with_a_step_of_its_own() -> Routing:
    """Cut, drill, pack; what is found at drilling is milled, and drilled again."""
    ways = (("cut", "drill"), ("drill", "pack"), ("mill", "drill"))
    connections = tuple(flows(*one) for one in ways)
    return a_routing(
        "cut",
        "drill",
        "pack",
        "mill",
        connections=connections,
        rework=(again("drill", "mill"),),
    )


def wide(*routings: Routing) -> Shop:
    """A shop whose work units take many job orders at a time."""
    plant = a_plant()
    units = tuple(msgspec.structs.replace(one, active=9) for one in plant.work_units)
    return Shop(*routings, plant=msgspec.structs.replace(plant, work_units=units))


def live(shop: Shop, step: str, pass_number: int = 1) -> JobOrder:
    """Return the job order of a pass that is not over."""
    jobs = shop.state.job_order.find("visit", f"WR-1/{step}/{pass_number}")
    (job,) = [one for one in jobs if not one.is_over]
    return job


def rework(
    shop: Shop, job: JobOrder, quantity: int, loop: str, **changed: Any
) -> dict[str, str]:
    """Send pieces of a job order back."""
    return shop.ok(a_rework(job, quantity, loop, **changed))


def a_rework(
    job: JobOrder, quantity: int | str, loop: str, **changed: Any
) -> m.SendToRework:
    """Return the command to send pieces of a job order back."""
    fields: dict[str, Any] = {
        "job_order": job.id,
        "quantity": Decimal(quantity),
        "loop": loop,
        "reason": "burr",
    }
    return m.SendToRework(**fields | changed)


def begin(shop: Shop, job: JobOrder, in_process: int = 0) -> JobOrder:
    """Load and begin a job order."""
    job = shop.by_id(job.id)
    if job.state is JobOrderState.ALLOWED_READY:
        unit = f"{job.step}-1"
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit=unit))
    shop.ok(m.BeginJobOrder(job_order=job.id, in_process=Decimal(in_process)))
    return shop.by_id(job.id)


def work(shop: Shop, job: JobOrder, good: int, scrap: int = 0) -> JobOrder:
    """Begin a job order if need be, report on it, and complete it."""
    if shop.by_id(job.id).begun_at is None:
        begin(shop, job)
    scrapped = (m.Scrapped(quantity=Decimal(scrap), reason="burr"),) if scrap else ()
    shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(good), scrap=scrapped))
    return shop.fire_of(job.id, JobOrderTrigger.COMPLETE)


def held_at(shop: Shop, visit: str) -> dict[str, int]:
    """Return what is at a visit now, by bucket."""
    positions = shop.state.position.find("place", visit)
    sums = {one.value: sum(int(at.of(one)) for at in positions) for one in HELD}
    return {name: amount for name, amount in sums.items() if amount}


def is_sound(shop: Shop) -> bool:
    """Whether no rule is broken, and the journal makes the same state again."""
    assert broken(shop.state) == []
    shadow = State()
    for recorded in shop.journal:
        evolve(shadow, recorded)
    return kept_tables(shadow) == shop.kept()
