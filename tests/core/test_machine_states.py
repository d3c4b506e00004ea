"""What machines say of themselves: state words, links, and what is done with them."""

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.equipment import ItemState
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.samples import LinkState
from mes_engine.core.steps import BeginOn
from tests.core.plants import a_plant, a_routing, a_step
from tests.core.shop import Shop


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (6, ItemState.EXECUTING),
        pytest.param("6", ItemState.EXECUTING, id="6 as text"),
        (16, ItemState.EXECUTING),
        (4, ItemState.NOT_EXECUTING),
        (5, ItemState.NOT_EXECUTING),
        (11, ItemState.NOT_EXECUTING),
        (1, ItemState.OUT_OF_SERVICE),
        (8, ItemState.OUT_OF_SERVICE),
        (9, ItemState.OUT_OF_SERVICE),
    ],
)
def test_a_state_word_means_what_its_map_says(word: object, state: ItemState) -> None:
    shop = Shop()

    shop.sense("mill-1.state", word)

    found = shop.state.equipment.get("mill-1")
    assert found is not None
    assert found.item_state is state
    assert found.shown == state


def test_a_word_that_is_not_in_the_map_is_a_gap_and_no_state() -> None:
    shop = Shop()
    shop.sense("mill-1.state", 6)

    shop.sense("mill-1.state", 99)

    found = shop.state.equipment.get("mill-1")
    assert found is not None
    assert found.item_state is ItemState.EXECUTING
    assert len(shop.facts(f.GapSeen)) == 1


def test_a_map_of_the_plant_is_used_where_the_signal_names_it() -> None:
    plant = a_plant()
    signals = tuple(
        msgspec.structs.replace(one, state_map="lamp") for one in plant.signals
    )
    maps = {"lamp": {"green": "executing"}}
    shop = Shop(plant=a_plant(signals=signals, state_maps=maps))

    shop.sense("mill-1.state", "green")

    found = shop.state.equipment.get("mill-1")
    assert found is not None
    assert found.shown == "executing"


def test_a_lost_link_means_unknown_and_never_down() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    for unit in ("mill-1", "mill-2"):
        shop.sense(f"{unit}.state", 9)
    assert shop.job("mill").state is S.ALLOWED_WAITING

    shop.link(LinkState.DISCONNECTED)

    found = shop.state.equipment.get("mill-1")
    assert found is not None
    assert found.shown == "unknown"
    assert shop.job("mill").state is S.ALLOWED_READY

    shop.link(LinkState.CONNECTED)
    assert shop.job("mill").state is S.ALLOWED_WAITING


def test_a_machine_out_of_service_takes_nothing_and_stops_nothing() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10, request="WR-1")
    shop.make(10, request="WR-2")
    first, second = (shop.job("mill", name).id for name in ("WR-1", "WR-2"))
    shop.ok(m.LoadJobOrder(job_order=first, work_unit="mill-1"))
    shop.ok(m.BeginJobOrder(job_order=first))

    shop.sense("mill-1.state", 9)

    assert shop.by_id(first).state is S.RUNNING_PROCESSING
    answer = shop.refused(m.LoadJobOrder(job_order=second, work_unit="mill-1"))
    assert answer.unmet == ("equipment_available: mill-1 is out of service",)
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="mill-2"))


def test_executing_begins_what_waits_for_it() -> None:
    routing = a_routing(a_step("mill", begin_on=BeginOn.EXECUTING))
    shop = Shop(routing)
    shop.make(10)
    shop.load("mill")
    shop.sense("mill-1.state", 4)
    assert shop.job("mill").state is S.ALLOWED_LOADED

    shop.sense("mill-1.state", 6)

    assert shop.job("mill").state is S.RUNNING_PROCESSING
    assert shop.at_step("mill") == {"queued": 10, "started": 10}
