"""``mes policy compare``: what is asked, what comes back, and each way to be wrong."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mes_engine.bootstrap import running_engine
from mes_engine.core import messages as m
from mes_engine.settings import installed_adapters, load_site
from tests.commands import SITE, Said, mes
from tests.databases import url_in

REPOSITORY = Path(__file__).parents[2]
HEADER = "work_request,release,routing,quantity,due,priority\n"


def compare(*arguments: str) -> Said:
    return mes("policy", "compare", *arguments, *SITE)


@pytest.fixture
def demand(tmp_path: Path) -> Path:
    """Twelve brackets for two presses: the longer ones are due first."""
    file = tmp_path / "demand.csv"
    rows = [
        f"{name}-{number},2026-01-05 06:00,bracket,{quantity},{due},0"
        for number in range(6)
        for name, quantity, due in (
            ("long", 600, "2026-01-05 09:00"),
            ("short", 10, "2026-01-07 12:00"),
        )
    ]
    file.write_text(HEADER + "\n".join(rows))
    return file


def test_a_recorded_demand_is_compared_side_by_side(demand: Path) -> None:
    found = compare("edd", "spt", "--demand", str(demand), "--json")

    assert found.code == 0, found.err
    plain = json.loads(found.out)
    assert plain["requests"] == 12
    edd, spt = (one["measures"] for one in plain["policies"])
    assert edd["completed"] == spt["completed"] == 12
    assert Decimal(spt["cycle_mean_s"]) < Decimal(edd["cycle_mean_s"])
    assert [one["policy"] for one in plain["policies"]] == ["edd", "spt"]


def test_json_and_csv_say_the_same(demand: Path, tmp_path: Path) -> None:
    rows = [
        dict(zip(HEADER.strip().split(","), line.split(","), strict=True))
        for line in demand.read_text().splitlines()[1:]
    ]
    other = tmp_path / "demand.json"
    other.write_text(
        json.dumps([{**one, "quantity": int(one["quantity"])} for one in rows])
    )

    by_csv, by_json = (
        compare("fifo", "atc:k=3", "--demand", str(file), "--json")
        for file in (demand, other)
    )

    assert by_csv.code == 0
    assert by_csv.out == by_json.out


def test_the_same_seed_gives_the_same_answer_and_a_table_for_people() -> None:
    asked = ("plant", "critical_ratio", "--simulated", "12", "--seed", "7")

    told, once, again = (
        compare(*asked),
        compare(*asked, "--json"),
        compare(*asked, "--json"),
    )

    assert once.out == again.out
    assert told.code == 0
    for word in ("12 work requests", "cycle time, mean", "on time", "tardiness", "WIP"):
        assert word in told.out
    assert compare(*asked[:-1], "8", "--json").out != once.out


async def _recorded(url: str) -> None:
    site = load_site(
        REPOSITORY / "config",
        REPOSITORY / "routings",
        environment={},
        adapters=installed_adapters(),
    )
    commands: list[m.Command] = [m.ApplyPlant(plant=site.plant)]
    commands += [m.ReleaseRouting(routing=one) for one in site.routings]
    for name, quantity in (("WR-1", 30), ("WR-2", 5), ("WR-3", 5), ("WR-4", 5)):
        commands.append(
            m.CreateWorkRequest(
                work_request=name,
                routing="bracket",
                quantity=Decimal(quantity),
                due_at=2_000_000_000_000_000,
            )
        )
    commands += [m.ReleaseWorkRequest(work_request=f"WR-{one}") for one in (1, 2, 3)]
    commands.append(m.CancelWorkRequest(work_request="WR-3"))
    async with running_engine(url) as core:
        for number, command in enumerate(commands):
            answer = await core.engine.submit(
                m.Commanded(
                    origin="test",
                    key=str(number),
                    digest="",
                    person="Ana",
                    at=1_767_592_800_000_000 + number,
                    command=command,
                )
            )
            assert answer.outcome is m.Outcome.ACCEPTED, answer


def test_the_requests_of_a_database_are_worked_again(tmp_path: Path) -> None:
    """One of the four was cancelled, and one never released."""
    url = url_in(tmp_path)
    asyncio.run(_recorded(url))

    found = mes("policy", "compare", "fifo", "edd", "--database", url, "--json")

    assert found.code == 0, found.err
    plain = json.loads(found.out)
    assert plain["requests"] == 2
    assert plain["policies"][0]["measures"]["completed"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("edd", "spt"), 2, "give one of --demand"),
        (("edd", "--simulated", "3"), 2, "two or more"),
        (("edd", "stp", "--simulated", "3"), 3, "did you mean 'spt'?"),
        (("edd", "spt", "--database", "sqlite:///nowhere.db"), 3, "no database"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: tuple[str, ...], code: int, told: str
) -> None:
    found = compare(*arguments)

    assert found.code == code, found.err
    assert told in " ".join(found.err.replace("│", " ").split())
