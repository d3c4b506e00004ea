"""Two engines on one PostgreSQL, while people work, and what leads them is torn away.

The one that leads is killed, or stopped and let go on; their connections are cut, and
the server itself is stopped at once. Each time one of them leads again in under 5 s;
nothing acknowledged is lost, nothing is doubled, and two never write.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from time import monotonic

import httpx
import pytest

from tests import postgres
from tests.faults.crew import a_crew
from tests.faults.harness import EngineProcess, until, verified
from tests.faults.judge import are_posted, judged

TAKEOVER_S = 5.0
ROUNDS = 3
MORE_ANSWERS = 25
TOKEN = "no-gateway-of-its-own"


class Pair:
    """Two engines on one database, and how long it took until one led again.

    Attributes:
        engines: By the order of their first start.
        server: The PostgreSQL under them.
    """

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.server = server
        self.database_url = server.fresh()
        self.took_s: list[float] = []
        self.engines = []
        for name in ("one", "other"):
            (folder / name).mkdir()
            engine = EngineProcess(
                folder / name,
                opcua=9,
                modbus=9,
                token=TOKEN,
                database_url=self.database_url,
                key_file=folder / "journal.key",
            )
            self.engines.append(engine)
        self._turns = cycle(self.engines)
        self._http = httpx.AsyncClient(timeout=2)

    def url(self) -> str:
        """Return where to ask next: whoever stands by says so, and one asks again."""
        return next(self._turns).url

    async def leader(self) -> EngineProcess | None:
        """Return the engine that takes commands now; one may be silent meanwhile."""
        asked = [asyncio.ensure_future(self._is_ready(one)) for one in self.engines]
        try:
            for told in asyncio.as_completed(asked):
                found = await told
                if found is not None:
                    return found
        finally:
            for one in asked:
                one.cancel()
        return None

    async def _is_ready(self, engine: EngineProcess) -> EngineProcess | None:
        try:
            answer = await self._http.get(f"{engine.url}/readyz")
        except httpx.TransportError:
            return None
        return engine if answer.status_code == 200 else None

    async def health(self, engine: EngineProcess) -> dict[str, str]:
        """Return what an engine says of itself."""
        answer = await self._http.get(f"{engine.url}/healthz")
        told: dict[str, str] = answer.json()
        return told

    def other(self, engine: EngineProcess) -> EngineProcess:
        """Return the one that ``engine`` is not."""
        (other,) = (one for one in self.engines if one is not engine)
        return other

    async def led(self) -> EngineProcess:
        """Wait until one leads; return it."""
        found: list[EngineProcess] = []

        async def is_led() -> bool:
            leader = await self.leader()
            found[:] = [] if leader is None else [leader]
            return leader is not None

        await until(is_led, within_s=30)
        return found[0]

    async def led_again(self, since: float) -> EngineProcess:
        """Wait until one leads, and note how long that took."""
        leader = await self.led()
        self.took_s.append(monotonic() - since)
        return leader

    async def stand_by(self, engine: EngineProcess) -> None:
        """Start an engine beside the one that leads."""
        await engine.start()
        assert (await self.health(engine))["status"] == "standby", engine.tail()

    async def close(self) -> None:
        """See that nothing is left."""
        await self._http.aclose()
        for engine in self.engines:
            await engine.close()


@asynccontextmanager
async def a_pair(folder: Path) -> AsyncIterator[Pair]:
    """Run two engines: the first leads, the other stands by."""
    postgres.skip_without()
    with ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, postgres.a_server())
        pair = Pair(folder, server)
        try:
            first, second = pair.engines
            await first.start()
            assert await pair.led() is first
            await pair.stand_by(second)
            yield pair
        finally:
            await pair.close()


async def kill(pair: Pair) -> None:
    """End the one that leads with SIGKILL, and have it stand by afterwards."""
    leader = await pair.led()
    began = monotonic()
    await leader.kill()
    assert await pair.led_again(began) is not leader
    await pair.stand_by(leader)


async def freeze(pair: Pair) -> None:
    """Stop the one that leads until it is followed, and then let it go on."""
    leader = await pair.led()
    began = monotonic()
    leader.signal(signal.SIGSTOP)
    assert await pair.led_again(began) is not leader
    leader.signal(signal.SIGCONT)
    assert await leader.ended(within_s=20) == 1, leader.tail()
    assert "another engine leads on its database now" in leader.tail()
    await pair.stand_by(leader)


async def crash_server(pair: Pair) -> None:
    """Stop PostgreSQL at once, as a lost machine would, and start it again."""
    await asyncio.to_thread(pair.server.stop)
    await asyncio.to_thread(pair.server.start)
    await both_run(pair, monotonic())


async def cut(pair: Pair) -> None:
    """Cut every connection to the database, in mid-commit or wherever they are."""
    name = pair.database_url.split("/")[3].split("?")[0]
    for _ in range(5):
        await asyncio.to_thread(
            pair.server.run,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
        )
        await asyncio.sleep(0.05)
    await both_run(pair, monotonic())


async def both_run(pair: Pair, since: float) -> None:
    """Wait until one leads; start the other again, if it has lost the lead."""
    leader = await pair.led_again(since)
    other = pair.other(leader)
    try:
        assert (await pair.health(other))["status"] == "standby"
    except (httpx.TransportError, AssertionError):
        assert await other.ended(within_s=20) == 1, other.tail()
        await pair.stand_by(other)


@pytest.mark.parametrize("fault", [kill, freeze, crash_server, cut])
@pytest.mark.timeout(300)
async def test_one_leads_again_and_nothing_is_lost_or_doubled(
    tmp_path: Path, fault: Callable[[Pair], Awaitable[None]]
) -> None:
    async with (
        a_pair(tmp_path) as pair,
        a_crew(fault.__name__, tmp_path, pair.url) as crew,
    ):
        async with crew.at_work():
            for _ in range(ROUNDS):
                await crew.answers_more(MORE_ANSWERS)
                await fault(pair)
            await crew.answers_more(MORE_ANSWERS)

        await until(lambda: are_posted(crew.clerk), within_s=30)
        verdict = await judged(crew.clerk, crew.file.read(), None)
        leader = await pair.led()
        assert await leader.stop() == 0, leader.tail()
        found = await verified(leader)

    told = ", ".join(f"{one:.1f}" for one in pair.took_s)
    print(f"\n{fault.__name__}: {verdict}; led again after {told} s")  # noqa: T201
    assert not verdict.problems, verdict
    assert found["ok"], found
    assert max(pair.took_s) < TAKEOVER_S, told


async def test_whoever_stands_by_says_so_and_follows_one_that_ends_at_once(
    tmp_path: Path,
) -> None:
    async with a_pair(tmp_path) as pair, httpx.AsyncClient(timeout=5) as http:
        leader, waiting = pair.engines
        assert await pair.health(waiting) == {"status": "standby", "leader": leader.url}
        ready = await http.get(f"{waiting.url}/readyz")
        assert ready.status_code == 503
        refused = await http.post(
            f"{waiting.url}/api/v1/work-requests", json={}, headers={"X-Person": "Ada"}
        )
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "2"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert leader.url in json.loads(refused.text)["detail"]

        began = monotonic()
        assert await leader.stop() == 0, leader.tail()
        assert await pair.led() is waiting
        assert monotonic() - began < TAKEOVER_S
        assert await waiting.stop() == 0, waiting.tail()


async def test_one_that_stands_by_ends_when_it_is_told_to(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as pair:
        leader, waiting = pair.engines

        assert await waiting.stop() == 0, waiting.tail()

        assert await pair.led() is leader
