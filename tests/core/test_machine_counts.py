"""What machines say: counts add to the run that is active, states to the equipment."""

from decimal import Decimal

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.production import MachineTally, UnassignedReason
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.samples import DataGap, LinkState, Quality, Recovered
from mes_engine.core.steps import BeginOn
from tests.core.plants import LINK, a_plant, a_routing, a_signal, a_step, beside
from tests.core.shop import SECOND, Shop


def tally(shop: Shop, unit: str = "cut-1", role: str = "good") -> list[int]:
    found = shop.state.machine_tally.get((unit, role))
    assert isinstance(found, MachineTally)
    return [int(found.counted), int(found.booked), int(found.unassigned)]


def reasons(shop: Shop) -> list[UnassignedReason]:
    return [one.production.reason for one in shop.facts(f.ProductionUnassigned)]


def running(quantity: int = 10, begin_on: BeginOn = BeginOn.OPERATOR) -> Shop:
    shop = Shop(a_routing(a_step("cut", begin_on=begin_on)))
    shop.make(quantity)
    shop.load("cut")
    if begin_on is BeginOn.OPERATOR:
        shop.begin("cut")
    shop.sense("cut-1.good", 0)
    return shop


def test_a_count_adds_to_the_run_that_is_active() -> None:
    shop = running()

    shop.sense("cut-1.good", 4)

    assert shop.job("cut").good == 4
    assert tally(shop) == [4, 4, 0]


def test_a_count_is_multiplied_by_the_pieces_of_a_stroke() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    shop.begin("mill")
    shop.sense("mill-1.good", 100)

    shop.sense("mill-1.good", 103)

    assert shop.job("mill").good == 6


def test_counted_scrap_is_scrap() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    shop.begin("mill")
    shop.sense("mill-1.scrap", 0)

    shop.sense("mill-1.scrap", 2)

    assert shop.job("mill").scrap == 2
    assert shop.at_step("mill") == {"queued": 8, "scrap": 2, "started": 10}


def test_a_count_without_a_run_is_kept_as_unassigned() -> None:
    shop = Shop(a_routing("cut"))
    shop.sense("cut-1.good", 0)

    shop.sense("cut-1.good", 3)

    assert tally(shop) == [3, 0, 3]
    assert reasons(shop) == [UnassignedReason.NO_ACTIVE_RUN]


def test_a_count_before_begin_is_kept_as_unassigned() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.load("cut")
    shop.sense("cut-1.good", 0)
    shop.sense("cut-1.good", 3)

    begun = shop.at + SECOND
    shop.begin("cut")
    shop.sense("cut-1.good", 5, source_at=begun - 1)

    assert tally(shop) == [5, 0, 5]
    assert reasons(shop) == [UnassignedReason.BEFORE_BEGIN] * 2


def test_a_count_past_the_quantity_is_kept_as_unassigned() -> None:
    shop = running(quantity=10)

    shop.sense("cut-1.good", 13)

    assert shop.job("cut").good == 10
    assert tally(shop) == [13, 10, 3]
    assert reasons(shop) == [UnassignedReason.PAST_QUANTITY]


def test_a_suspect_count_is_shown_and_not_booked() -> None:
    shop = Shop(a_routing("pack"))
    shop.make(10)
    shop.begin("pack")
    shop.sense("pack-1.good", 0)

    shop.sense("pack-1.good", 500)

    assert shop.job("pack").good == 0
    assert tally(shop, "pack-1") == [500, 0, 500]
    assert reasons(shop) == [UnassignedReason.SUSPECT_COUNT]


def test_a_count_after_a_pause_still_belongs_to_the_run() -> None:
    shop = running()
    shop.ok(m.PauseJobOrder(job_order=shop.job("cut").id, reason="break"))

    shop.sense("cut-1.good", 2)

    assert shop.job("cut").good == 2
    assert shop.job("cut").state is S.INTERRUPTED_SUSPENDED


def test_the_first_count_begins_what_waits_for_it_at_the_sources_time() -> None:
    shop = running(begin_on=BeginOn.FIRST_COUNT)

    shop.sense("cut-1.good", 2, source_at=shop.at - 5 * SECOND)

    job = shop.job("cut")
    assert job.state is S.RUNNING_PROCESSING
    assert job.good == 2
    assert job.begun_at == shop.at - SECOND - 5 * SECOND


def test_a_machine_begins_nothing_that_is_held() -> None:
    shop = running(begin_on=BeginOn.FIRST_COUNT)
    hold = m.OpenHold(
        scope=HoldScope.WORK_REQUEST,
        target="WR-1",
        reason="crack",
        mode=HoldMode.AFTER_RUN,
    )
    shop.ok(hold)

    shop.sense("cut-1.good", 2)

    assert shop.job("cut").state is S.ALLOWED_LOADED
    assert reasons(shop) == [UnassignedReason.BEFORE_BEGIN]


