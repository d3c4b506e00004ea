"""Methods of a machine of another maker, called over HTTP: once each, or unknown."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from mes_engine.migrations import upgrade
from tests.adapters.opcua.ground import MACHINE
from tests.adapters.opcua.peer import URI, Peer, require_peer, running_peer
from tests.commands import mes
from tests.databases import url_in
from tests.scenarios.site import Site, running_site, until, write_config

LINK: dict[str, Any] = {
    "adapter": "opcua",
    "publish_ms": 100,
    "silent_s": 2.5,
    "methods": {
        name.lower(): {
            "object": {"ns": URI, "id": f"s={MACHINE}"},
            "method": {"ns": URI, "id": f"s={MACHINE}.{name}"},
        }
        for name in ("Move", "Slow")
    },
}
pytestmark = pytest.mark.timeout(180)


@dataclass
class Works:
    """A machine, and a site in a folder of its own, which can be killed."""

    folder: Path
    peer: Peer
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def running(self) -> Iterator[Site]:
        with running_site(self.folder, self.folder / "config") as site:
            site.numbers = self.numbers
            until(lambda: asyncio.run(self.peer.do("sessions")))
            yield site

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = asyncio.run(
            self.peer.do("calls", machine=MACHINE)
        )
        return found

    def answers_late(self, number: int) -> int:
        """How often a call that is answered late was carried out."""
        return self.calls().count({"id": number})


@pytest.fixture(scope="module")
def works(
    tmp_path_factory: pytest.TempPathFactory, compiled_once: None
) -> Iterator[Works]:
    require_peer()
    folder = tmp_path_factory.mktemp("calls")
    with running_peer(machines=[{"name": MACHINE}]) as peer:
        url = f"opc.tcp://127.0.0.1:{peer.port}/line"
        good = {
            "link": "mill",
            "means": "good_count",
            "at": {"ns": URI, "id": f"s={MACHINE}.GoodCount"},
        }
        write_config(
            folder / "config",
            links={"mill": {**LINK, "url": url}},
            units={"mill-1": {"signals": {"good": good}}},
        )
        upgrade(url_in(folder))
        yield Works(folder, peer)
    found = mes("verify", "--database", url_in(folder))
    assert found.code == 0, found.out


def ask(site: Site, method: str, **arguments: Any) -> httpx.Response:
    body = {
        "link": "mill",
        "method": method,
        "arguments": arguments,
        "reason": "after the jam",
    }
    return site.post("/machine-calls", body)


def asked(site: Site, method: str, **arguments: Any) -> str:
    answer = ask(site, method, **arguments)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["call"])


def shown(site: Site, call: str) -> dict[str, Any]:
    found: dict[str, Any] = site.get(f"/machine-calls/{call}")
    return found


def settled(site: Site, call: str) -> dict[str, Any]:
    until(lambda: shown(site, call)["outcome"] != "pending")
    return shown(site, call)


MOVE: dict[str, Any] = {
    "Axis": "X",
    "Position": 2.5,
    "Fast": False,
    "Steps": [1, 2, 3],
    "When": "2026-11-23T04:00:00Z",
}


def test_a_call_brings_its_answer_and_what_does_not_fit_is_refused(
    works: Works,
) -> None:
    with works.running() as site:
        until(lambda: settled(site, asked(site, "move", **MOVE))["results"])
        call = settled(site, asked(site, "move", **MOVE))
        assert (call["outcome"], call["person"]) == ("answered", "Maria")
        assert call["results"] == {"Reached": "1.25", "Log": "X", "All": [1, 2, 3]}
        assert (call["reason"], call["message"]) == ("after the jam", "")
        before = len(works.calls())

        wrong = settled(site, asked(site, "move", **{**MOVE, "Axis": 5}))
        assert wrong["outcome"] == "refused"
        assert "argument 'Axis' of move" in wrong["message"]
        assert "Steps: Int16[3]" in wrong["hint"]
        unknown = ask(site, "erase")
        assert unknown.status_code == 404
        assert "It allows move, slow." in unknown.text
        empty = {"link": "mill", "method": "move", "arguments": {}, "reason": " "}
        assert site.post("/machine-calls", empty).status_code == 422
        assert len(works.calls()) == before

        methods = site.get("/machine-methods")
        assert [one["method"] for one in methods] == ["move", "slow"]
        refused = site.items("/machine-calls", link="mill", outcome="refused")
        assert str(refused[0]["seq"]) == str(wrong["seq"])


def test_a_call_is_made_once_however_often_it_is_sent(works: Works) -> None:
    with works.running() as site:
        number = 100 + next(works.numbers)
        until(lambda: settled(site, asked(site, "move", **MOVE))["results"])
        first = ask(site, "slow", Id=number, AfterMs=10)
        key = first.request.headers["Idempotency-Key"]
        works.numbers = site.numbers = count(int(key.removeprefix("press-")))
        again = ask(site, "slow", Id=number, AfterMs=10)
        assert again.json()["result"] == first.json()["result"]
        assert settled(site, again.json()["result"]["call"])["outcome"] == "answered"
        assert works.answers_late(number) == 1


def test_a_call_that_was_not_answered_before_a_kill_is_unknown_and_not_repeated(
    works: Works,
) -> None:
    number = 200 + next(works.numbers)
    with works.running() as site:
        until(lambda: settled(site, asked(site, "move", **MOVE))["results"])
        call = asked(site, "slow", Id=number, AfterMs=3_000)
        until(lambda: works.answers_late(number) == 1)
        assert shown(site, call)["outcome"] == "pending"
        site.kill()

    with works.running() as site:
        told = settled(site, call)
        assert told["outcome"] == "unknown"
        assert "started again" in told["message"]
        until(lambda: settled(site, asked(site, "move", **MOVE))["results"])
        assert works.answers_late(number) == 1
        assert shown(site, call) == told


def test_a_call_whose_connection_is_lost_is_unknown_and_not_repeated(
    works: Works,
) -> None:
    number = 300 + next(works.numbers)
    with works.running() as site:
        until(lambda: settled(site, asked(site, "move", **MOVE))["results"])
        call = asked(site, "slow", Id=number, AfterMs=2_000)
        until(lambda: works.answers_late(number) == 1)
        asyncio.run(works.peer.do("killSessions"))
        assert settled(site, call)["outcome"] == "unknown"
        until(lambda: settled(site, asked(site, "move", **MOVE))["results"])
        assert works.answers_late(number) == 1
