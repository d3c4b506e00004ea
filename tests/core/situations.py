"""A first job order brought into each state, and the command for each trigger."""

from collections.abc import Callable
from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import PostingState
from mes_engine.core.runs import HoldMode, HoldScope
from tests.core.plants import a_routing
from tests.core.shop import Shop


def planned() -> Shop:
    """A request that is not released: its first job order may not start."""
    shop = Shop(a_routing("cut", "mill"))
    shop.ok(
        m.CreateWorkRequest(
            work_request="WR-1", routing="R", quantity=Decimal(10), due_at=0
        )
    )
    return shop


def ready() -> Shop:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    return shop


def loaded() -> Shop:
    shop = ready()
    shop.load("cut")
    return shop


def in_setup() -> Shop:
    shop = loaded()
    shop.fire("cut", T.BEGIN_SETUP)
    return shop


def processing() -> Shop:
    shop = loaded()
    shop.begin("cut")
    return shop


def suspended() -> Shop:
    shop = processing()
    shop.ok(m.PauseJobOrder(job_order=JOB, reason="break"))
    return shop


def held() -> Shop:
    shop = processing()
    hold(shop)
    return shop


def completed() -> Shop:
    shop = processing()
    shop.report("cut", 10)
    shop.complete("cut")
    return shop


def closed() -> Shop:
    shop = completed()
    for posting in list(shop.state.posting.values()):
        state = PostingState.ACKNOWLEDGED
        shop.ok(m.RecordPosting(posting=posting.key, state=state))
    return shop


def aborted() -> Shop:
    shop = processing()
    shop.ok(m.AbortJobOrder(job_order=JOB, reason="crash"))
    return shop


def cancelled() -> Shop:
    shop = ready()
    shop.fire("cut", T.CANCEL)
    return shop


def hold(shop: Shop, mode: HoldMode = HoldMode.STOP_NOW) -> str:
    command = m.OpenHold(
        scope=HoldScope.JOB_ORDER, target=JOB, reason="crack", mode=mode
    )
    return shop.ok(command)["hold"]


SITUATIONS: dict[S, Callable[[], Shop]] = {
    S.NOT_ALLOWED_WAITING: planned,
    S.ALLOWED_READY: ready,
    S.ALLOWED_LOADED: loaded,
    S.RUNNING_SETUP: in_setup,
    S.RUNNING_PROCESSING: processing,
    S.INTERRUPTED_SUSPENDED: suspended,
    S.INTERRUPTED_HELD: held,
    S.ENDED_COMPLETED: completed,
    S.ENDED_CLOSED: closed,
    S.ABORTED: aborted,
    S.CANCELLED: cancelled,
}


JOB = "JO-000001"
COMMANDS: dict[T, m.Command] = {
    T.LOAD: m.LoadJobOrder(job_order=JOB, work_unit="cut-1"),
    T.BEGIN: m.BeginJobOrder(job_order=JOB),
    T.REPORT: m.ReportQuantity(job_order=JOB, processing_s=Decimal(1)),
    T.PAUSE: m.PauseJobOrder(job_order=JOB, reason="because"),
    T.MOVE_TO: m.MoveJobOrder(job_order=JOB, work_unit="cut-1"),
    T.RESUME: m.ResumeJobOrder(job_order=JOB),
    T.STOP: m.StopJobOrder(
        job_order=JOB, remainder=m.Remainder.FOLLOW_ON, reason="because"
    ),
    T.ABORT: m.AbortJobOrder(job_order=JOB, reason="because", signature="Ana"),
    T.UPDATE: m.UpdateJobOrder(job_order=JOB, priority=1),
    T.HOLD: m.OpenHold(scope=HoldScope.JOB_ORDER, target=JOB, reason="because"),
}


def a_command(trigger: T) -> m.Command:
    """The command that asks the first job order for a trigger."""
    return COMMANDS.get(trigger, m.AssertTrigger(job_order=JOB, trigger=trigger))
