"""Our OPC UA server, driven by a client of another maker over a real socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mes_engine.migrations import upgrade
from tests.adapters.opcua.job_client import JobClient, job_client
from tests.adapters.opcua.peer import require_peer
from tests.commands import mes
from tests.databases import url_in
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import Site, running_site, until, write_config

OK, UNKNOWN, WRONG_STATE, UNABLE, INVALID = 1, 2, 8, 16, 2**32
EVERY_METHOD = (
    "[Store, StoreAndStart, Update, Start, RevokeStart, Pause, Resume, Stop, Abort, "
    "Cancel, Clear]"
)
PRODUCED = "Material Produced"


@dataclass
class Works:
    """A site in a folder of its own, which can be killed and started again."""

    folder: Path
    url: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def running(self) -> Iterator[Site]:
        (self.folder / "engine.log").unlink(missing_ok=True)
        with running_site(self.folder, self.folder / "config") as site:
            site.numbers = self.numbers  # names that no earlier process has taken
            until(lambda: '"event": "opcua_serving"' in site.tail())
            yield site


@pytest.fixture(scope="module")
def works(
    tmp_path_factory: pytest.TempPathFactory, compiled_once: None
) -> Iterator[Works]:
    require_peer()
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    write_config(folder / "config")
    works = Works(folder, f"opc.tcp://127.0.0.1:{port}/mes")
    with (folder / "config" / "site.yaml").open("a") as file:
        file.write(
            f"servers:\n  jobs:\n    adapter: opcua\n    url: {works.url}\n"
            f"    anonymous_may: {EVERY_METHOD}\n"
        )
    upgrade(url_in(folder))
    yield works
    found_by_verify = mes("verify", "--database", url_in(folder))
    assert found_by_verify.code == 0, found_by_verify.out


def its_job(site: Site, request: str) -> Job:
    """The job order of a request, as a terminal sees it."""
    return Shop(site).jobs(request)[0]


def good_of(client: JobClient, name: str) -> str:
    response = client.do("response", id=name)["response"]
    (made,) = response["materialActuals"]
    assert made["materialUse"] == PRODUCED
    return str(made["quantity"])


def has_states(client: JobClient, name: str, *states: str) -> Callable[[], bool]:
    return lambda: client.states(name) == list(states)


@pytest.mark.timeout(180)
def test_a_whole_job_by_another_makers_client_with_kills_in_between(  # noqa: PLR0915 one story
    works: Works,
) -> None:
    order: dict[str, Any] = {"id": "C-100", "quantity": "10", "priority": 3}
    with works.running() as site, job_client(works.url) as client:
        routing = Shop(site).routing("cut")
        order["master"] = f"{routing}/A/cut"
        told = client.do("lists")
        assert order["master"] in [one["ID"] for one in told["WorkMaster"]]
        assert {"cut", "cut-1"} <= set(told["EquipmentID"])
        client.do("events")

        assert client.store("Store", **order) == OK
        (listed,) = [one for one in client.do("list") if one["id"] == "C-100"]
        assert listed["states"][0] == "NotAllowedToStart"
        assert (listed["master"], listed["quantity"]) == (order["master"], "10")
        assert (listed["priority"], listed["unit"]) == (3, 0x433632)
        assert listed["paths"][1] == ["NotAllowedToStartSubstates"]
        assert client.call("Pause", "C-100") == WRONG_STATE

        assert client.call("Start", "C-100") == OK
        assert client.states("C-100") == ["AllowedToStart", "Ready"]
        job = its_job(site, "C-100")
        job.done("load", work_unit="cut-1")
        until(has_states(client, "C-100", "AllowedToStart", "Loaded"))
        job.done("begin")
        job.done("report", good=4)
        assert client.call("Pause", "C-100", "tool is blunt") == OK
        assert job.state == "interrupted.suspended"
        assert job.shown["reason"] == "tool is blunt"
        assert client.states("C-100") == ["Interrupted", "Suspended"]
        until(lambda: any(one["states"][0] == "Interrupted" for one in heard(client)))
        mine = [one for one in heard(client) if one["id"] == "C-100"]
        assert mine[-1]["response"] == "C-100"
        assert len({one["event"] for one in mine}) == len(mine)
        site.kill()

    with works.running() as site, job_client(works.url) as client:
        assert client.states("C-100") == ["Interrupted", "Suspended"]
        # Who does not know what became of a call repeats it: nothing is doubled.
        assert client.store("Store", **order) == OK
        assert len([one for one in client.do("list") if one["id"] == "C-100"]) == 1
        assert client.store("Store", **{**order, "quantity": "11"}) == UNABLE
        assert client.call("Resume", "C-100") == OK
        its_job(site, "C-100").done("report", good=6)
        assert good_of(client, "C-100") == "10"
        assert client.call("Clear", "C-100") == WRONG_STATE
        assert client.call("Stop", "C-100") == OK
        assert client.states("C-100")[0] == "Ended"
        response = client.do("response", id="C-100")["response"]
        assert response["startTime"] < response["endTime"]
        assert [one["ID"] for one in response["equipmentActuals"]] in ([], ["cut-1"])
        assert client.do("by_state", number=5)["ids"] == ["C-100"]
        until(lambda: its_job(site, "C-100").state == "ended.closed")
        assert client.call("Clear", "C-100") == OK
        assert client.states("C-100") == []
        assert client.do("response", id="C-100")["status"] == UNKNOWN
        site.kill()

    with works.running(), job_client(works.url) as client:
        assert client.states("C-100") == []


def heard(client: JobClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.do("heard")
    return found


def test_what_is_refused_says_so_in_the_specifications_bits(works: Works) -> None:
    with works.running() as site, job_client(works.url) as client:
        routing = Shop(site).routing("cut", "pack")
        first, second = f"{routing}/A/cut", f"{routing}/A/pack"

        assert client.call("Start", "nothing") == UNKNOWN
        assert client.store("Store", id="R-1", master="a/b/c", quantity="1") == UNABLE
        assert client.store("Store", id="R-1", master=second, quantity="1") == UNABLE
        assert client.store("Store", id="R-1", master=first) == INVALID
        assert client.store("Store", id="R-1", master=first, quantity="x") == INVALID
        assert client.store("Store", id="JO-7", master=first, quantity="1") == INVALID
        assert client.store("Store", id="", master=first, quantity="1") == INVALID
        assert client.store("Update", id="R-1", priority=1) == UNKNOWN
        assert client.states("R-1") == []

        order = {"id": "R-2", "master": first, "parameter": 5}
        assert client.store("StoreAndStart", **order) == OK
        assert client.states("R-2") == ["AllowedToStart", "Ready"]
        assert client.store("Update", id="R-2", quantity="7", priority=2) == OK
        (listed,) = [one for one in client.do("list") if one["id"] == "R-2"]
        assert (listed["quantity"], listed["priority"]) == ("7", 2)
        assert client.call("RevokeStart", "R-2") == OK
        assert client.states("R-2") == ["NotAllowedToStart", "Ready"]
        assert client.call("Start", "R-2") == OK
        assert client.call("Cancel", "R-2") == OK
        assert client.states("R-2") == []


def test_work_of_our_own_is_shown_and_driven_too(works: Works) -> None:
    with works.running() as site, job_client(works.url) as client:
        shop = Shop(site)
        job = shop.make(shop.routing("cut"))
        until(lambda: client.states(job.id) == ["AllowedToStart", "Ready"])
        job.done("load", work_unit="cut-1")
        job.done("begin")
        assert client.call("Abort", job.id, "fire") == OK
        assert job.state == "aborted"
        assert client.states(job.id) == ["Aborted"]
        shop.clear()
