"""Who may do what at our server, over the policies that there are."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.core.errors import SourceMisconfigured
from mes_engine.core.messages import Answer, Commanded
from mes_engine.ports import Floor
from mes_engine.runtime.feed import Feed
from tests.adapters.opcua.job_client import job_client
from tests.adapters.opcua.peer import require_peer
from tests.core.plants import a_routing
from tests.core.shop import Shop

PASSWORD = "four words are enough"
ROUTING = a_routing("mill")
ORDER = {
    "id": "C-1",
    "master": f"{ROUTING.id}/{ROUTING.revision}/mill",
    "quantity": "5",
}
pytestmark = pytest.mark.timeout(120)


@asynccontextmanager
async def serving(shop: Shop, **given: Any) -> AsyncIterator[str]:
    """Serve the job orders of ``shop``; return the URL."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        url = f"opc.tcp://127.0.0.1:{found.getsockname()[1]}/mes"
    feed = Feed()

    async def submit(commanded: Commanded) -> Answer:
        answer = shop.decide(commanded)
        facts = list(shop.last)
        shop.commit()
        feed.publish(facts)
        assert answer is not None
        return answer

    floor = Floor(
        committed=shop.state, submit=submit, changes=feed.subscribe, clock=lambda: 1
    )
    assert ADAPTER.server is not None
    settings = ADAPTER.server.settings.model_validate({"url": url, **given})
    task = asyncio.ensure_future(ADAPTER.server.serve("jobs", settings, floor))
    try:
        await _until_open(url, task)
        yield url
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _until_open(url: str, task: "asyncio.Future[None]") -> None:
    host, port = url.removeprefix("opc.tcp://").partition("/")[0].split(":")
    async with asyncio.timeout(60):
        while not task.done():
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    await task


def told(url: str, *calls: tuple[str, dict[str, Any]], **who: Any) -> list[Any]:
    """What a client of another maker is told, call by call."""
    with job_client(url, **who) as client:
        return [client.do(what, **how) for what, how in calls]


STORE = ("call", {"method": "Store", "order": ORDER})
CANCEL = ("call", {"method": "Cancel", "id": "C-1"})
LIST: tuple[str, dict[str, Any]] = ("list", {})


@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes256_Sha256_RsaPss"])
async def test_a_user_may_what_is_said_and_nobody_else_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    require_peer()
    monkeypatch.setenv("PLANNER_PW", PASSWORD)
    shop = Shop(ROUTING)
    secure = {
        "policies": [policy.replace("_", "")],
        "certificate": str(tmp_path / "own.der"),
        "key": str(tmp_path / "own.pem"),
        "make_own": True,
        "users": {"planner": {"password_env": "PLANNER_PW", "may": ["Store"]}},
        "admits_anonymous": False,
    }
    channel = {"policy": policy, "mode": "SignAndEncrypt"}
    async with serving(shop, **secure) as url:
        who = {"user": "planner", "password": PASSWORD, **channel}
        stored, cancelled, listed = await asyncio.to_thread(
            told, url, STORE, CANCEL, LIST, **who
        )
        assert stored == {"code": "Good", "status": 1}
        assert cancelled["code"] == "BadUserAccessDenied"
        assert [one["id"] for one in listed] == ["C-1"]
        handled = [one for one in shop.journal if one.person == "planner"]
        assert handled
        for nobody in (
            {"user": "planner", "password": "wrong", **channel},
            channel,
            {"user": "planner", "password": PASSWORD},
        ):
            with pytest.raises(AssertionError, match="ended"):
                await asyncio.to_thread(told, url, LIST, patienceMs=5_000, **nobody)


async def test_anonymous_reads_and_calls_nothing() -> None:
    require_peer()
    async with serving(Shop(ROUTING)) as url:
        stored, listed = await asyncio.to_thread(told, url, STORE, LIST)
        assert stored["code"] == "BadUserAccessDenied"
        assert listed == []


async def test_a_password_that_is_not_there_is_for_a_person() -> None:
    users = {"planner": {"password_env": "NOT_SET_ANYWHERE"}}
    with pytest.raises(SourceMisconfigured, match="NOT_SET_ANYWHERE is not set"):
        async with serving(Shop(ROUTING), users=users):
            pass


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"url": "opc.tcp://0.0.0.0:4840"}, "other than None"),
        ({"policies": ["Basic256Sha256"]}, "needs 'certificate' and 'key'"),
        ({"admits_anonymous": False}, "nobody could log in"),
    ],
)
def test_settings_that_leave_it_open_are_refused(given: Any, why: str) -> None:
    assert ADAPTER.server is not None
    with pytest.raises(ValueError, match=why):
        ADAPTER.server.settings.model_validate(given)
