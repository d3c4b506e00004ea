"""What people want besides the usual: rework, holds, splits, changes, corrections.

They look at what the engine has committed, and may be late: then it refuses them.
"""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.runs import HoldMode, HoldQuery, HoldScope
from mes_engine.core.state import State
from mes_engine.core.whereabouts import positions_of
from tests.core.shop import SECOND
from tests.core.watch import times_of
from tests.core.whole_floor import BLADES, a_grant

STEPS = ("cut", "mill", "drill", "paint", "pack")
FEW = (0, 1, 1, 2, 5)


def of_a_job(rng: Random, state: State, job: JobOrder) -> m.Command:
    """Return something that is asked of a job order, or of what is worked on there."""
    lots = [one.lot for one in positions_of(state, job)] or ["L-none"]
    lot = rng.choice(lots)
    few = Decimal(rng.choice(FEW))
    ways: list[Callable[[], m.Command]] = [
        lambda: m.SendToRework(
            job_order=job.id,
            quantity=few,
            loop=rng.choice(["again", "all-again"]),
            reason="crack",
            taken_from=rng.choice(list(m.ReworkFrom)),
        ),
        lambda: m.DeviateLot(
            job_order=job.id,
            to_step=rng.choice(STEPS),
            quantity=few or None,
            reason="rush",
            taken_from=rng.choice(list(m.ReworkFrom)),
        ),
        lambda: m.SkipStep(job_order=job.id, reason="not needed"),
        lambda: m.SplitJobOrder(job_order=job.id, quantity=few),
        lambda: m.SplitLot(lot=lot, quantities=(few,), reason="two crates"),
        lambda: m.MergeLots(lots=tuple(lots[:2]), reason="one crate"),
        lambda: m.OpenHold(
            scope=HoldScope.LOT,
            target=lot,
            reason="crack",
            mode=rng.choice([HoldMode.STOP_NOW, HoldMode.AFTER_RUN]),
        ),
        lambda: _change(rng, job),
        lambda: m.RecordMeasurement(
            job_order=job.id, characteristic="thickness", value="10"
        ),
        lambda: _consumption(rng, state, job),
        lambda: m.MoveJobOrder(
            job_order=job.id, work_unit=f"{job.step}-{rng.choice([1, 2])}"
        ),
        lambda: m.ChooseAlternative(
            work_request=job.request, step="cut", target=rng.choice(["mill", "drill"])
        ),
    ]
    return rng.choice(ways)()


def of_the_floor(rng: Random, state: State, now: int) -> m.Command:
    """Return something that is asked of the plant, of stock, of people or of tools."""
    unit = rng.choice([one.id for one in state.site.plant.work_units])
    ways: list[Callable[[], m.Command]] = [
        m.CheckTimeWindows,
        m.ExpireQualifications,
        lambda: m.SignOnPerson(work_unit=unit, person=rng.choice(["Ali", "Eva"])),
        lambda: m.SignOffPerson(work_unit=unit, person=rng.choice(["Ali", "Eva"])),
        lambda: _late_labour(rng, state),
        lambda: m.DispatchWorkUnit(work_unit=unit),
        lambda: _assignment(rng, state),
        lambda: _dismissal(rng, state),
        lambda: _waiver(rng, state),
        lambda: _stock(rng, state),
        lambda: m.MountTool(asset=rng.choice(BLADES), work_unit="cut-1"),
        lambda: m.UnmountTool(asset=rng.choice(BLADES)),
        lambda: m.ReturnTool(asset=rng.choice(BLADES), renews_life=True, reason="new"),
        a_grant,
        lambda: m.OpenHold(
            scope=HoldScope.JOB_ORDER,
            mode=HoldMode.FUTURE,
            query=HoldQuery(step=rng.choice(STEPS)),
            reason="an audit",
        ),
        lambda: m.ReceiveMaterial(
            material="lid", unit="C62", quantity=Decimal(20), supplier="S"
        ),
        lambda: _end_of_a_request(rng, state, now),
    ]
    return rng.choice(ways)()


def _change(rng: Random, job: JobOrder) -> m.Command:
    return m.ChangeWorkRequest(
        work_request=job.request,
        quantity=rng.choice([None, Decimal(1), Decimal(8), Decimal(12)]),
        priority=rng.choice([None, 3]),
        reason="the customer asked",
    )


def _consumption(rng: Random, state: State, job: JobOrder) -> m.Command:
    stock = _in_stock(state, job.materials)
    return m.ConsumeMaterial(
        job_order=job.id,
        lot=rng.choice(stock).id if stock else "L-none",
        quantity=Decimal(rng.choice(FEW)),
        is_damaged=rng.random() < 0.3,
        reason="by hand",
    )


def _late_labour(rng: Random, state: State) -> m.Command:
    runs = list(state.run.values())
    run = rng.choice(runs) if runs else None
    began = 0 if run is None else run.opened_at
    return m.BookLabour(
        run="R-none" if run is None else run.id,
        person="Ali",
        started_at=began,
        ended_at=began + rng.choice([0, 1, 2]) * SECOND // 10,
        reason="forgot to sign on",
        known=times_of(state, "Ali"),
        known_seq=state.seq,
    )


def _assignment(rng: Random, state: State) -> m.Command:
    found = list(state.unassigned_production.values())
    jobs = list(state.job_order.values())
    production = rng.choice(found) if found else None
    fitting = [
        one
        for one in jobs
        if production is not None and production.work_unit.startswith(one.step)
    ]
    return m.AssignProduction(
        production=0 if production is None else production.seq,
        job_order=rng.choice(fitting).id if fitting else "JO-none",
        quantity=rng.choice([None, Decimal(1)]),
        reason="it was his",
    )


def _dismissal(rng: Random, state: State) -> m.Command:
    found = list(state.unassigned_production.values())
    return m.DismissProduction(
        production=rng.choice(found).seq if found else 0, reason="a test stroke"
    )


def _waiver(rng: Random, state: State) -> m.Command:
    windows = list(state.time_window.values())
    return m.WaiveTimeWindow(
        window=rng.choice(windows).id if windows else "none", reason="it is dry"
    )


def _stock(rng: Random, state: State) -> m.Command:
    stock = _in_stock(state, None)
    lot = rng.choice(stock).id if stock else "L-none"
    quantity = rng.choice([None, Decimal(1)])
    if rng.random() < 0.5:
        to = rng.choice(["cage", "FG"])
        return m.MoveStock(lot=lot, to_location=to, quantity=quantity)
    return m.ShipLot(lot=lot, quantity=quantity, reason="DN-1")


def _in_stock(state: State, materials: tuple[str, ...] | None) -> list[MaterialLot]:
    return [
        lot
        for lot in state.lot.values()
        if (materials is None or lot.material in materials)
        and any(one.stock for one in state.position.find("lot", lot.id))
    ]


def _end_of_a_request(rng: Random, state: State, now: int) -> m.Command:
    requests = list(state.work_request.values())
    name = rng.choice(requests).id if requests else f"WR-none-{now}"
    if rng.random() < 0.2:
        return m.CancelWorkRequest(work_request=name, reason="not wanted")
    return m.CloseWorkRequest(work_request=name)
