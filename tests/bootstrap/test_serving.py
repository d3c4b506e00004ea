"""How a site ends: in the same order, whatever it is that ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from structlog.testing import capture_logs

from mes_engine.bootstrap.serving import Server, SiteFailed, listening, serve


@dataclass
class Site:
    """A web with one slow answer, and a part beside it that can be made to fail.

    Attributes:
        told: What happened, in order.
    """

    told: list[str] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    breaks: asyncio.Event = field(default_factory=asyncio.Event)
    listens: asyncio.Event = field(default_factory=asyncio.Event)
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def run(self) -> None:
        """Serve until something ends it."""
        app = FastAPI()

        @app.get("/slow")
        async def slow() -> str:
            """Answer once we are stopping."""
            self.is_asked.set()
            await self.stopping.wait()
            self.told.append("answered")
            return "done"

        server = Server(uvicorn.Config(app, log_config=None))
        with listening("127.0.0.1", 0) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            self.listens.set()
            parts = {"steady": self._steady(), "brittle": self._brittle()}
            try:
                await serve(server, listener, parts, self.stopping)
            finally:
                self.told.append("ended")

    async def _steady(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.told.append("part ended")

    async def _brittle(self) -> None:
        await self.breaks.wait()
        raise ZeroDivisionError("no such thing")


@asynccontextmanager
async def one_request_under_way(site: Site) -> AsyncIterator[None]:
    """Wait for a slow answer meanwhile; it has to come whole."""
    await site.listens.wait()
    async with httpx.AsyncClient() as http, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(http.get(f"{site.url}/slow"))
        await site.is_asked.wait()
        yield
        answer = await asking
        assert (answer.status_code, answer.json()) == (200, "done")
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{site.url}/slow")


async def test_requests_are_answered_before_the_parts_end() -> None:
    site = Site()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(site.run())
        async with one_request_under_way(site):
            site.stopping.set()
            await asyncio.wait([running])

    assert site.told == ["answered", "part ended", "ended"]


async def test_a_part_that_fails_ends_the_site_in_the_same_order() -> None:
    site = Site()
    failed: list[BaseException | None] = []

    async def run() -> None:
        with pytest.raises(SiteFailed, match="'brittle' failed: ZeroDiv") as caught:
            await site.run()
        failed.append(caught.value)

    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(run())
            async with one_request_under_way(site):
                site.breaks.set()
                await asyncio.wait([running])

    assert site.told == ["answered", "part ended", "ended"]
    assert len(failed) == 1
    errors = [one for one in logs if one["log_level"] == "error"]
    assert [(one["event"], one["part"]) for one in errors] == [
        ("part_failed", "brittle")
    ]


async def test_what_is_cancelled_ends_in_the_same_order() -> None:
    """As the engine beside it does when it fails."""
    site = Site()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(site.run())
        async with one_request_under_way(site):
            running.cancel()
            await asyncio.wait([running])

    assert running.cancelled()
    assert site.told == ["answered", "part ended", "ended"]
