"""Reversals reach the ERP as postings of their own, or are netted with the original."""

from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.postings import PostingKind, PostingState
from tests.core.correcting import (
    bookings,
    postings,
    refused,
    reverse,
    scrapped,
    signed,
    the_last,
)
from tests.core.plants import a_routing
from tests.core.shop import Shop

P = PostingState


def test_a_time_that_was_told_goes_with_its_report() -> None:
    shop = Shop(a_routing("paint"))
    shop.make(10)
    shop.begin("paint")
    shop.report("paint", 4, setup_s=Decimal(60))
    assert postings(shop)[-1].setup_s == 60

    reverse(shop, the_last(shop, "paint"))

    assert shop.job("paint").setup_us == 0
    assert (
        sum(
            -one.setup_s if one.kind is PostingKind.REVERSE else one.setup_s
            for one in postings(shop)
        )
        == 0
    )


def test_a_last_word_downstream_is_not_the_last_when_more_may_come() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 8, scrap=scrapped(2))
    shop.complete("cut")
    shop.run("mill", 8)
    assert [one for one in signed(shop) if one[0] == "mill"] == [
        ("mill", "pending", 8, True)
    ]
    cut = shop.job("cut").id

    refused(shop, the_last(shop, "cut", job=cut))
    assert shop.job("mill").is_final_posted


def test_unscrap_upstream_takes_the_last_word_of_the_next_step_back() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 8)
    shop.report("cut", scrap=scrapped(2))
    shop.complete("cut")
    shop.run("mill", 8)

    reverse(shop, the_last(shop, "cut"))

    assert [one for one in signed(shop) if one[0] == "mill"] == [
        ("mill", "netted", 8, True),
        ("mill", "netted", -8, True),
        ("mill", "pending", 8, False),
    ]
    assert not shop.job("mill").is_final_posted
    shop.run("cut", 2)
    shop.run("mill", 2)
    assert shop.stock() == 10
    assert signed(shop)[-1] == ("mill", "pending", 2, True)


def test_what_was_never_sent_is_netted_and_what_may_be_on_its_way_is_not() -> None:
    shop = Shop(a_routing("paint"))
    shop.make(10)
    shop.begin("paint")
    shop.report("paint", 2)
    shop.report("paint", 3)
    first, second = bookings(shop, shop.job("paint").id)

    reverse(shop, second)
    assert signed(shop) == [
        ("paint", "pending", 2, False),
        ("paint", "netted", 3, False),
        ("paint", "netted", -3, False),
    ]

    reverse(shop, first)
    assert signed(shop)[3:] == [("paint", "pending", -2, False)]
    assert postings(shop)[3].reverses == postings(shop)[0].key
    assert [one.stream_seq for one in postings(shop)] == [1, 2, 3, 4]


def test_a_reversal_waits_behind_what_is_parked_and_is_waived_with_it() -> None:
    shop = Shop(a_routing("paint"))
    shop.make(10)
    shop.begin("paint")
    shop.report("paint", 2)
    (posting,) = postings(shop)
    shop.ok(m.RecordPosting(posting=posting.key, state=P.PARKED, reason="period"))
    reverse(shop, the_last(shop, "paint"))
    assert [one.state for one in postings(shop)] == [P.PARKED, P.PENDING]

    shop.ok(m.WaivePosting(posting=posting.key, reason="never mind"))

    assert [one.state for one in postings(shop)] == [P.WAIVED, P.WAIVED]
    shop.report("paint", 2)
    shop.ok(m.RecordPosting(posting=postings(shop)[-1].key, state=P.WAIVED))
    reverse(shop, the_last(shop, "paint"))
    assert postings(shop)[-1].state is P.WAIVED
