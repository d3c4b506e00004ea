"""Edges: alarms that follow a level, and what is done when one changes."""

from typing import Any

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.alarms import Alarm
from mes_engine.core.machine_rules import EdgeDirection, EdgeRule, MachineAction
from mes_engine.core.plant import SignalMeaning
from mes_engine.core.runs import Lane
from mes_engine.core.samples import Origin, Quality
from tests.core.plants import LINK, a_plant, a_routing, a_signal
from tests.core.shop import SECOND, Shop

JAM, WORD = "cut-1.jam", "cut-1.word"
ID = "cut-1.jammed"


def an_edge(**changed: Any) -> EdgeRule:
    """An alarm while the cutter is jammed."""
    fields: dict[str, Any] = {
        "id": ID,
        "work_unit": "cut-1",
        "link": LINK,
        "tag": JAM,
        "does": MachineAction.ALARM,
        "payload": {"code": WORD},
        "given": {"text": "jammed"},
        "severity": 700,
    }
    return EdgeRule(**fields | changed)


def shop_with(rule: EdgeRule, *, is_up: bool = False) -> Shop:
    """A shop that has heard the level once."""
    plant = a_plant()
    values = (a_signal(tag, means=SignalMeaning.VALUE) for tag in (JAM, WORD))
    shop = Shop(
        a_routing("cut", "mill"),
        plant=msgspec.structs.replace(
            plant, signals=(*plant.signals, *values), edges=(rule,)
        ),
    )
    shop.sense(JAM, is_up, origin=Origin.INITIAL)
    return shop


def alarms(shop: Shop) -> list[Alarm]:
    return shop.state.alarm.find("work_unit", "cut-1")


def test_an_alarm_is_up_as_long_as_the_level() -> None:
    shop = shop_with(an_edge())
    shop.sense(WORD, 4711)
    shop.sense(JAM, value=True)
    (alarm,) = alarms(shop)
    assert (alarm.code, alarm.text, alarm.severity) == ("4711", "jammed", 700)
    assert alarm.raised_at == shop.at
    shop.sense(JAM, value=False)
    assert alarms(shop) == []
    assert shop.state.alarm.get(ID) == msgspec.structs.replace(
        alarm, cleared_at=shop.at
    )


def test_without_code_or_text_an_alarm_has_the_name_of_its_rule() -> None:
    shop = shop_with(an_edge(payload={}, given={}))
    shop.sense(JAM, 1)
    (alarm,) = alarms(shop)
    assert (alarm.code, alarm.text) == ("jammed", "jammed")


def test_an_alarm_may_be_up_while_the_level_is_down() -> None:
    shop = shop_with(an_edge(on=EdgeDirection.FALLING), is_up=True)
    assert alarms(shop) == []
    shop.sense(JAM, value=False)
    assert len(alarms(shop)) == 1


def test_a_level_that_was_there_at_the_first_look_is_an_alarm_and_no_edge() -> None:
    shop = shop_with(an_edge(), is_up=True)
    assert len(alarms(shop)) == 1
    rule = an_edge(does=MachineAction.PAUSE, given={"reason": "jam"}, payload={})
    shop = shop_with(rule, is_up=True)
    assert shop.facts(f.TransactionDecided) == []


def test_a_reconnect_sets_the_level_and_does_not_fire() -> None:
    rule = an_edge(does=MachineAction.PAUSE, given={"reason": "jam"}, payload={})
    shop = shop_with(rule)
    shop.make(10)
    shop.begin("cut")
    shop.sense(JAM, value=True, origin=Origin.INITIAL)
    shop.sense(JAM, value=True)
    assert shop.job("cut").state.value == "running.processing"
    shop.sense(JAM, value=False)
    shop.sense(JAM, value=True)
    assert shop.job("cut").state.value == "interrupted.suspended"


def test_nor_does_the_first_value_after_bad_quality() -> None:
    rule = an_edge(does=MachineAction.PAUSE, given={"reason": "jam"}, payload={})
    shop = shop_with(rule)
    shop.sense(JAM, None, quality=Quality.BAD)
    shop.sense(JAM, value=True)
    assert shop.facts(f.TransactionDecided) == []


