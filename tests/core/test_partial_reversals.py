"""A part of a report is taken back, and another; never more than there was."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.assets import AssetState, LifeUnit
from mes_engine.core.bookings import Booking, BookingKind, ReportedAs
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.postings import PostingKind
from mes_engine.core.quantity import ZERO
from mes_engine.core.time_windows import WindowPoint, WindowState
from tests.core.correcting import (
    bookings,
    postings,
    refused,
    reverse,
    reversing,
    scrapped,
    the_last,
)
from tests.core.loops import is_sound
from tests.core.plants import a_routing, a_step, steel
from tests.core.shop import SECOND, Shop
from tests.core.test_time_windows import window


def part(
    shop: Shop, booking: Booking, quantity: int, as_: str = "good", **more: Any
) -> dict[str, str]:
    """Take a part of a report back."""
    of = ReportedAs(as_)
    return reverse(shop, booking, quantity=Decimal(quantity), reported_as=of, **more)


def standing(shop: Shop, job: str) -> Decimal:
    """Return the good pieces that stand in the postings of a job order."""
    return sum(
        (
            -one.good if one.kind is PostingKind.REVERSE else one.good
            for one in postings(shop)
            if one.job_order == job
        ),
        ZERO,
    )


def test_three_of_ten_are_taken_back_and_then_the_rest() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    job = shop.begin("cut")
    shop.report("cut", 10)
    shop.complete("cut")
    report = the_last(shop, "cut")

    told = part(shop, report, 3)

    assert shop.by_id(job).good == 7 == standing(shop, job)
    assert shop.at_step("cut")["queued"] == 3
    assert shop.at_step("mill") == {"queued": 7}
    follow_on = shop.by_id(told["follow_on"])
    assert follow_on.planned == 3
    assert follow_on.follows == job
    part(shop, report, 2)
    assert shop.by_id(follow_on.id).planned == 5
    reverse(shop, report)
    assert [shop.by_id(job).good, standing(shop, job)] == [0, 0]
    assert shop.by_id(follow_on.id).planned == 10
    taken = [one for one in bookings(shop, job) if one.reverses == report.seq]
    assert [one.good for one in taken] == [-3, -2, -5]
    whole = shop.state.reversal.get(report.seq)
    assert whole is not None
    assert [whole.good, len(whole.earlier)] == [10, 2]
    assert whole.is_whole
    assert is_sound(shop)


def test_no_more_is_taken_back_than_is_left() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 6, scrap=scrapped(1))
    report = the_last(shop, "cut")
    part(shop, report, 4)

    beyond = refused(shop, report, quantity=Decimal(3))
    scrap = {"quantity": Decimal(2), "reported_as": ReportedAs.SCRAP}
    more = refused(shop, report, **scrap)

    assert beyond.unmet == ("quantity_left: 3 asked for, 2 good",)
    assert more.unmet == ("quantity_left: 2 asked for, 1 scrap",)
    shop.malformed(reversing(shop, report, quantity=ZERO))
    shop.malformed(reversing(shop, report, quantity=Decimal("0.5")))
    part(shop, report, 1, "scrap")
    part(shop, report, 2)
    assert "reversed already" in refused(shop, report, quantity=Decimal(1)).message
    reversal = the_last(shop, "cut", BookingKind.REVERSAL)
    assert "a reversal is not reversed" in refused(shop, reversal).message
    assert shop.at_step("cut") == {"queued": 10, "started": 10}


def test_what_the_successor_has_is_named_and_the_rest_can_be_taken_back() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    mill = shop.begin("mill")
    shop.report("mill", 7)
    report = the_last(shop, "cut")

    answer = refused(shop, report, quantity=Decimal(4))

    assert "1 of the 4 C62" in answer.message
    assert answer.unmet == (f"pieces_there: {mill} at mill has 7 reported",)
    part(shop, report, 3)
    assert shop.job("cut").planned == 3
    shop.run("cut", 3)
    shop.report("mill", 3)
    shop.complete("mill")
    assert shop.stock() == 10


def test_pieces_that_came_in_beyond_the_plan_go_with_the_part() -> None:
    shop = Shop(a_routing("cut", over_tolerance=Decimal("0.5")))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 14)

    part(shop, the_last(shop, "cut"), 3)

    assert shop.at_step("cut") == {"out": 11, "started": 11}
    reverse(shop, the_last(shop, "cut"))
    assert shop.at_step("cut") == {"queued": 10, "started": 10}


def test_what_the_part_was_made_of_goes_back_into_stock() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("2"),))))
    shop.receive("20")
    shop.make(10)
    shop.run("cut", 10)

    part(shop, the_last(shop, "cut"), 3)

    assert shop.stock("steel") == 6
    consumption = the_last(shop, "cut", BookingKind.CONSUMPTION, job="JO-000001")
    too_much = refused(shop, consumption, quantity=Decimal(15))
    assert too_much.unmet == ("quantity_left: 15 asked for, 14 consumed",)
    reverse(shop, consumption, quantity=Decimal(4))
    assert shop.stock("steel") == 10
    assert is_sound(shop)


def test_a_completion_is_taken_back_whole_also_after_a_part_of_it() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    shop.report("cut", 6)
    first = the_last(shop, "cut")
    shop.report("cut", 4)
    shop.complete("cut")
    part(shop, first, 2)
    end = the_last(shop, "cut", BookingKind.COMPLETION, job=job)
    shop.malformed(reversing(shop, end, quantity=Decimal(1)))

    told = reverse(shop, end)

    assert shop.by_id(job).good == 0
    assert shop.by_id(told["follow_on"]).planned == 10
    assert is_sound(shop)


def test_tools_are_less_worn_by_what_is_taken_back() -> None:
    shop = Shop(a_routing(a_step("cut", tools=("cutter",))))
    shop.ok(
        m.RegisterAsset(
            asset="T-1",
            asset_class="cutter",
            name="end mill",
            crib="C",
            life_unit=LifeUnit.PIECES,
            life=Decimal(10),
        )
    )

    def used() -> tuple[int, AssetState]:
        tool = shop.state.physical_asset.get("T-1")
        assert tool is not None
        return int(tool.used), tool.state

    shop.make(20)
    job = shop.begin("cut")
    shop.report("cut", 10)
    assert used() == (10, AssetState.WORN)
    part(shop, the_last(shop, "cut"), 3)
    assert used() == (7, AssetState.AVAILABLE)
    shop.report("cut", 3)
    shop.ok(m.ReturnTool(asset="T-1", renews_life=True, reason="reground"))
    reverse(shop, the_last(shop, "cut", job=job))
    assert used() == (0, AssetState.AVAILABLE)  # It was worn in the life before.
    assert is_sound(shop)


def test_a_time_window_that_pieces_had_started_comes_to_nothing() -> None:
    shop = Shop(
        a_routing("cut", "mill", time_windows=(window("cut", "mill", max_s=60),))
    )
    shop.make(10)
    shop.run("cut", 10)
    report = the_last(shop, "cut")
    part(shop, report, 4)
    [armed] = shop.state.time_window.values()
    assert armed.state is WindowState.ARMED  # Six are in it still.
    reverse(shop, report)
    [armed] = shop.state.time_window.values()
    assert armed.state is WindowState.VOID
    shop.at += 100 * SECOND
    shop.run("cut", 10)
    shop.run("mill", 10)
    assert shop.stock() == 10


def test_a_time_window_that_an_end_had_ended_runs_on() -> None:
    rule = window("cut", "mill", max_s=60, ends_at=WindowPoint.ENDED)
    shop = Shop(a_routing("cut", "mill", time_windows=(rule,)))
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)
    [ended] = shop.state.time_window.values()
    assert ended.state is WindowState.SATISFIED

    part(shop, the_last(shop, "mill"), 2)

    _, again = shop.state.time_window.values()
    assert (again.state, again.armed_at) == (WindowState.ARMED, ended.armed_at)
    shop.at += 100 * SECOND
    shop.ok(m.CheckTimeWindows())
    [violated] = shop.facts(f.TimeWindowViolated)
    assert violated.window == again.id
    assert is_sound(shop)


@settings(max_examples=30, deadline=None)
@given(is_over=st.booleans(), data=st.data())
def test_however_it_is_parted_all_comes_back(
    *, is_over: bool, data: st.DataObject
) -> None:
    """Parts of good, scrap and suspect pieces, up to the whole, in any order."""
    shop = Shop(a_routing("cut", "mill", over_tolerance=Decimal("0.3")))
    shop.make(10)
    job = shop.begin("cut", in_process=data.draw(st.integers(0, 10)))
    scrap, suspect = data.draw(st.integers(0, 3)), 0 if is_over else 1
    good = 12 - scrap - suspect
    shop.report(
        "cut", good, scrap=scrapped(scrap), suspect=Decimal(suspect), reason="count"
    )
    if is_over:
        shop.complete("cut")
    report = the_last(shop, "cut")
    left = {"good": good, "scrap": scrap, "suspect": suspect}
    while any(left.values()):
        kind = data.draw(st.sampled_from([one for one, many in left.items() if many]))
        quantity = data.draw(st.integers(1, left[kind]))
        part(shop, report, quantity, kind)
        left[kind] -= quantity
    assert shop.by_id(job).good == shop.by_id(job).scrap == 0
    there = shop.at_step("cut")
    assert there.get("queued", 0) + there.get("in_process", 0) == there["started"] == 10
    assert (shop.by_id(job).state is S.ENDED_COMPLETED) is is_over
    assert is_sound(shop)
