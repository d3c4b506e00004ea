"""A shop on a virtual clock works off what it is asked, in the time that it takes."""

from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core.plant import BatchRule, Changeover, DispatchRule, Plant
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.simulation import (
    Calendar,
    Demand,
    Floor,
    Measures,
    Observer,
    SimulationStuck,
    StandardTimes,
    VirtualShop,
    components_short,
)
from tests.core.plants import (
    a_plant,
    a_routing,
    a_step,
    beside,
    in_batches,
    one_of_two,
    split_by_shares,
    steel,
)
from tests.core.shop import MONDAY, SECOND

HOUR = 3_600 * SECOND


def a_demand(number: int = 1, **changed: Any) -> Demand:
    fields: dict[str, Any] = {
        "work_request": f"WR-{number}",
        "routing": "R",
        "quantity": Decimal(10),
        "release_at": MONDAY,
        "due_at": MONDAY + HOUR,
    }
    return Demand(**fields | changed)


class Simulated:
    """A shop that has worked off a demand."""

    def __init__(
        self,
        routing: Routing,
        *demand: Demand,
        plant: Plant | None = None,
        stops: tuple[tuple[str, int, int], ...] = (),
    ) -> None:
        self.shop = VirtualShop(plant or a_plant(signals=()), [routing], at=MONDAY)
        self.calendar = Calendar(MONDAY)
        self.floor = Floor(self.shop, self.calendar, StandardTimes())
        self.observer = Observer({"WC-MILL": 2})
        self.shop.listen(self.observer.hear)
        self.journal: list[f.Recorded] = []
        self.shop.listen(self.journal.extend)
        for receipt in components_short(demand, {routing.id: routing}):
            self.shop.ok(receipt, at=MONDAY)
        for one in demand:
            self.floor.expect(one)
        for unit, at, for_us in stops:
            stop = partial(self.floor.stop, unit, for_us=for_us)
            self.calendar.at(MONDAY + at, stop)
        self.floor.run()
        self.measures: Measures = self.observer.measures(self.calendar.now)

    @property
    def lasted_s(self) -> int:
        return (self.calendar.now - MONDAY) // SECOND


def timed(*operations: str, setup_s: int = 60, run_s: int = 6) -> Routing:
    return a_routing(
        *(
            a_step(one, setup_s=Decimal(setup_s), run_s=Decimal(run_s))
            for one in operations
        )
    )


def test_one_request_takes_its_standard_times() -> None:
    done = Simulated(timed("cut", "mill", "pack"), a_demand())

    assert done.measures.completed == 1
    assert done.measures.cycle_mean_s == 3 * (60 + 10 * 6)
    assert done.measures.setup_s == 180
    assert done.measures.on_time == 1


def test_two_requests_at_one_machine_wait_for_each_other() -> None:
    done = Simulated(
        timed("cut"),
        a_demand(1, due_at=MONDAY + 120 * SECOND),
        a_demand(2, due_at=MONDAY + 130 * SECOND),
    )

    assert done.measures.cycle_mean_s == (120 + 240) // 2
    assert done.measures.on_time == Decimal("0.5")
    assert done.measures.tardiness_max_s == 240 - 130
    assert done.measures.wip_mean == Decimal("1.5")
    assert done.measures.utilisation == {"WC-CUT": 1}


def test_two_machines_share_a_queue() -> None:
    done = Simulated(timed("mill"), a_demand(1), a_demand(2))

    assert done.lasted_s == 120
    assert done.measures.utilisation == {"WC-MILL": 1}


def test_transfer_batches_let_the_next_machine_begin_earlier() -> None:
    whole = timed("cut", "mill", setup_s=0)
    parts = in_batches(*whole.steps, of=5)

    assert Simulated(whole, a_demand()).lasted_s == 60 + 60
    assert Simulated(parts, a_demand()).lasted_s == 30 + 30 + 30


@pytest.mark.parametrize("routing", [split_by_shares(), beside(), one_of_two()])
def test_every_shape_of_routing_is_worked_off(routing: Routing) -> None:
    done = Simulated(routing, *(a_demand(number) for number in range(5)))

    assert done.measures.completed == done.floor.finished == 5
    assert done.shop.state.job_order.own == {}


