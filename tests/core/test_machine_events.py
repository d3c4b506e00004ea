"""Messages of machines: each is done once, however often it is told."""

from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.machine_rules import EventRule, MachineAction
from mes_engine.core.samples import EventRefresh, EventSample, Origin
from tests.core.plants import LINK, a_plant, a_routing
from tests.core.shop import Shop


def an_event(**changed: Any) -> EventRule:
    """The cutter tells each cycle, with its parts."""
    fields: dict[str, Any] = {
        "id": "cut-1.cycle",
        "work_unit": "cut-1",
        "link": LINK,
        "event": "CycleComplete",
        "does": MachineAction.REPORT,
        "key": "PartNo",
        "where": {"Source": "cut-1"},
        "fields": {"scrap": "Scrap"},
        "given": {"good": "1"},
    }
    return EventRule(**fields | changed)


def shop_with(*rules: EventRule) -> Shop:
    shop = Shop(
        a_routing("cut"), plant=msgspec.structs.replace(a_plant(), events=rules)
    )
    shop.make(100)
    shop.begin("cut")
    return shop


def tell(shop: Shop, **changed: Any) -> None:
    """Let the cutter send a message."""
    shop.at += 1_000_000
    values: dict[str, Any] = {
        "kind": "CycleComplete",
        "key": f"event-{shop.sent}",
        "fields": {"PartNo": 1, "Source": "cut-1", "Scrap": 0},
        "source_at": shop.at,
        "received_at": shop.at,
    }
    shop.hear(EventSample(**values | changed))
    shop.commit()
    assert shop.broken_laws() == []


def part(number: int, **more: Any) -> dict[str, Any]:
    return {"PartNo": number, "Source": "cut-1", "Scrap": 0, **more}


def test_a_message_does_what_its_rule_says() -> None:
    shop = shop_with(an_event())
    tell(shop, fields=part(1))
    tell(shop, fields=part(2, Scrap=1))
    assert shop.at_step("cut")["out" if "out" in shop.at_step("cut") else "scrap"]
    assert (int(shop.job("cut").good), shop.at_step("cut")["scrap"]) == (2, 1)
    (first, _) = shop.facts(f.TransactionDecided)
    assert (first.transaction.key, first.transaction.rule) == ("1", "cut-1.cycle")


def test_a_message_that_comes_again_is_done_once() -> None:
    shop = shop_with(an_event())
    for origin in (Origin.LIVE, Origin.REPLAY, Origin.BACKFILL):
        tell(shop, fields=part(1), origin=origin)
    assert int(shop.job("cut").good) == 1
    assert len(shop.facts(f.TransactionDecided)) == 1


def test_without_a_key_of_its_own_the_messages_id_tells() -> None:
    shop = shop_with(an_event(key=""))
    for _ in range(3):
        tell(shop, key="abc")
    tell(shop, key="abd")
    assert int(shop.job("cut").good) == 2


def test_a_message_of_another_machine_is_not_its_business() -> None:
    shop = shop_with(an_event())
    tell(shop, fields=part(1, Source="mill-1"))
    tell(shop, kind="SomethingElse")
    assert shop.facts(f.TransactionDecided) == []


def test_a_message_without_its_key_is_a_gap() -> None:
    shop = shop_with(an_event())
    tell(shop, fields={"Source": "cut-1"})
    assert [one.reason for one in shop.facts(f.GapSeen)] == [
        "a message without 'PartNo'"
    ]


def test_a_refused_message_is_kept_and_not_tried_again() -> None:
    shop = shop_with(an_event())
    tell(shop, fields=part(1, Scrap=500))
    tell(shop, fields=part(1, Scrap=0))
    (fact,) = shop.facts(f.TransactionDecided)
    assert fact.transaction.outcome == "refused"
    assert int(shop.job("cut").good) == 0


def test_an_alarm_is_raised_and_cleared_by_messages() -> None:
    rule = an_event(
        does=MachineAction.ALARM,
        key="",
        given={},
        fields={"code": "Code"},
        active="Active",
    )
    shop = shop_with(rule)
    tell(
        shop,
        fields={"Source": "cut-1", "Active": True, "Code": 17},
        severity=900,
        text="too hot",
    )
    (alarm,) = shop.state.alarm.find("work_unit", "cut-1")
    assert (alarm.code, alarm.severity, alarm.text) == ("17", 900, "too hot")
    tell(shop, fields={"Source": "cut-1", "Active": False})
    assert shop.state.alarm.find("work_unit", "cut-1") == []


def a_condition(name: str, number: int, **changed: Any) -> EventSample:
    """A state of something, as the cutter tells it."""
    values: dict[str, Any] = {
        "kind": "CycleComplete",
        "key": f"{name}-{number}",
        "condition": name,
        "fields": {"Source": "cut-1", "Active": True},
        "text": f"{name} is hot",
        "received_at": number * 1_000_000,
    }
    return EventSample(**values | changed)


def is_off(number: int, name: str) -> EventSample:
    return a_condition(name, number, fields={"Source": "cut-1", "Active": False})


AN_ALARM: dict[str, Any] = {
    "does": MachineAction.ALARM,
    "key": "",
    "given": {},
    "fields": {},
    "active": "Active",
}


def hear(shop: Shop, *events: EventSample) -> None:
    for event in events:
        shop.at += 1_000_000
        shop.hear(msgspec.structs.replace(event, received_at=shop.at))
        shop.commit()


def refresh(shop: Shop, *standing: EventSample) -> None:
    shop.at += 1_000_000
    shop.hear(EventRefresh(kind="CycleComplete", standing=standing, at=shop.at))
    shop.commit()
    assert shop.broken_laws() == []


def alarms_up(shop: Shop) -> list[str]:
    found = shop.state.alarm.find("work_unit", "cut-1")
    return sorted(one.id for one in found)


def test_each_condition_is_an_alarm_of_its_own() -> None:
    shop = shop_with(an_event(**AN_ALARM))
    hear(shop, a_condition("saw", 1), a_condition("oil", 1))
    assert alarms_up(shop) == ["cut-1.cycle/oil", "cut-1.cycle/saw"]
    hear(shop, is_off(2, "oil"))
    assert alarms_up(shop) == ["cut-1.cycle/saw"]


def test_a_refresh_has_alarms_as_the_conditions_are() -> None:
    shop = shop_with(an_event(**AN_ALARM))
    hear(shop, a_condition("saw", 1), a_condition("oil", 1))
    refresh(shop, a_condition("oil", 1), a_condition("fan", 9), is_off(3, "lid"))
    assert alarms_up(shop) == ["cut-1.cycle/fan", "cut-1.cycle/oil"]
    refresh(shop)
    assert alarms_up(shop) == []
    refresh(shop, a_condition("oil", 1))
    assert alarms_up(shop) == ["cut-1.cycle/oil"]
    raised = len(shop.facts(f.AlarmRaised))
    refresh(shop, a_condition("oil", 1))
    assert len(shop.facts(f.AlarmRaised)) == raised


def test_a_refresh_of_others_clears_nothing() -> None:
    shop = shop_with(an_event(**AN_ALARM))
    hear(shop, a_condition("saw", 1))
    shop.hear(EventRefresh(kind="Other", standing=(), at=shop.at))
    shop.commit()
    assert alarms_up(shop) == ["cut-1.cycle/saw"]


def test_a_refresh_does_what_else_a_message_does_and_once() -> None:
    shop = shop_with(an_event(key=""))
    event = a_condition("saw", 1)
    refresh(shop, event)
    refresh(shop, event)
    hear(shop, event)
    assert int(shop.job("cut").good) == 1