def test_a_token_step_takes_counts_of_good_up_to_its_plan() -> None:
    plant = a_plant(signals=(a_signal("paint-1.good"),))
    shop = Shop(beside(), plant=plant)
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("paint")
    shop.sense("paint-1.good", 0)

    shop.sense("paint-1.good", 12)

    assert shop.job("paint").good == 10
    assert tally(shop, "paint-1") == [12, 10, 2]


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 1.5, "7", float("nan"), float("inf"), -0.1, 1e300, 2**64 + 1],
)
def test_what_is_no_count_is_a_gap_and_is_not_counted(value: object) -> None:
    shop = running()
    shop.sense("cut-1.good", 2)

    shop.sense("cut-1.good", value)
    assert len(shop.facts(f.GapSeen)) == 1
    shop.sense("cut-1.good", value)
    assert len(shop.facts(f.GapSeen)) == 1

    shop.sense("cut-1.good", 5.0)
    assert shop.job("cut").good == 5


def test_a_count_that_comes_back_unchanged_ends_the_gap() -> None:
    """Or the next gap would not be seen."""
    shop = running()
    for _ in range(2):
        shop.sense("cut-1.good", 0, quality=Quality.BAD)
        shop.sense("cut-1.good", 0)

    found = shop.state.signal.get("cut-1.good")
    assert found is not None
    assert not found.is_bad
    assert len(shop.facts(f.GapSeen)) == 2


def test_that_values_may_be_missing_is_kept_with_what_was_recovered() -> None:
    shop = running()
    gap = DataGap(
        tags=("cut-1.good",),
        since=shop.at - 6 * SECOND,
        until=shop.at,
        recovered=Recovered.PART,
        reason="The server had lost its session.",
    )
    shop.hear(gap)
    shop.commit()

    assert [(fact.link, fact.gap) for fact in shop.facts(f.DataGapSeen)] == [
        (LINK, gap)
    ]


def test_a_bad_value_is_no_reset() -> None:
    shop = running()
    shop.sense("cut-1.good", 4)

    shop.sense("cut-1.good", 0, quality=Quality.BAD)
    shop.sense("cut-1.good", 6)

    assert shop.job("cut").good == 6


def test_dropped_values_are_a_gap_and_their_pieces_are_counted() -> None:
    shop = running()

    shop.sense("cut-1.good", 4, overflow=True)

    assert shop.job("cut").good == 4
    assert [gap.tag for gap in shop.facts(f.GapSeen)] == ["cut-1.good"]


def test_a_jump_beyond_any_quantity_is_a_gap() -> None:
    shop = running()

    shop.sense("cut-1.good", 2**40)
    shop.sense("cut-1.good", 2**40 + 3)

    assert tally(shop) == [3, 3, 0]
    assert len(shop.facts(f.GapSeen)) == 1


@pytest.mark.parametrize(("tag", "link"), [("no.such", "plc"), ("cut-1.good", "other")])
def test_a_tag_that_the_link_does_not_bring_is_a_gap(tag: str, link: str) -> None:
    shop = Shop(a_routing("cut"))

    shop.hear(shop.a_sample(tag, 1), link=link)
    shop.commit()

    assert [gap.tag for gap in shop.facts(f.GapSeen)] == [tag]
    assert shop.state.signal.get(tag) is None


def test_samples_before_there_is_a_plant_are_gaps_and_no_errors() -> None:
    shop = Shop(plant=a_plant(signals=()))
    bare = Shop.without_a_plant()

    bare.hear(shop.a_sample("cut-1.good", 1))
    bare.link(LinkState.CONNECTED)

    assert len(bare.facts(f.GapSeen)) == 1


def test_the_same_message_again_changes_nothing() -> None:
    shop = running()
    sample = shop.a_sample("cut-1.good", 4)
    sensed = m.Sensed(source="plc", epoch=1, n=shop.sent + 1, report=sample)
    shop.decide(sensed)
    shop.commit()
    before = shop.kept()

    shop.decide(sensed)
    shop.commit()

    assert shop.kept() == before
    assert shop.job("cut").good == 4


def test_half_a_piece_a_stroke_is_booked_in_whole_pieces() -> None:
    """Two strokes make a piece: the first of them alone makes none yet."""
    plant = a_plant(signals=(a_signal("cut-1.good", factor=Decimal("0.5")),))
    shop = Shop(a_routing("cut"), plant=plant)
    shop.make(10)
    shop.begin("cut")
    shop.sense("cut-1.good", 0)

    for strokes, pieces in ((1, 0), (2, 1), (3, 1), (7, 3)):
        shop.sense("cut-1.good", strokes)
        assert shop.job("cut").good == pieces
