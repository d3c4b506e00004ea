"""Branches: pieces that part and join again are as many as before."""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.routing import Routing
from tests.core.plants import (
    a_routing,
    beside,
    in_batches,
    one_of_two,
    split_by_shares,
)
from tests.core.shop import Shop


def scrapped(quantity: int, reason: str = "burr") -> tuple[m.Scrapped, ...]:
    return (m.Scrapped(quantity=Decimal(quantity), reason=reason),)


def ended(shop: Shop, request: str = "WR-1") -> WorkRequestState:
    found = shop.state.work_request.get(request)
    assert found is not None
    return found.state


@pytest.mark.parametrize("quantity", [1, 2, 7, 99, 100, 101])
def test_pieces_through_two_parallel_branches_by_shares_are_still_as_many(
    quantity: int,
) -> None:
    shop = Shop(split_by_shares())
    shop.make(quantity)
    shop.run("cut", quantity)
    milled = quantity * 6 // 10
    drilled = quantity - milled

    if milled:
        assert shop.at_step("mill") == {"queued": milled}
        shop.run("mill", milled)
    assert shop.at_step("drill") == {"queued": drilled}
    shop.run("drill", drilled)
    shop.run("pack", quantity)

    assert shop.stock() == quantity
    assert ended(shop) is WorkRequestState.COMPLETED


def test_100_pieces_through_two_branches_by_precedence_are_still_100() -> None:
    shop = Shop(beside())
    shop.make(100)
    shop.run("cut", 100)
    assert shop.at_step("drill") == {"queued": 100}
    assert shop.at_step("paint") == {}
    shop.run("drill", 100)
    assert shop.job("pack").state is S.ALLOWED_WAITING

    shop.run("paint", 100)
    assert shop.job("pack").state is S.ALLOWED_READY
    shop.run("pack", 100)

    assert shop.stock() == 100
    assert shop.at_step("cut") == {"started": 100}
    assert ended(shop) is WorkRequestState.COMPLETED


def test_pieces_that_took_one_of_two_alternatives_go_on_together() -> None:
    shop = Shop(one_of_two())
    shop.make(10)
    shop.begin("cut")
    shop.ok(m.ChooseAlternative(work_request="WR-1", step="cut", target="drill"))
    shop.report("cut", 10)
    shop.complete("cut")
    assert shop.jobs("mill") == []

    shop.run("drill", 10)
    shop.run("pack", 10)

    assert shop.stock() == 10
    assert ended(shop) is WorkRequestState.COMPLETED


@pytest.mark.parametrize(
    "routing", [a_routing("cut", "mill", "pack"), in_batches("cut", "mill", of=3)]
)
def test_everything_that_is_scrapped_ends_the_request(routing: Routing) -> None:
    shop = Shop(routing)
    shop.make(10)
    shop.begin("cut")

    shop.report("cut", scrap=scrapped(10))
    shop.complete("cut")

    assert all(job.is_over for job in shop.state.job_order.values())
    assert ended(shop) is WorkRequestState.COMPLETED
    assert shop.job("mill").state is S.CANCELLED