def test_material_that_nobody_makes_is_there_from_the_start() -> None:
    routing = a_routing(a_step("cut", consumes=(steel("0.5"),)))

    done = Simulated(routing, a_demand(1), a_demand(2))

    assert done.measures.completed == 2
    moved = [one.fact for one in done.journal if isinstance(one.fact, f.LotConsumed)]
    assert sum(one.edge.quantity for one in moved) == 10


def test_a_stoppage_puts_off_what_is_under_way_and_overlaps_count_once() -> None:
    stops = (("cut-1", 70 * SECOND, 100 * SECOND), ("cut-1", 80 * SECOND, 100 * SECOND))

    assert Simulated(timed("cut"), a_demand(), stops=stops).lasted_s == 120 + 110


def test_a_machine_that_stands_takes_nothing_until_it_goes_again() -> None:
    stops = (("cut-1", -SECOND, 100 * SECOND),)

    assert Simulated(timed("cut"), a_demand(), stops=stops).lasted_s == 100 + 120


def test_the_rule_of_the_work_center_decides_the_order() -> None:
    centers = tuple(
        msgspec.structs.replace(one, rule=DispatchRule.EDD)
        for one in a_plant().work_centers
    )
    demand = [a_demand(number, due_at=MONDAY - number) for number in range(4)]

    done = Simulated(
        timed("cut"), *demand, plant=a_plant(work_centers=centers, signals=())
    )

    completed = [
        one.fact.work_request
        for one in done.journal
        if isinstance(one.fact, f.WorkRequestChanged)
        and one.fact.state is WorkRequestState.COMPLETED
    ]
    assert completed == ["WR-3", "WR-2", "WR-1", "WR-0"]


def test_the_same_demand_gives_the_same_facts() -> None:
    demand = [a_demand(number) for number in range(6)]

    once, again = (Simulated(split_by_shares(), *demand) for _ in range(2))

    assert once.journal == again.journal


def test_what_is_refused_is_told_and_not_passed_over() -> None:
    with pytest.raises(SimulationStuck, match="WR-1"):
        Simulated(timed("cut"), a_demand(), a_demand())


def test_a_changeover_takes_the_place_of_the_standard_setup() -> None:
    """The first takes its standard 60 s, the second nothing: it is the same family."""
    changeovers = (Changeover(source="RED", target="BLUE", minutes=Decimal(5)),)
    units = tuple(
        msgspec.structs.replace(one, changeovers=changeovers)
        for one in a_plant().work_units
    )

    done = Simulated(
        timed("cut"),
        a_demand(1),
        a_demand(2),
        plant=a_plant(work_units=units, signals=()),
    )

    assert done.measures.setups == 1
    assert done.lasted_s == 60 + 60 + 60


def a_furnace(**rule: Any) -> Plant:
    """The one painter is a furnace, which takes several job orders in a run."""
    fields: dict[str, Any] = {"most": Decimal(3)}
    batch = BatchRule(**fields | rule)
    units = tuple(
        msgspec.structs.replace(one, batch=batch if one.id == "paint-1" else None)
        for one in a_plant().work_units
    )
    return a_plant(work_units=units, signals=())


def test_a_furnace_works_several_at_a_time_as_long_as_the_longest() -> None:
    """Five come at once: three take 20 pieces at 6 s, then two take 10 pieces."""
    demand = [
        a_demand(number, quantity=Decimal(20 if number == 1 else 10))
        for number in range(5)
    ]

    done = Simulated(timed("paint", setup_s=0), *demand, plant=a_furnace())

    assert done.measures.completed == 5
    assert done.floor.lot_operations == 5
    assert done.lasted_s == 120 + 60


def test_a_furnace_waits_for_more_as_long_as_its_rule_asks() -> None:
    """The first waits 50 s for a second, which comes too late, and then goes alone."""
    late = a_demand(2, release_at=MONDAY + 80 * SECOND)
    plant = a_furnace(least=Decimal(2), wait_s=50)

    done = Simulated(timed("paint", setup_s=0), a_demand(1), late, plant=plant)

    assert done.lasted_s == 80 + 50 + 60
