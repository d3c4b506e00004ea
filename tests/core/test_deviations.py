"""Deviations: pieces go another way, with a reason, a right and a record of it."""

from decimal import Decimal
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.personnel import Qualification, QualificationNeed
from tests.core.loops import begin, held_at, is_sound, live, wide, with_a_loop, work
from tests.core.plants import a_routing
from tests.core.shop import Shop


def a_deviation(job: JobOrder, to_step: str, **changed: Any) -> m.DeviateLot:
    fields: dict[str, Any] = {
        "job_order": job.id,
        "to_step": to_step,
        "reason": "the mill is down",
    }
    return m.DeviateLot(**fields | changed)


def at_milling(**changed: Any) -> Shop:
    shop = wide(a_routing("cut", "mill", "drill", "paint", "pack", **changed))
    shop.make(10)
    work(shop, live(shop, "cut"), 10)
    return shop


def test_some_pieces_go_around_two_steps_and_the_rest_the_usual_way() -> None:
    shop = at_milling()
    mill = live(shop, "mill")
    told = shop.ok(a_deviation(mill, "paint", quantity=Decimal(4)))

    assert held_at(shop, "WR-1/paint/1") == {"queued": 4}
    assert shop.by_id(told["job_order"]).state is JobOrderState.ALLOWED_READY
    (fact,) = shop.facts(f.LotDeviated)
    assert fact.skipped == ("mill", "drill")
    assert [fact.parent, fact.reason] == ["L-000001", "the mill is down"]
    work(shop, mill, 6)
    work(shop, live(shop, "drill"), 6)
    work(shop, live(shop, "paint"), 10)
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_what_nothing_comes_to_any_more_is_given_up() -> None:
    shop = at_milling()
    mill = live(shop, "mill")
    shop.ok(a_deviation(mill, "paint"))

    assert shop.by_id(mill.id).state is JobOrderState.CANCELLED
    assert [job.state for job in shop.jobs("drill")] == [JobOrderState.CANCELLED]
    assert shop.facts(f.LotSplit) == []
    work(shop, live(shop, "paint"), 10)
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_pieces_can_be_sent_back_without_a_loop() -> None:
    """The step was done: its visit is open again, with a follow-on job order."""
    shop = at_milling()
    mill = begin(shop, live(shop, "mill"))
    shop.ok(a_deviation(mill, "cut", quantity=Decimal(3)))

    again = live(shop, "cut")
    assert again.planned == 3
    assert again.follows is not None
    (fact,) = shop.facts(f.LotDeviated)
    assert fact.skipped == ()
    work(shop, again, 3)
    work(shop, mill, 10)
    for step in ("drill", "paint", "pack"):
        work(shop, live(shop, step), 10)
    assert shop.stock() == 10
    assert shop.broken_laws() == []


def test_what_is_out_has_been_worked() -> None:
    shop = wide(with_a_loop())
    shop.make(10)
    cut = begin(shop, live(shop, "cut"))
    shop.report("cut", 4)
    shop.ok(a_deviation(cut, "drill", taken_from=m.ReworkFrom.OUT))

    (fact,) = shop.facts(f.LotDeviated)
    assert fact.skipped == ("mill",)
    assert [shop.by_id(cut.id).deviated, shop.by_id(cut.id).good] == [0, 4]
    assert is_sound(shop)


def test_what_was_deviated_is_not_started_anew() -> None:
    shop = wide(with_a_loop())
    shop.make(10)
    cut = begin(shop, live(shop, "cut"))
    shop.ok(a_deviation(cut, "drill", quantity=Decimal(3)))
    work(shop, cut, 7)

    assert sum(one.started for one in shop.state.position.values()) == 10
    assert is_sound(shop)


def test_a_deviation_needs_a_reason_a_place_and_pieces() -> None:
    shop = at_milling()
    mill, cut = live(shop, "mill"), shop.job("cut")

    shop.malformed(a_deviation(mill, "paint", reason=" "))
    shop.malformed(a_deviation(mill, "paint", quantity=Decimal(0)))
    for to_step in ("mill", "weld"):
        answer = shop.refused(a_deviation(mill, to_step))
        assert answer.hint == "Steps that take pieces: cut, drill, paint, pack."
    assert "ended" in shop.refused(a_deviation(cut, "paint")).message
    answer = shop.refused(a_deviation(mill, "paint", quantity=Decimal(11)))
    assert "11 asked for, 10 there" in answer.message
    assert shop.refused(a_deviation(live(shop, "drill"), "paint")).unmet


def test_only_who_has_the_right_may_deviate() -> None:
    shop = at_milling(deviation=QualificationNeed(name="quality", level=2))
    mill = live(shop, "mill")
    assert (
        "is not known to have 'quality'"
        in shop.refused(a_deviation(mill, "paint")).message
    )

    shop.ok(m.RegisterPerson(person="Maria", name="Maria"))
    one = Qualification(name="quality", level=1)
    shop.ok(m.GrantQualification(person="Maria", qualification=one))
    assert "level 2 is needed" in shop.refused(a_deviation(mill, "paint")).message
    two = Qualification(name="quality", level=2)
    shop.ok(m.GrantQualification(person="Maria", qualification=two))
    shop.ok(a_deviation(mill, "paint"))
