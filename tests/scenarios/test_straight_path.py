"""The straight path: from a signal on a machine, over a real socket, to the ledger."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.adapters.plant import RunningPlant, running_plant
from tests.commands import CONFIG, mes
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import Site, running_site, until

FLAWLESS = ("--cycle-s", "0.05", "--scrap-rate", "0", "--jam-rate", "0", "--seed", "1")


@dataclass(frozen=True)
class Way:
    """A machine that speaks a protocol, and a step that is worked on it."""

    machine: str
    link: str
    center: str
    kind: str

    @property
    def step(self) -> dict[str, Any]:
        return {
            "id": "make",
            "name": "Make",
            "work_center": self.center,
            "equipment_class": self.kind,
            "begin_on": "first_count",
        }


OPCUA = Way("lathe-1", "cell", "TURNING", "turning")
MODBUS = Way("wash-1", "line", "WASHING", "washing")


@dataclass(frozen=True)
class Works:
    """The demo's plant in its own process, and the engine of the demo's site in one."""

    plant: RunningPlant
    site: Site

    def press(self, machine: str, button: str, **order: float) -> None:
        """Push a button of a machine's panel."""
        url = f"http://127.0.0.1:{self.plant.panel}/machines/{machine}/{button}"
        httpx.post(url, json=order).raise_for_status()

    def is_shown(self, machine: str, state: str) -> bool:
        """Whether the engine shows a machine in a state."""
        unit = self.site.get(f"/work-units/{machine}")
        return bool(unit["equipment"]["shown"] == state)


@pytest.fixture(scope="module")
def works(
    tmp_path_factory: pytest.TempPathFactory, compiled_once: None
) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("works")
    with (
        running_plant(folder, *FLAWLESS) as plant,
        running_site(
            folder,
            CONFIG,
            MES_OPCUA_URL=plant.opcua_url,
            MES_MODBUS_PORT=str(plant.modbus),
        ) as site,
    ):
        yield Works(plant, site)


def loaded(works: Works, way: Way, quantity: int) -> Job:
    """A job order on the machine, which is connected and idle."""
    shop = Shop(works.site)
    until(lambda: works.is_shown(way.machine, "not_executing"))
    job = shop.make(shop.routing(way.step), quantity=quantity)
    return job.done("load", work_unit=way.machine)


@pytest.mark.parametrize("way", [OPCUA, MODBUS], ids=lambda way: way.link)
def test_one_piece_travels_from_the_machine_to_the_ledger(
    works: Works, way: Way
) -> None:
    site = works.site
    job = loaded(works, way, quantity=1)
    before = job.shown["seq"]

    works.press(way.machine, "start", quantity=1)
    until(lambda: job.shown["good"] == "1")

    facts = site.facts(before)
    counted = next(one for one in facts if one["type"] == "quantity_reported")
    assert counted["fact"]["source"] == "machine"
    link, epoch, number = counted["cause"].split("/")
    assert (link, int(epoch) > 0, int(number) > 0) == (way.link, True, True)
    of_it = {one["type"] for one in facts if one["cause"] == counted["cause"]}
    assert of_it >= {"signal_read", "job_order_moved", "machine_counted"}
    piece = json.loads(works.plant.pieces.read_text().splitlines()[-1])
    assert piece["machine"] == way.machine

    job.done("complete")
    until(lambda: job.state == "ended.closed")
    [posting] = site.items("/postings", work_request=job.request)
    [entry] = site.items("/ledger/entries", order=job.request)
    assert posting["state"] == "acknowledged"
    assert (entry["key"], entry["reference"]) == (posting["key"], posting["reference"])
    assert (entry["good"], entry["scrap"], entry["is_final"]) == ("1", "0", True)
    assert entry["work_center"] == way.center

    # While the engine goes on.
    said = mes("verify", "--json", "--database", site.database_url)
    assert (said.code, said.plain["problems"]) == (0, [])


def test_work_waits_while_its_machine_is_out_of_service(works: Works) -> None:
    shop = Shop(works.site)
    routing = shop.routing(OPCUA.step)
    until(lambda: works.is_shown(OPCUA.machine, "not_executing"))
    job = shop.make(routing)
    assert job.state == "allowed_to_start.ready"

    works.press(OPCUA.machine, "abort")
    until(lambda: job.state == "allowed_to_start.waiting")
    assert job.unmet == ["equipment_available"]
    refused = job.press("load", work_unit=OPCUA.machine)
    assert refused.status_code == 409
    assert refused.json()["unmet"] == [
        f"equipment_available: out of service: {OPCUA.machine}"
    ]

    works.press(OPCUA.machine, "stop")
    until(lambda: job.state == "allowed_to_start.ready")
    job.done("cancel")
