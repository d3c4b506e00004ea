"""Nothing gets stuck: what can come to an end does, whichever step ends first."""

from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.steps import StepOrder
from tests.core.plants import a_routing, beside, flows, in_batches, split_by_shares
from tests.core.shop import Shop


def request_state(shop: Shop) -> WorkRequestState:
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    return request.state


def stop(shop: Shop, step: str, remainder: m.Remainder = m.Remainder.FOLLOW_ON) -> None:
    job = shop.job(step).id
    shop.ok(m.StopJobOrder(job_order=job, remainder=remainder, reason="early end"))


def test_a_step_stopped_before_its_feeder_lost_the_rest_is_still_done() -> None:
    """Or the step after it would wait for ever for pieces that cannot come."""
    shop = Shop(in_batches("cut", "mill", "pack", of=5))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.begin("mill")
    shop.report("mill", 5)
    stop(shop, "mill")
    shop.report("cut", lost=Decimal(5), reason="fell into the sump")
    shop.complete("cut")

    shop.run("pack", 5)

    assert request_state(shop) is WorkRequestState.COMPLETED
    assert finals(shop) == ["cut", "mill", "pack"]


def test_a_step_cancelled_before_its_feeder_lost_everything_is_done() -> None:
    shop = Shop(a_routing("cut", "mill", "pack"))
    shop.make(10)
    shop.begin("cut")
    shop.ok(m.AssertTrigger(job_order=shop.job("mill").id, trigger=T.CANCEL))
    shop.report("cut", lost=Decimal(10), reason="fell into the sump")

    shop.complete("cut")

    visit = shop.state.visit.get("WR-1/mill/1")
    assert visit is not None
    assert visit.is_done


def out_of_order() -> Shop:
    """A shop whose second step is begun before any piece has come to it."""
    free = a_routing("cut", "paint", step_order=StepOrder.FREE)
    shop = Shop(free)
    shop.make(10)
    shop.begin("cut")
    shop.begin("paint")
    return shop


def lose_everything(shop: Shop) -> None:
    shop.report("cut", lost=Decimal(10), reason="fell into the sump")
    shop.complete("cut")


def finals(shop: Shop) -> list[str]:
    return sorted(one.step for one in shop.state.posting.values() if one.is_final)


def test_a_step_begun_before_its_pieces_ends_if_none_come() -> None:
    shop = out_of_order()
    lose_everything(shop)

    shop.complete("paint")

    assert request_state(shop) is WorkRequestState.COMPLETED
    assert finals(shop) == ["cut", "paint"]


def test_a_step_on_which_only_time_was_spent_is_confirmed_finally() -> None:
    shop = out_of_order()
    stop(shop, "paint")

    lose_everything(shop)

    assert request_state(shop) is WorkRequestState.COMPLETED
    assert finals(shop) == ["cut", "paint"]


def test_a_step_skipped_after_some_of_it_is_confirmed_finally() -> None:
    shop = Shop(beside())
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("paint")
    shop.report("paint", 4)
    stop(shop, "paint")

    shop.fire("paint", T.CANCEL)

    assert finals(shop) == ["cut", "paint"]


def test_a_step_that_waits_for_a_token_is_given_up_if_no_pieces_come() -> None:
    shop = Shop(beside())
    shop.make(10)
    shop.begin("cut")
    lose_everything(shop)
    assert shop.job("drill").state is S.CANCELLED

    shop.run("paint", 10)

    assert shop.job("pack").state is S.CANCELLED
    assert request_state(shop) is WorkRequestState.COMPLETED


def test_a_first_job_stopped_during_setup_leaves_its_pieces_to_a_follow_on() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.load("cut")
    shop.fire("cut", T.BEGIN_SETUP)

    stop(shop, "cut")

    assert len(shop.jobs("cut")) == 2
    assert shop.job("cut").planned == 10
    shop.run("cut", 10)
    shop.run("mill", 10)
    assert shop.stock() == 10


def test_a_first_job_paused_in_its_setup_begins_when_it_is_resumed() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    job = shop.load("cut")
    shop.fire("cut", T.BEGIN_SETUP)
    shop.ok(m.PauseJobOrder(job_order=job, reason="no tool"))

    shop.ok(m.ResumeJobOrder(job_order=job))

    assert shop.at_step("cut") == {"queued": 10, "started": 10}
    shop.report("cut", 10)
    shop.complete("cut")
    assert shop.at_step("mill") == {"queued": 10}


def test_a_hold_on_a_job_order_that_ended_under_it_can_be_released() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    command = m.OpenHold(
        scope=HoldScope.JOB_ORDER,
        target=job,
        reason="check the last one",
        mode=HoldMode.AFTER_RUN,
    )
    hold = shop.ok(command)["hold"]
    shop.report("cut", 10)
    shop.complete("cut")

    shop.ok(m.ReleaseHold(hold=hold))

    found = shop.state.hold.get(hold)
    assert found is not None
    assert not found.is_open


def test_shares_of_three_ways_never_send_more_than_there_is() -> None:
    """The last way took the rest at the first end; its share is smaller after that."""
    ways = ("mill", "drill", "paint")
    shares = (Decimal("0.33"), Decimal("0.33"), Decimal("0.34"))
    connections = tuple(
        flows("cut", way, share=share) for way, share in zip(ways, shares, strict=True)
    )
    shop = Shop(a_routing("cut", *ways, connections=connections))
    shop.make(4)
    shop.begin("cut")
    shop.report("cut", 3)
    stop(shop, "cut")
    shop.begin("cut")
    shop.report("cut", 1)

    shop.complete("cut")

    assert sum(shop.at_step(way).get("queued", 0) for way in ways) == 4


def test_shares_of_one_piece_go_to_the_last_way() -> None:
    shop = Shop(split_by_shares())
    shop.make(1)
    shop.run("cut", 1)

    assert shop.at_step("drill") == {"queued": 1}
    assert shop.job("mill").state is S.CANCELLED
    assert len(shop.jobs("pack")) == 1
