"""Messages of a machine of another maker, over a real socket: each done once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mes_engine.migrations import upgrade
from tests.adapters.opcua.ground import MACHINE
from tests.adapters.opcua.peer import Peer, require_peer, running_peer
from tests.adapters.opcua.telling import ALARM_TYPE, CYCLE
from tests.commands import mes
from tests.databases import url_in
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import Site, running_site, until, write_config

LINK: dict[str, Any] = {
    "adapter": "opcua",
    "publish_ms": 100,
    "silent_s": 2.5,
    "events": {
        "cycle": CYCLE,
        "jam": {
            "type": {"path": ALARM_TYPE},
            "fields": {"on": "ActiveState/Id", "source": "SourceName"},
        },
    },
}
UNIT: dict[str, Any] = {
    "events": {
        "made": {
            "link": "mill",
            "event": "cycle",
            "key": "serial",
            "where": {"source": MACHINE},
            "does": "report",
            "given": {"good": 1},
        },
        "jammed": {"link": "mill", "event": "jam", "does": "alarm", "active": "on"},
    }
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
            yield site

    def do(self, what: str, **how: Any) -> Any:
        return asyncio.run(self.peer.do(what, machine=MACHINE, **how))


@pytest.fixture
def works(tmp_path: Path, compiled_once: None) -> Iterator[Works]:
    require_peer()
    machine = {"name": MACHINE, "keepsEvents": True}
    with running_peer(machines=[machine]) as peer:
        url = f"opc.tcp://127.0.0.1:{peer.port}/line"
        write_config(
            tmp_path / "config",
            links={"mill": {**LINK, "url": url}},
            units={"mill-1": UNIT},
        )
        upgrade(url_in(tmp_path))
        yield Works(tmp_path, peer)
    found = mes("verify", "--database", url_in(tmp_path))
    assert found.code == 0, found.out


def jams(site: Site) -> list[str]:
    return [str(one["text"]) for one in site.get("/alarms", work_unit="mill-1")]


def test_each_message_is_booked_once_with_kills_in_between(works: Works) -> None:
    with works.running() as site:
        shop = Shop(site)
        job = shop.make(shop.routing("mill"), quantity=100)
        job.done("load", work_unit="mill-1").done("begin")
        until(lambda: works.do("sessions"))
        works.do("jam", **{"is": True}, text="stuck")
        until(lambda: jams(site) == ["stuck"])
        works.do("tellCycles", count=7)
        until(lambda: job.shown["good"] == "7")
        works.do("killSessions")
        works.do("tellCycles", count=5)
        until(lambda: job.shown["good"] == "12")
        site.kill()

    works.do("tellCycles", count=6)
    works.do("jam", **{"is": False}, text="free")

    with works.running() as site:
        job = Job(Shop(site), job.id)
        until(lambda: job.shown["good"] == "18")
        until(lambda: jams(site) == [])
        works.do("tellCycles", count=2)
        until(lambda: job.shown["good"] == "20")
        told = site.items("/machine-transactions", work_unit="mill-1")
        keys = sorted(int(str(one["key"])) for one in told)
        assert keys == list(range(1, 21))
        assert {one["outcome"] for one in told} == {"executed"}
        site.kill()

    with works.running() as site:
        job = Job(Shop(site), job.id)
        works.do("tellCycles", count=1)
        until(lambda: job.shown["good"] == "21")
