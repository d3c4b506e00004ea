"""Policies and demand: what can be asked, and what is told of every mistake."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_engine.core.errors import Refused, SettingsError
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.plant import Changeover, DispatchRule, RuleSettings
from mes_engine.core.routing import Routing
from mes_engine.simulation import (
    Demand,
    Measures,
    PolicyOutcome,
    compare,
    made_demand,
    parse_policy,
    read_demand,
)
from tests.core.plants import a_plant, a_routing, a_step, one_of_two, split_by_shares
from tests.core.shop import MONDAY, SECOND

ROUTINGS = [
    a_routing(
        a_step("cut", setup_s=Decimal(60), run_s=Decimal(6)),
        a_step("mill", run_s=Decimal(9)),
        id="R",
    )
]
HEADER = "release,routing,quantity,due\n"


@pytest.mark.parametrize(
    ("text", "rule", "settings"),
    [
        ("edd", DispatchRule.EDD, RuleSettings()),
        ("atc:k=3", DispatchRule.ATC, RuleSettings(k=Decimal(3))),
        (
            "weighted:edd=0.7,atc=1,k=1.5",
            DispatchRule.WEIGHTED,
            RuleSettings(
                k=Decimal("1.5"),
                weights={
                    DispatchRule.EDD: Decimal("0.7"),
                    DispatchRule.ATC: Decimal(1),
                },
            ),
        ),
        ("plant", None, RuleSettings()),
    ],
)
def test_a_policy_is_a_rule_and_what_it_is_told(
    text: str, rule: DispatchRule | None, settings: RuleSettings
) -> None:
    policy = parse_policy(text)

    assert (policy.name, policy.rule, policy.settings) == (text, rule, settings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stp", "did you mean 'spt'?"),
        ("plant:k=1", "no dispatch rule 'plant'"),
        ("atc:kk=3", "takes no 'kk'; did you mean 'k'?"),
        ("atc:k=0", "a number above 0"),
        ("atc:k=1.2.3", "a number above 0"),
        ("atc:k=inf", "a number above 0"),
        ("spt:k=1", "k says nothing without atc"),
        ("weighted", "needs the weights"),
        ("weighted:ed=1", "did you mean 'edd'?"),
        ("weighted:weighted=1", "takes no 'weighted'"),
        ("edd:spt=1", "takes no 'spt'"),
    ],
)
def test_what_is_no_policy_is_told(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_policy(text)

    assert told in str(error.value)


def written(folder: Path, text: str, name: str = "demand.csv") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_demand_is_read_in_the_plants_time(tmp_path: Path) -> None:
    """Six in the morning in Berlin, and eight of UTC, which has an offset."""
    file = written(tmp_path, HEADER + "2026-01-05 06:00,R,10,2026-01-05T08:00+00:00\n")

    assert read_demand(file, ROUTINGS, zone="Europe/Berlin") == [
        Demand(
            work_request="WR-2",
            routing="R",
            quantity=Decimal(10),
            release_at=MONDAY,
            due_at=MONDAY + 3 * 3_600 * SECOND,
        )
    ]


def problems(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as error:
        read_demand(file, ROUTINGS, zone="UTC")
    return error.value.message.replace(f"{file.parent}/", "").splitlines()


def test_every_problem_of_a_file_has_its_line_and_column(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "work_request,releese,routing,quantity,due\n"
        "a,2026-01-05,S,1,2026-01-06\n"
        "a,2026-01-05,R,1.5,tomorrow\n",
    )

    assert problems(file) == [
        "demand.csv:1:1: release: missing",
        "demand.csv:1:14: releese: unknown column; did you mean 'release'?",
        "demand.csv:2:1: release: missing",
        "demand.csv:2:14: routing: there is no routing 'S'",
        "demand.csv:3:1: release: missing",
        "demand.csv:3:1: work_request: 'a' is given twice, first in line 2",
        "demand.csv:3:16: quantity: The quantity 1.5 is finer than the unit C62 "
        "(piece) allows: at most 0 decimals",
        "demand.csv:3:20: due: 'tomorrow' should be a time as "
        "2026-01-05T06:00:00+01:00",
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2026-01-05,R,0,2026-01-06", "'0' should be a number above 0"),
        ("2026-01-05,R,,2026-01-06", "'' should be a number above 0"),
        ("2026-01-05,R,NaN,2026-01-06", "'NaN' should be a number above 0"),
        ("2026-01-05,R,1e99,2026-01-06", "The quantity 1E+99 is above the maximum"),
        ("2026-01-05,R,1", "due: missing"),
        ("9999999-01-05,R,1,2026-01-06", "should be a time"),
    ],
)
def test_a_row_that_cannot_be_is_told(row: str, told: str, tmp_path: Path) -> None:
    [problem] = problems(written(tmp_path, HEADER + row))

    assert told in problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]", "should be a list of objects"),
        ("{", "demand.json:1:2: not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "asks for nothing"),
        ('[{"relese": 1}]', "unknown key; did you mean 'release'?"),
    ],
)
def test_json_that_cannot_be_is_told(text: str, told: str, tmp_path: Path) -> None:
    assert told in "\n".join(problems(written(tmp_path, text, "demand.json")))


def test_a_made_demand_is_the_same_for_the_same_seed() -> None:
    def made(seed: int) -> list[Demand]:
        plant = a_plant(signals=())
        return made_demand(plant, ROUTINGS, number=50, seed=seed, load=0.8)

    assert made(1) == made(1)
    assert made(1) != made(2)


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_a_made_demand_loads_the_bottleneck_as_asked(load: float) -> None:
    """The cutter is the bottleneck: one, at 6 s a piece, against two mills at 9 s."""
    plant = a_plant(signals=())
    demand = made_demand(plant, ROUTINGS, number=2_000, seed=1, load=load)

    work_us = sum(ROUTINGS[0].step("cut").standard_us(one.quantity) for one in demand)
    span_us = demand[-1].release_at - demand[0].release_at

    assert work_us / span_us == pytest.approx(load, rel=0.05)


@pytest.mark.parametrize("routing", [split_by_shares(), one_of_two()])
def test_no_work_is_nothing_to_compare(routing: Routing) -> None:
    with pytest.raises(Refused, match="nothing to compare"):
        made_demand(a_plant(), [routing], number=1, seed=1, load=1)


def worked(*policies: str, **changed: Any) -> dict[str, Measures]:
    plant = a_plant(**changed)
    demand = made_demand(plant, ROUTINGS, number=60, seed=3, load=0.95)
    found = compare(plant, ROUTINGS, demand, map(parse_policy, policies))
    assert all(isinstance(one, PolicyOutcome) for one in found)
    return {one.policy: one.measures for one in found}


def test_spt_has_the_shortest_cycle_time_and_every_rule_ends() -> None:
    found = worked("fifo", "spt", "edd", "critical_ratio", "atc", "priority")

    assert {one.completed for one in found.values()} == {60}
    assert found["spt"].cycle_mean_s < found["fifo"].cycle_mean_s
    shortest = min(one.cycle_mean_s for one in found.values())
    assert found["spt"].cycle_mean_s == shortest


def test_edd_is_late_less_badly_than_fifo() -> None:
    found = worked("fifo", "edd")

    assert found["edd"].tardiness_max_s < found["fifo"].tardiness_max_s


def test_setup_min_spends_less_on_setups() -> None:
    other = a_routing(
        a_step("cut", setup_s=Decimal(60), run_s=Decimal(6), setup_family="RED"), id="S"
    )
    changeovers = tuple(
        Changeover(source=source, target=target, minutes=Decimal(10))
        for source, target in (("RED", "bracket"), ("bracket", "RED"))
    )
    units = tuple(
        msgspec.structs.replace(one, changeovers=changeovers)
        for one in a_plant().work_units
    )
    plant, routings = a_plant(work_units=units), [*ROUTINGS, other]
    demand = made_demand(plant, routings, number=60, seed=3, load=1.2)

    by_due, by_setup = compare(
        plant, routings, demand, map(parse_policy, ("edd", "setup_min"))
    )

    assert by_setup.measures.setup_s < by_due.measures.setup_s / 2


def test_people_tools_and_documents_are_taken_as_there() -> None:
    step = a_step(
        "cut",
        run_s=Decimal(1),
        tools=("mould",),
        documents=("D-1",),
        qualification=QualificationNeed(name="cutting", level=2),
    )
    routing = a_routing(step)
    plant = a_plant()
    demand = made_demand(plant, [routing], number=3, seed=1, load=0.5)

    [found] = compare(plant, [routing], demand, [parse_policy("plant")])

    assert found.measures.completed == 3
