"""Material: received, claimed by work that has begun, consumed with the end of it."""

from decimal import Decimal

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.conditions import ConditionName
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.lots import LotExistence
from tests.core.plants import a_routing, a_step, steel
from tests.core.shop import Shop

OF_STEEL = a_routing(a_step("mill", consumes=(steel("0.5"),)))


def is_met(shop: Shop, request: str = "WR-1") -> bool:
    conditions = shop.job("mill", request).conditions
    named = {one.name: one.is_met for one in conditions}
    return named[ConditionName.MATERIAL_AVAILABLE]


def test_work_waits_for_its_material_and_consumes_it_with_its_end() -> None:
    shop = Shop(OF_STEEL)
    shop.make(10)
    assert shop.job("mill").state is S.ALLOWED_WAITING

    lot = shop.receive("7")
    assert shop.job("mill").state is S.ALLOWED_READY
    shop.run("mill", 10)

    assert shop.stock("steel") == 2
    edges = [one.edge for one in shop.facts(f.LotConsumed)]
    assert [(edge.source, edge.target) for edge in edges] == [(lot, "L-000002")]
    assert edges[0].quantity == 5


def test_the_oldest_lot_is_consumed_first_and_ends_when_it_is_empty() -> None:
    shop = Shop(OF_STEEL)
    first, second = shop.receive("3"), shop.receive("3")
    shop.make(10)
    shop.run("mill", 10)

    found = [shop.state.lot.get(name) for name in (first, second)]
    assert [lot.existence for lot in found if lot] == [
        LotExistence.CONSUMED,
        LotExistence.ACTIVE,
    ]
    assert shop.stock("steel") == 1


def test_material_of_another_unit_is_not_what_the_step_consumes() -> None:
    shop = Shop(OF_STEEL)
    shop.make(10)

    shop.receive("100", unit="TNE")

    assert shop.job("mill").state is S.ALLOWED_WAITING
    shop.receive("5")
    shop.run("mill", 10)
    assert shop.stock("steel") == 100


def test_what_has_begun_claims_its_material_before_what_waits() -> None:
    shop = Shop(OF_STEEL)
    shop.receive("5")
    shop.make(10)
    shop.make(10, request="WR-2")
    assert is_met(shop, "WR-2")

    shop.begin("mill")

    assert not is_met(shop, "WR-2")
    assert shop.job("mill", "WR-2").state is S.ALLOWED_WAITING


def test_setup_claims_nothing_and_its_beginning_does() -> None:
    shop = Shop(OF_STEEL)
    shop.receive("5")
    shop.make(10)
    shop.make(10, request="WR-2")
    shop.load("mill")

    shop.fire("mill", T.BEGIN_SETUP)
    assert is_met(shop, "WR-2")

    shop.ok(m.BeginJobOrder(job_order=shop.job("mill").id))
    assert not is_met(shop, "WR-2")


def test_over_production_claims_more() -> None:
    routing = a_routing(*OF_STEEL.steps, over_tolerance=Decimal(1))
    shop = Shop(routing)
    shop.receive("10")
    shop.make(10)
    shop.make(10, request="WR-2")
    shop.begin("mill")
    assert is_met(shop, "WR-2")

    shop.report("mill", 12)

    assert not is_met(shop, "WR-2")


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN"])
def test_a_receipt_of_nothing_is_malformed(quantity: str) -> None:
    shop = Shop()
    shop.malformed(
        m.ReceiveMaterial(
            material="steel", unit="KGM", quantity=Decimal(quantity), supplier="S"
        )
    )


def test_an_abort_posts_consumption_of_what_was_worked() -> None:
    shop = Shop(OF_STEEL)
    shop.receive("5")
    shop.make(10)
    job = shop.begin("mill", in_process=2)
    shop.report("mill", 4)

    shop.ok(m.AbortJobOrder(job_order=job, reason="crash", signature="Ana"))

    assert shop.stock("steel") == 3
    assert shop.job("mill").planned == 6
    assert is_met(shop)


def test_an_end_is_refused_while_stock_does_not_cover_what_was_worked() -> None:
    routing = a_routing(*OF_STEEL.steps, over_tolerance=Decimal(1))
    shop = Shop(routing)
    shop.receive("5")
    shop.make(10)
    job = shop.begin("mill")
    shop.report("mill", 12)

    answer = shop.refused(m.AssertTrigger(job_order=job, trigger=T.COMPLETE))
    assert answer.unmet == ("material_available: 6 KGM of steel needed, 5 in stock",)
    shop.receive("1")
    shop.complete("mill")
    assert shop.stock("steel") == 0
