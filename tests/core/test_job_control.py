"""Job orders as job control speaks of them."""

from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.job_control import (
    demand_at,
    find_served,
    is_served,
    order_data,
    response_data,
    served_id,
    work_masters,
)
from mes_engine.core.job_order import JobOrderState as S
from tests.core.plants import a_routing
from tests.core.shop import Shop


def stored(shop: Shop, name: str, step: str = "mill") -> None:
    shop.ok(
        m.CreateWorkRequest(
            work_request=name,
            routing=a_routing("mill", "pack").id,
            quantity=Decimal(5),
            due_at=1,
            demand=demand_at(step),
        )
    )


def test_steps_of_effective_routings_are_work_masters() -> None:
    routing = a_routing("mill", "pack")
    shop = Shop(routing)
    names = [name for name, _, _ in work_masters(shop.state)]
    prefix = f"{routing.id}/{routing.revision}"
    assert names == [f"{prefix}/mill", f"{prefix}/pack"]
    shop.ok(m.WithdrawRouting(routing=routing.id, revision=routing.revision))
    assert not list(work_masters(shop.state))


def test_a_job_order_is_known_by_the_id_that_its_client_gave() -> None:
    shop = Shop(a_routing("mill", "pack"))
    stored(shop, "C-1")
    mill = shop.job("mill", "C-1")
    assert served_id(shop.state, mill) == "C-1"
    assert find_served(shop.state, "C-1") == mill
    assert find_served(shop.state, mill.id) is None
    shop.make(5)
    ours = shop.job("mill", "WR-1")
    assert served_id(shop.state, ours) == ours.id
    assert find_served(shop.state, ours.id) == ours
    assert find_served(shop.state, "WR-1") is None


def test_what_follows_is_known_by_our_own_id() -> None:
    shop = Shop(a_routing("mill", "pack"))
    stored(shop, "C-1")
    shop.ok(m.ReleaseWorkRequest(work_request="C-1"))
    mill = shop.job("mill", "C-1")
    shop.ok(m.LoadJobOrder(job_order=mill.id, work_unit="mill-1"))
    shop.ok(m.BeginJobOrder(job_order=mill.id))
    pack = shop.job("pack", "C-1")
    assert served_id(shop.state, pack) == pack.id
    assert find_served(shop.state, pack.id) == pack
    data = order_data(shop.state, shop.job("mill", "C-1"), name="C-1")
    assert (data.id, data.equipment) == ("C-1", ("mill-1",))
    assert data.makes.quantity == Decimal(5)
    told = response_data(shop.state, shop.job("mill", "C-1"))
    assert told.state is S.RUNNING_PROCESSING
    assert told.begun_at is not None


def test_only_what_is_over_is_cleared_and_once() -> None:
    shop = Shop(a_routing("mill", "pack"))
    shop.make(5)
    mill = shop.job("mill")
    refusal = shop.refused(m.ClearJobOrder(job_order=mill.id))
    assert "only what is over is cleared" in refusal.message
    shop.ok(m.AbortJobOrder(job_order=mill.id, reason="fire"))
    shop.ok(m.ClearJobOrder(job_order=mill.id))
    assert shop.by_id(mill.id).is_cleared
    before = shop.state.seq
    shop.ok(m.ClearJobOrder(job_order=mill.id))
    assert shop.state.seq == before + 1
    assert shop.job("mill").state is S.NOT_ALLOWED_READY


def test_what_is_not_there_cannot_be_cleared() -> None:
    shop = Shop(a_routing("mill"))
    assert shop.do(m.ClearJobOrder(job_order="nothing")).outcome is m.Outcome.NOT_FOUND


def test_what_is_over_for_good_is_served_no_longer() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(5)
    mill = shop.job("mill").id
    shop.ok(m.AbortJobOrder(job_order=mill, reason="fire"))
    assert is_served(shop.state, shop.by_id(mill))
    shop.ok(m.CancelWorkRequest(work_request="WR-1"))
    assert not is_served(shop.state, shop.by_id(mill))
    shop.ok(m.ClearJobOrder(job_order=mill))
    assert not shop.by_id(mill).is_cleared