def test_an_edge_does_what_a_person_could_at_its_own_time() -> None:
    rule = an_edge(
        does=MachineAction.PAUSE, given={"reason": "jam"}, payload={}, min_high_us=2000
    )
    shop = shop_with(rule)
    shop.make(10)
    job = shop.begin("cut")
    shop.sense(JAM, value=True)
    rose_at = shop.at
    assert shop.facts(f.TransactionDecided) == []
    shop.ok(m.CheckSignals())
    (fact,) = shop.facts(f.TransactionDecided)
    assert (fact.transaction.at, fact.transaction.job_order) == (rose_at, job)
    moved = [one for one in shop.facts(f.JobOrderMoved) if one.trigger == "pause"]
    assert [one.at for one in moved] == [rose_at]


def test_a_glitch_does_nothing() -> None:
    rule = an_edge(min_high_us=2 * SECOND)
    shop = shop_with(rule)
    shop.sense(JAM, value=True)
    shop.sense(JAM, value=False)
    shop.at += 10 * SECOND
    shop.ok(m.CheckSignals())
    assert shop.facts(f.AlarmRaised) == []


def test_a_refused_edge_is_kept_and_is_an_alarm() -> None:
    rule = an_edge(does=MachineAction.COMPLETE, given={}, payload={})
    shop = shop_with(rule)
    shop.sense(JAM, value=True)
    (fact,) = shop.facts(f.TransactionDecided)
    assert fact.transaction.message == "No job order is on cut-1."
    assert [one.code for one in alarms(shop)] == ["request_refused"]


@pytest.mark.parametrize(
    ("on", "expected"),
    [(EdgeDirection.RISING, 1), (EdgeDirection.FALLING, 1), (EdgeDirection.BOTH, 2)],
)
def test_an_edge_is_of_its_direction(on: EdgeDirection, expected: int) -> None:
    shop = shop_with(an_edge(on=on, does=MachineAction.RESUME, given={}, payload={}))
    for level in (True, True, False, False):
        shop.sense(JAM, value=level)
    assert len(shop.facts(f.TransactionDecided)) == expected


def changing_over() -> Shop:
    """Two requests on the cutter: one at work, one staged."""
    rule = an_edge(does=MachineAction.CHANGEOVER, given={}, payload={})
    shop = shop_with(rule)
    shop.make(10)
    shop.make(10, request="WR-2")
    shop.begin("cut")
    second = shop.job("cut", "WR-2").id
    command = m.LoadJobOrder(job_order=second, work_unit="cut-1", lane=Lane.STAGED)
    shop.ok(command)
    return shop


def test_a_changeover_begins_what_is_staged_at_the_sources_time() -> None:
    shop = changing_over()
    shop.report("cut", 10)
    shop.sense(JAM, value=True)
    assert shop.job("cut").state.value.startswith("ended")
    following = shop.job("cut", "WR-2")
    assert following.state.value == "running.processing"
    assert following.begun_at == shop.at


def test_what_is_not_done_gives_up_its_place_and_goes_on_later() -> None:
    shop = changing_over()
    shop.report("cut", 4)
    shop.sense(JAM, value=True)
    assert shop.job("cut").state.value == "interrupted.suspended"
    assert shop.job("cut").run is None
    assert shop.job("cut", "WR-2").state.value == "running.processing"


def test_a_person_may_change_over_too_if_something_is_staged() -> None:
    shop = changing_over()
    shop.ok(m.ChangeOver(work_unit="cut-1"))
    answer = shop.refused(m.ChangeOver(work_unit="cut-1"))
    assert answer.unmet == ("staged_run: cut-1 has none",)


def test_a_count_after_the_changeover_is_of_the_next_one() -> None:
    shop = changing_over()
    shop.sense("cut-1.good", 100)
    shop.sense("cut-1.good", 103)
    shop.sense(JAM, value=True)
    shop.sense("cut-1.good", 105)
    assert int(shop.job("cut").good) == 3
    assert int(shop.job("cut", "WR-2").good) == 2
