"""The WIP ledger: the arcs of the domain and no others; no law broken by a move."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import laws
from mes_engine.core.wip_ledger import (
    ACROSS,
    BETWEEN_LOTS,
    HELD,
    NOT_STARTED,
    SOURCES,
    WITHIN,
    Bucket,
    LawBroken,
    Move,
    Position,
    apply_move,
)
from tests.core.plants import a_step, in_batches, steel
from tests.core.shop import Shop

ZERO = Decimal(0)
HELD_ON_FLOOR = ("queued", "in_process", "suspect", "out", "transit")


def a_position(**changed: Any) -> Position:
    fields: dict[str, Any] = {
        "lot": "L-1",
        "place": "WR-1/cut/1",
        "material": "bracket",
        "unit": "C62",
        "is_stock": False,
        "request": "WR-1",
    }
    return Position(**fields | changed)


def a_move(
    bucket: Bucket, to_bucket: Bucket, quantity: int = 1, **changed: Any
) -> Move:
    fields: dict[str, Any] = {
        "seq": 1,
        "lot": "L-1",
        "material": "bracket",
        "unit": "C62",
        "quantity": Decimal(quantity),
        "place": "WR-1/cut/1",
        "bucket": bucket,
        "to_place": "WR-1/cut/1",
        "to_bucket": to_bucket,
        "request": "WR-1",
        "job_order": None,
        "run": None,
        "at": 0,
        "person": "",
    }
    return Move(**fields | changed)


def test_nothing_comes_out_of_a_sink_and_nothing_goes_into_a_source() -> None:
    sinks = {"scrap", "lost", "tested", "consumed", "shipped"}
    sources = {"started", "produced", "received", "found"}
    for bucket, to_bucket in WITHIN | ACROSS:
        assert bucket.value not in sinks
        assert to_bucket.value not in sources


def test_what_goes_across_is_what_the_domain_says() -> None:
    told = {("transit", "queued"), ("out", "stock"), ("stock", "stock")}

    assert {(one.value, to.value) for one, to in ACROSS} == told


@given(
    bucket=st.sampled_from(Bucket),
    to_bucket=st.sampled_from(Bucket),
    there=st.integers(0, 5),
    quantity=st.integers(-1, 6),
)
def test_a_move_within_a_position_keeps_the_laws_or_is_none(
    bucket: Bucket, to_bucket: Bucket, there: int, quantity: int
) -> None:
    position = a_position(started=Decimal(there))
    if bucket not in SOURCES:
        position = a_position(found=Decimal(there), **{bucket.value: Decimal(there)})
    move = a_move(bucket, to_bucket, quantity)
    is_lawful = (
        (bucket, to_bucket) in WITHIN | NOT_STARTED
        and quantity > 0
        and (bucket in SOURCES or quantity <= there)
        and (to_bucket not in SOURCES or quantity <= position.of(to_bucket))
        and position.came == position.went
    )

    if not is_lawful:
        with pytest.raises(LawBroken):
            apply_move(move, None, position)
        return
    source, after = apply_move(move, None, position)

    assert source is None
    assert list(laws.broken_position_laws([after])) == []
    change = quantity if bucket in SOURCES else -quantity
    assert after.of(bucket) == position.of(bucket) + change
    got = -quantity if to_bucket in SOURCES else quantity
    assert after.of(to_bucket) == position.of(to_bucket) + got


def test_what_nobody_worked_on_is_as_if_it_was_never_started() -> None:
    position = a_position(started=Decimal(5), queued=Decimal(3), out=Decimal(2))

    _, after = apply_move(a_move(Bucket.QUEUED, Bucket.STARTED, 3), None, position)

    assert after.queued == 0
    assert after.started == after.out == 2
    with pytest.raises(LawBroken, match="L0"):
        apply_move(a_move(Bucket.QUEUED, Bucket.STARTED, 4), None, position)


def test_a_move_to_another_position_takes_and_gives_the_same() -> None:
    source = a_position(started=Decimal(5), transit=Decimal(5))
    target = a_position(place="WR-1/mill/1")
    move = a_move(Bucket.TRANSIT, Bucket.QUEUED, 3, to_place="WR-1/mill/1")

    left, came = apply_move(move, source, target)

    assert left is not None
    assert [left.transit, left.moved_out] == [2, 3]
    assert [came.queued, came.moved_in] == [3, 3]


@pytest.mark.parametrize("bucket", HELD)
def test_a_split_stays_in_its_bucket_and_at_its_place(bucket: Bucket) -> None:
    source = a_position(found=Decimal(5), **{bucket.value: Decimal(5)})
    target = a_position(lot="L-2")

    left, came = apply_move(a_move(bucket, bucket, 3, to_lot="L-2"), source, target)

    assert left is not None
    assert [left.of(bucket), left.split_out, left.moved_out] == [2, 3, 0]
    assert [came.of(bucket), came.split_in, came.moved_in] == [3, 3, 0]
    assert list(laws.broken_position_laws([left, came])) == []
    for wrong in (
        a_move(bucket, Bucket.SCRAP, 1, to_lot="L-2"),
        a_move(bucket, bucket, 1, to_lot="L-2", to_place="WR-1/mill/1"),
        a_move(bucket, bucket, 6, to_lot="L-2"),
    ):
        with pytest.raises(LawBroken):
            apply_move(wrong, source, target)


def test_nothing_that_was_sunk_changes_its_lot() -> None:
    assert {one for one, _ in BETWEEN_LOTS} == set(HELD)


def broken(shop: Shop) -> list[str]:
    return [one.partition(":")[0] for one in shop.broken_laws()]


def half_way() -> Shop:
    """Pieces queued, in process, out, moved on; material consumed; one posting."""
    shop = Shop(in_batches(a_step("cut", consumes=(steel("1"),)), "mill", of=5))
    shop.receive("100")
    shop.make(10)
    shop.begin("cut", in_process=2)
    shop.report("cut", 6)
    return shop


def test_a_shop_half_way_breaks_no_law() -> None:
    assert broken(half_way()) == []


@pytest.mark.parametrize("bucket", HELD_ON_FLOOR)
def test_a_row_that_somebody_changed_is_found(bucket: str) -> None:
    """A piece too many anywhere breaks the laws of the position and of the request."""
    shop = half_way()
    for position in list(shop.state.position.values()):
        if position.request is None:
            continue
        more = position.of(Bucket(bucket)) + 1
        shop.state.position.put(msgspec.structs.replace(position, **{bucket: more}))
        assert {"L1", "L4"} <= set(broken(shop))
        shop.state.position.put(position)
    assert broken(shop) == []


def test_a_balance_below_zero_is_found() -> None:
    shop = half_way()
    position = next(one for one in shop.state.position.values() if one.request)
    shop.state.position.put(
        msgspec.structs.replace(position, lost=Decimal(-1), scrap=Decimal(1))
    )

    assert broken(shop) == ["L0"]


def test_a_connection_that_sent_what_never_arrived_is_found() -> None:
    shop = half_way()
    flow = next(shop.state.connection_flow.values())
    for changes in ({"sent": flow.sent + 1}, {"arrived": flow.arrived + 1}):
        shop.state.connection_flow.put(msgspec.structs.replace(flow, **changes))
        assert set(broken(shop)) == {"L2"}


def test_pieces_of_a_lot_that_is_not_there_are_found() -> None:
    shop = half_way()
    position = next(one for one in shop.state.position.values() if one.request)
    shop.state.position.put(msgspec.structs.replace(position, lot="L-9", request=None))

    assert "L3" in broken(shop)


def test_a_posting_that_does_not_say_what_was_reported_is_found() -> None:
    shop = half_way()
    shop.report("cut", 4)
    shop.complete("cut")
    assert broken(shop) == []
    posting = next(shop.state.posting.values())

    shop.state.posting.put(msgspec.structs.replace(posting, good=Decimal(9)))
    assert broken(shop) == ["L5"]
    shop.state.posting.put(msgspec.structs.replace(posting, stream_seq=2))
    assert broken(shop) == ["L5"]


@given(st.lists(st.tuples(st.sampled_from(sorted(WITHIN)), st.integers(1, 9))))
def test_whatever_moves_nothing_is_lost_or_invented(
    moves: Sequence[tuple[tuple[Bucket, Bucket], int]],
) -> None:
    position = a_position()
    begun = 0
    for (bucket, to_bucket), quantity in moves:
        try:
            _, position = apply_move(
                a_move(bucket, to_bucket, quantity), None, position
            )
        except LawBroken:
            continue
        begun += quantity if bucket in SOURCES else 0

    assert position.came == position.went == begun
