"""Whatever is worked in whatever order: no area ever has more inside than it may."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.conditions import ConditionName
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import READY, WAITING, JobOrder
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.state import State
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_limits import WipLimit
from tests.core.plants import a_routing
from tests.core.shop import Shop
from tests.core.tables import kept_tables
from tests.core.test_wip_limits import FRONT, a_limited_plant

REQUESTS = ("WR-1", "WR-2", "WR-3", "WR-4")
messages = st.lists(
    st.tuples(
        st.sampled_from(REQUESTS),
        st.sampled_from(["cut", "mill", "pack"]),
        st.sampled_from(["load", "begin", "report", "complete", "scrap", "abort"]),
    ),
    max_size=40,
)


@given(limit=st.integers(1, 3), kanban=st.none() | st.integers(1, 12), told=messages)
@settings(max_examples=80, deadline=None)
def test_limits_hold_and_whoever_has_room_is_ready(
    limit: int, kanban: int | None, told: list[tuple[str, str, str]]
) -> None:
    buffers = {} if kanban is None else {"mill": kanban}
    plant = a_limited_plant(WipLimit(work_requests=limit), **buffers)
    shop = Shop(a_routing("cut", "mill", "pack"), plant=plant)
    for request in REQUESTS:
        shop.make(5, request=request)
    for request, step, what in told:
        jobs = shop.jobs(step, request)
        if jobs:
            shop.do(_command(what, jobs[-1]))
        assert shop.broken_laws() == []
        _agree(shop, limit, kanban)
    assert rebuilt(shop) == shop.kept()


def _command(what: str, job: JobOrder) -> m.Command:
    name = job.id
    match what:
        case "load":
            return m.LoadJobOrder(job_order=name, work_unit=f"{job.step}-1")
        case "begin":
            return m.BeginJobOrder(job_order=name)
        case "report":
            return m.ReportQuantity(job_order=name, good=Decimal(2))
        case "complete":
            return m.AssertTrigger(job_order=name, trigger=T.COMPLETE)
        case "scrap":
            return m.StopJobOrder(
                job_order=name, remainder=m.Remainder.SCRAP, reason="x"
            )
        case _:
            return m.AbortJobOrder(job_order=name, reason="x", signature="M")


def _agree(shop: Shop, limit: int, kanban: int | None) -> None:
    """Count everything afresh, and compare."""
    live = [one for one in shop.state.job_order.values() if not one.is_over]
    entries = {one.request for one in shop.state.area_entry.find("area", "front")}
    front = [one for one in live if one.step in FRONT]
    at_work = {one.request for one in front if one.begun_at is not None}
    there = {one.request for one in front if here(shop.state, one).on_floor}
    assert at_work <= entries <= at_work | there
    assert len(entries) <= limit
    queued = sum(here(shop.state, one).queued for one in live if one.step == "mill")
    for job in front:
        if job.state not in {*READY, *WAITING}:
            continue
        is_let_in = job.request in entries or len(entries) < limit
        has_room = job.step != "cut" or kanban is None or queued < kanban
        met = {one.name: one.is_met for one in job.conditions}[ConditionName.WIP_LIMIT]
        assert met == (is_let_in and has_room)


def rebuilt(shop: Shop) -> dict[str, dict[object, object]]:
    """Return the tables that the journal alone leads to."""
    state = State()
    for recorded in shop.journal:
        evolve(state, recorded)
    return kept_tables(state)
