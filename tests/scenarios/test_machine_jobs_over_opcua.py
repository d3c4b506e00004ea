"""A machine of another maker runs our job orders, over a real socket, each once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mes_engine.migrations import upgrade
from tests.adapters.opcua.job_machine import (
    ABORTED,
    ALLOWED,
    INTERRUPTED,
    RUNNING,
    JobMachine,
    job_machine,
)
from tests.adapters.opcua.peer import require_peer
from tests.commands import mes
from tests.databases import url_in
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import Site, running_site, until, write_config

LINK: dict[str, Any] = {
    "adapter": "opcua",
    "publish_ms": 100,
    "jobs": {"poll_ms": 100},
}
pytestmark = pytest.mark.timeout(180)


@dataclass
class Works:
    """A machine, and a site in a folder of its own, which can be killed."""

    folder: Path
    machine: JobMachine
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def running(self) -> Iterator[Site]:
        with running_site(self.folder, self.folder / "config") as site:
            site.numbers = self.numbers
            yield site


@pytest.fixture(scope="module", params=[True, False], ids=["list", "by id"])
def works(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    compiled_once: None,
) -> Iterator[Works]:
    require_peer()
    folder = tmp_path_factory.mktemp("machine")
    with job_machine(hasList=request.param) as machine:
        write_config(
            folder / "config",
            links={"mill": {**LINK, "url": machine.url}},
            units={"mill-1": {"jobs": {"link": "mill"}}},
        )
        upgrade(url_in(folder))
        yield Works(folder, machine)
    found = mes("verify", "--database", url_in(folder))
    assert found.code == 0, found.out


def on_the_machine(site: Site, quantity: int = 10) -> Job:
    """A job order that is loaded on the machine's work unit."""
    shop = Shop(site)
    job = shop.make(shop.routing("mill"), quantity=quantity)
    return job.done("load", work_unit="mill-1")


def booked(site: Site, job: Job) -> list[str]:
    """What the ledger has of a job order's request: good, entry by entry."""
    entries = site.items("/ledger/entries", order=job.request)
    return [str(one["good"]) for one in entries]


def test_a_job_is_stored_run_and_booked_once_with_kills_in_between(
    works: Works,
) -> None:
    machine = works.machine
    with works.running() as site:
        job = on_the_machine(site)
        until(lambda: machine.state(job.id) == ALLOWED)
        stored = machine.do("truth")["jobs"][job.id]
        routing = job.shown["routing"]
        assert stored["master"] == f"{routing}/A/mill"
        assert (stored["quantity"], stored["equipment"]) == ("10", ["mill-1"])
        machine.do("move", id=job.id, to=RUNNING)
        until(lambda: job.state == "running.processing")
        machine.do("make", id=job.id, good=4)
        until(lambda: job.shown["good"] == "4")
        site.kill()

    machine.do("make", id=job.id, good=3, scrap=1)

    with works.running() as site:
        job = Job(Shop(site), job.id)
        until(lambda: job.shown["good"] == "7")
        assert job.shown["scrap"] == "1"
        job.done("pause", reason="lunch")
        until(lambda: machine.state(job.id) == INTERRUPTED)
        site.kill()

    with works.running() as site:
        job = Job(Shop(site), job.id)
        job.done("resume")
        until(lambda: machine.state(job.id) == RUNNING)
        site.kill()

    machine.do("end", id=job.id, good=2)

    with works.running() as site:
        job = Job(Shop(site), job.id)
        until(lambda: job.state.startswith("ended"))
        assert job.shown["good"] == "9"
        until(lambda: machine.state(job.id) is None)
        until(lambda: booked(site, job) != [])
        assert booked(site, job) == ["9"]

    asked = machine.asked(job.id)
    assert asked == ["StoreAndStart", "Pause", "Resume", "Clear"]
    assert machine.do("truth")["executed"].count(job.id) == 1


def test_a_refusal_is_shown_and_nothing_else_stops(works: Works) -> None:
    machine = works.machine
    with works.running() as site:
        machine.do("refuse", method="StoreAndStart", status=16)
        job = on_the_machine(site)
        until(lambda: shown(site, job)["refusal"] != "")
        told = shown(site, job)
        assert told["status"] == 16
        assert told["refusal"] == ("StoreAndStart: it cannot accept the job order (16)")
        job.done("begin")
        job.done("report", good=10)
        job.done("complete")
        machine.do("refuse", method="StoreAndStart", status=0)
        assert machine.state(job.id) is None


def shown(site: Site, job: Job) -> dict[str, Any]:
    """What is shown of a job order at its machine; its defaults if nothing."""
    found: list[dict[str, Any]] = site.get("/machine-jobs", job_order=job.id)
    empty: dict[str, Any] = {"refusal": "", "problem": "", "state": None}
    return found[0] if found else empty


def test_what_the_machine_does_by_itself_is_ours_too(works: Works) -> None:
    machine = works.machine
    with works.running() as site:
        job = on_the_machine(site)
        until(lambda: machine.state(job.id) == ALLOWED)
        machine.do("move", id=job.id, to=RUNNING)
        machine.do("move", id=job.id, to=INTERRUPTED)
        until(lambda: job.state == "interrupted.suspended")
        assert shown(site, job)["state"] == "interrupted"
        machine.do("move", id=job.id, to=RUNNING)
        until(lambda: job.state == "running.processing")
        machine.do("make", id=job.id, good=3)
        machine.do("move", id=job.id, to=ABORTED)
        until(lambda: job.state == "aborted")
        assert job.shown["good"] == "3"
        until(lambda: machine.state(job.id) is None)


def test_what_is_taken_back_is_taken_from_the_machine(works: Works) -> None:
    machine = works.machine
    with works.running() as site:
        job = on_the_machine(site)
        until(lambda: machine.state(job.id) == ALLOWED)
        job.done("unload")
        until(lambda: machine.state(job.id) is None)
        assert machine.asked(job.id) == ["StoreAndStart", "Cancel"]
        job.done("load", work_unit="mill-2")
        job.done("abort", reason="over", signature="M")
