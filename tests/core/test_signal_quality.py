"""Quality, clocks and heartbeats: what is not to be believed moves nothing."""

from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.equipment import Equipment, ItemState, OperationMode
from mes_engine.core.plant import Plant, SignalMeaning
from mes_engine.core.samples import LinkState, Origin, Quality
from mes_engine.core.signals import TimeBasis
from mes_engine.core.steps import BeginOn
from tests.core.plants import LINK, a_plant, a_routing, a_signal, a_step
from tests.core.shop import SECOND, Shop

ALIVE, MODE, STATE = "mill-1.alive", "mill-1.mode", "mill-1.state"


def a_plant_that(**by_tag: dict[str, Any]) -> Plant:
    """The plant, with other signals of the first mill."""
    plant = a_plant()
    given = {f"mill-1.{name}": changed for name, changed in by_tag.items()}
    others = (one for one in plant.signals if one.tag not in given)
    signals = (a_signal(tag, **changed) for tag, changed in given.items())
    return msgspec.structs.replace(plant, signals=(*others, *signals))


def mill(shop: Shop) -> Equipment:
    known = shop.state.equipment.get("mill-1")
    assert known is not None
    return known


def wait(shop: Shop, seconds: float) -> None:
    shop.at += int(seconds * SECOND)
    shop.ok(m.CheckSignals())


def reasons(shop: Shop) -> list[str]:
    return [one.reason for one in shop.facts(f.GapSeen)]


def test_bad_quality_is_told_once_it_has_lasted() -> None:
    shop = Shop(plant=a_plant_that(good={"bad_us": 5 * SECOND}))
    shop.sense("mill-1.good", 10)
    shop.sense("mill-1.good", 0, quality=Quality.BAD)
    shop.sense("mill-1.good", None, quality=Quality.BAD)
    assert reasons(shop) == []
    wait(shop, 5)
    assert reasons(shop) == ["bad quality"]
    assert shop.state.signal.get("mill-1.good").is_bad  # type: ignore[union-attr]
    wait(shop, 60)
    assert reasons(shop) == ["bad quality"]


def test_bad_quality_that_passes_is_not_told_and_counts_nothing() -> None:
    shop = Shop(plant=a_plant_that(good={"bad_us": 5 * SECOND}))
    shop.sense("mill-1.good", 10)
    shop.sense("mill-1.good", 0, quality=Quality.BAD)
    shop.sense("mill-1.good", 11)
    wait(shop, 60)
    assert reasons(shop) == []
    known = shop.state.signal.get("mill-1.good")
    assert known is not None
    assert (known.position, known.epoch) == (1, 0)


def test_an_uncertain_value_is_accepted_and_flagged_once() -> None:
    shop = Shop()
    shop.sense("mill-1.good", 10)
    for count in (11, 12, 12):
        shop.sense("mill-1.good", count, quality=Quality.UNCERTAIN)
    known = shop.state.signal.get("mill-1.good")
    assert known is not None
    assert (known.position, known.is_uncertain) == (2, True)
    assert reasons(shop) == ["uncertain quality"]
    shop.sense("mill-1.good", 13)
    known = shop.state.signal.get("mill-1.good")
    assert known is not None
    assert (known.position, known.is_uncertain) == (3, False)


def test_what_the_device_dropped_is_a_gap() -> None:
    shop = Shop()
    shop.sense("mill-1.good", 10, overflow=True)
    assert reasons(shop) == ["the device dropped values before this one"]


def test_a_heartbeat_that_stands_still_leaves_the_machine_unknown() -> None:
    heart = {"means": SignalMeaning.HEARTBEAT, "stale_us": 10 * SECOND}
    shop = Shop(plant=a_plant_that(alive=heart))
    shop.link(LinkState.CONNECTED)
    shop.sense(STATE, 6)
    shop.sense(ALIVE, 1, origin=Origin.INITIAL)
    wait(shop, 8)  # a command of its own takes a second
    assert mill(shop).shown == "executing"
    wait(shop, 0)
    assert (mill(shop).link, mill(shop).shown) == (LinkState.STALE, "unknown")
    assert [one.code for one in shop.state.alarm.find("work_unit", "mill-1")] == [
        "heartbeat_frozen"
    ]
    shop.sense(ALIVE, 1)
    assert mill(shop).link is LinkState.STALE
    shop.sense(ALIVE, 2)
    assert mill(shop).shown == "executing"
    assert shop.state.alarm.find("work_unit", "mill-1") == []


def test_a_heartbeat_that_beats_keeps_the_machine_known_and_the_journal_small() -> None:
    heart = {"means": SignalMeaning.HEARTBEAT, "stale_us": 10 * SECOND}
    shop = Shop(plant=a_plant_that(alive=heart))
    shop.link(LinkState.CONNECTED)
    shop.sense(STATE, 6)
    for beat in range(100):
        shop.sense(ALIVE, beat)
        shop.ok(m.CheckSignals())
    assert mill(shop).shown == "executing"
    assert len(shop.facts(f.SignalWatched)) <= 200 / (10 / 2)  # in 200 seconds


def test_a_reconnect_that_finds_it_frozen_still_finds_it_out_again() -> None:
    heart = {"means": SignalMeaning.HEARTBEAT, "stale_us": 10 * SECOND}
    shop = Shop(plant=a_plant_that(alive=heart))
    shop.link(LinkState.CONNECTED)
    shop.sense(ALIVE, 1, origin=Origin.INITIAL)
    wait(shop, 10)
    shop.link(LinkState.DISCONNECTED)
    shop.link(LinkState.CONNECTED)
    shop.sense(ALIVE, 1, origin=Origin.INITIAL)
    wait(shop, 10)
    assert mill(shop).link is LinkState.STALE


