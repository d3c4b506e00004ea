"""Counts that no job order took: kept by stretches, assigned or dismissed."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.postings import PostingState
from mes_engine.core.production import UnassignedProduction
from tests.core.correcting import postings, reverse, signed, the_last
from tests.core.plants import a_routing, a_step, steel
from tests.core.shop import Shop


def unassigned(shop: Shop) -> list[UnassignedProduction]:
    return list(shop.state.unassigned_production.values())


def tally(shop: Shop) -> list[int]:
    found = shop.state.machine_tally.get(("cut-1", "good"))
    assert found is not None
    assert found.counted == found.booked + found.unassigned + found.dismissed
    return [int(found.booked), int(found.unassigned), int(found.dismissed)]


def counted(shop: Shop, *values: int) -> None:
    for value in values:
        shop.sense("cut-1.good", value)


def before_the_run() -> Shop:
    """Four pieces are counted, and only then the operator loads the job order."""
    shop = Shop(a_routing(a_step("cut", consumes=(steel("0.5"),))))
    shop.receive("9")
    shop.make(10)
    counted(shop, 0, 3, 4)
    return shop


def assigning(shop: Shop, **changed: object) -> m.AssignProduction:
    (production,) = unassigned(shop)
    told = {
        "production": production.seq,
        "job_order": shop.job("cut").id,
        "reason": "made before the job was loaded",
    }
    return m.AssignProduction(**told | changed)  # type: ignore[arg-type]


def test_counts_one_after_the_other_are_one_stretch() -> None:
    shop = before_the_run()

    (production,) = unassigned(shop)

    assert [production.quantity, production.left] == [4, 4]
    assert production.until > production.at
    assert len(shop.facts(f.ProductionUnassigned)) == 2


def test_a_stretch_ends_when_something_is_booked() -> None:
    shop = before_the_run()
    shop.begin("cut")
    counted(shop, 6, 20, 21)

    first, second = unassigned(shop)

    assert [first.quantity, second.quantity] == [4, 7]
    assert second.reason == "past_quantity"
    assert tally(shop) == [10, 11, 0]


def test_a_count_is_assigned_to_the_job_order_that_it_belongs_to() -> None:
    shop = before_the_run()
    shop.begin("cut")

    told = shop.ok(assigning(shop))

    assert told["left"] == "0"
    assert shop.job("cut").good == 4
    assert tally(shop) == [4, 0, 0]
    assert unassigned(shop)[0].left == 0
    assert shop.do(assigning(shop)).outcome is m.Outcome.NOT_FOUND


def test_a_part_of_it_is_assigned_and_the_rest_dismissed() -> None:
    shop = before_the_run()
    shop.begin("cut")
    shop.refused(assigning(shop, quantity=Decimal(5)))

    shop.ok(assigning(shop, quantity=Decimal(3)))
    (production,) = unassigned(shop)
    shop.ok(m.DismissProduction(production=production.seq, reason="air"))

    assert tally(shop) == [3, 0, 1]
    assert shop.job("cut").good == 3


def test_a_late_count_is_a_supplementary_booking_on_what_has_ended() -> None:
    """Ten are reported and one is over-produced; the count of it comes to nobody."""
    shop = Shop(
        a_routing(
            a_step("cut", consumes=(steel("0.5"),)),
            "mill",
            over_tolerance=Decimal("0.1"),
        )
    )
    shop.receive("9")
    shop.make(10)
    shop.run("cut", 10)
    counted(shop, 0, 1)
    assert shop.job("cut").state is S.ENDED_COMPLETED

    shop.ok(assigning(shop))

    cut = shop.job("cut")
    assert [cut.good, cut.state] == [11, S.ENDED_COMPLETED]
    assert shop.at_step("mill") == {"queued": 11}
    assert shop.stock("steel") == Decimal("3.5")
    assert [one for one in signed(shop) if one[0] == "cut"][-1][2:] == (1, True)
    shop.run("mill", 11)
    assert shop.stock() == 11


def test_a_late_count_opens_what_came_after_it_again() -> None:
    shop = Shop(a_routing("cut", "mill", over_tolerance=Decimal("0.1")))
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)
    counted(shop, 0, 1)

    shop.ok(assigning(shop))

    visit = shop.state.visit.get("WR-1/mill/1")
    assert visit is not None
    assert not visit.is_done
    first, second = shop.jobs("mill")
    assert [second.follows, first.is_final_posted] == [first.id, False]
    shop.run("mill", 1)
    assert shop.stock() == 11
    assert signed(shop)[-1][2:] == (1, True)


def test_nothing_is_assigned_to_a_closed_job_order_nor_to_one_elsewhere() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    counted(shop, 0, 1)
    waiting = shop.refused(assigning(shop))
    assert waiting.unmet[0].startswith("job_order_open")
    shop.run("cut", 10)
    for one in postings(shop):
        shop.ok(m.RecordPosting(posting=one.key, state=PostingState.ACKNOWLEDGED))

    closed = shop.refused(assigning(shop))
    elsewhere = shop.refused(assigning(shop, job_order=shop.job("mill").id))

    assert "ended.closed" in closed.unmet[0]
    assert elsewhere.unmet[0].startswith("same_work_center")


def test_it_is_said_why() -> None:
    shop = before_the_run()
    shop.begin("cut")
    shop.malformed(assigning(shop, reason=" "))


def test_what_was_assigned_wrongly_is_unassigned_by_a_reversal() -> None:
    shop = before_the_run()
    shop.begin("cut")
    shop.ok(assigning(shop))

    reverse(shop, the_last(shop, "cut"))

    assert tally(shop) == [0, 4, 0]
    assert [int(one.left) for one in unassigned(shop)] == [0, 4]


def test_a_machine_that_counted_air_is_dismissed_with_the_reversal() -> None:
    shop = before_the_run()
    shop.begin("cut")
    counted(shop, 6)

    reverse(shop, the_last(shop, "cut"), counted=m.CountedPieces.DISMISSED)

    assert tally(shop) == [0, 4, 2]
    assert shop.job("cut").good == 0