def test_a_heartbeat_may_speak_for_all_that_its_link_brings() -> None:
    heart = {
        "means": SignalMeaning.HEARTBEAT,
        "stale_us": 10 * SECOND,
        "is_of_link": True,
    }
    shop = Shop(plant=a_plant_that(alive=heart))
    shop.link(LinkState.CONNECTED)
    shop.sense(ALIVE, 1)
    wait(shop, 10)
    links = {one.work_unit: one.link for one in shop.state.equipment.values()}
    assert set(links.values()) == {LinkState.STALE}
    assert len(links) > 3


def test_a_heartbeat_of_a_link_that_is_down_says_nothing() -> None:
    heart = {"means": SignalMeaning.HEARTBEAT, "stale_us": 10 * SECOND}
    shop = Shop(plant=a_plant_that(alive=heart))
    shop.link(LinkState.CONNECTED)
    shop.sense(ALIVE, 1)
    shop.link(LinkState.DISCONNECTED)
    wait(shop, 10)
    assert mill(shop).link is LinkState.DISCONNECTED


def test_a_clock_that_is_an_hour_behind_is_found_out_and_corrected() -> None:
    hour = 3600 * SECOND
    shop = Shop()
    for count in range(3):
        shop.sense("mill-1.good", count, source_at=shop.at + SECOND - hour)
    clock = shop.state.link_clock.get(LINK)
    assert clock is not None
    assert (clock.basis, clock.offset_us) == (TimeBasis.CORRECTED, hour)
    (alarm,) = shop.state.alarm.find("work_unit", "")
    assert alarm.code == "clock_skew"
    assert "3600 s behind ours" in alarm.text
    shop.sense(STATE, 6, source_at=shop.at + SECOND - hour)
    assert mill(shop).since == shop.at
    for count in range(3, 6):
        shop.sense("mill-1.good", count, source_at=shop.at + SECOND)
    clock = shop.state.link_clock.get(LINK)
    assert clock is not None
    assert (clock.basis, clock.offset_us) == (TimeBasis.SOURCE, 0)
    assert shop.state.alarm.find("work_unit", "") == []


def test_a_value_that_is_late_is_no_clock_that_is_wrong() -> None:
    shop = Shop()
    shop.sense("mill-1.good", 1, source_at=shop.at - 60 * SECOND)
    for count in range(2, 5):
        shop.sense("mill-1.good", count)
    for count, origin in enumerate((Origin.BACKFILL, Origin.INITIAL) * 3, start=5):
        late = shop.at - 60 * SECOND
        shop.sense("mill-1.good", count, source_at=late, origin=origin)
    clock = shop.state.link_clock.get(LINK)
    assert clock is not None
    assert not clock.is_skewed
    assert shop.facts(f.AlarmRaised) == []


def test_a_clock_that_is_right_leaves_no_trace() -> None:
    shop = Shop()
    for count in range(5):
        shop.sense("mill-1.good", count)
    assert shop.facts(f.LinkClockRead) == []


def test_a_state_word_has_to_last_and_is_dated_by_when_it_began() -> None:
    debounce = {"means": SignalMeaning.STATE, "debounce_us": 3 * SECOND}
    shop = Shop(plant=a_plant_that(state=debounce))
    shop.sense(STATE, 4)
    shop.sense(STATE, 6)
    began_at = shop.at
    shop.sense(STATE, 4)
    assert mill(shop).word == "4"
    shop.sense(STATE, 6)
    began_at = shop.at
    wait(shop, 3)
    assert (mill(shop).word, mill(shop).since) == ("6", began_at)


def test_the_version_of_the_map_is_kept_with_the_state() -> None:
    shop = Shop()
    shop.sense(STATE, 6)
    assert mill(shop).map_version == "TR88.00.02-2022"
    plant = msgspec.structs.replace(
        a_plant_that(state={"means": SignalMeaning.STATE, "state_map": "vendor"}),
        state_maps={"vendor": {"AUTO": "executing"}},
        map_versions={"vendor": "7"},
    )
    shop.ok(m.ApplyPlant(plant=plant))
    shop.sense(STATE, "AUTO")
    assert (mill(shop).map_version, mill(shop).item_state) == ("7", ItemState.EXECUTING)


def test_an_unknown_word_is_told_and_never_guessed() -> None:
    shop = Shop()
    shop.sense(STATE, 6)
    shop.sense(STATE, 99)
    assert (mill(shop).word, mill(shop).item_state) == ("6", ItemState.EXECUTING)
    assert reasons(shop) == ["state word '99' is not in its map"]


def test_under_maintenance_a_machine_that_moves_does_not_produce() -> None:
    mode = {"means": SignalMeaning.MODE}
    shop = Shop(
        a_routing(a_step("mill", begin_on=BeginOn.EXECUTING)),
        plant=a_plant_that(mode=mode),
    )
    shop.make(10)
    shop.load("mill")
    shop.sense(MODE, 2)
    shop.sense(STATE, 6)
    assert (mill(shop).mode, mill(shop).shown) == (
        OperationMode.MAINTENANCE,
        "out_of_service",
    )
    assert shop.job("mill").state.value == "allowed_to_start.loaded"
    shop.sense(MODE, 3)
    assert mill(shop).shown == "not_executing"
    shop.sense(MODE, 1)
    assert mill(shop).shown == "executing"
    assert shop.job("mill").state.value == "running.processing"


def test_an_unknown_mode_is_told_and_never_guessed() -> None:
    shop = Shop(plant=a_plant_that(mode={"means": SignalMeaning.MODE}))
    shop.sense(MODE, 31)
    assert reasons(shop) == ["mode '31' is not in its map"]
    assert shop.state.equipment.get("mill-1") is None
