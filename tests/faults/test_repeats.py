"""One key, one booking; one job, one winner: over real sockets, many at once."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Shop
from tests.faults.load import BENCH

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 50


async def sent_at_once(
    shop: Shop, path: str, key: str, bodies: list[Any]
) -> list[tuple[int, bytes]]:
    """Send the bodies at the same moment, each over a connection of its own."""
    limits = httpx.Limits(max_connections=len(bodies), max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=shop.engine.url, limits=limits, timeout=30, trust_env=False
    ) as http:
        headers = {"Idempotency-Key": key, "X-Person": "Clara"}
        answers = await asyncio.gather(
            *(http.post(f"/api/v1{path}", json=b, headers=headers) for b in bodies)
        )
    return [(one.status_code, one.content) for one in answers]


async def effects(shop: Shop, key: str) -> Counter[str]:
    """Return the facts that a command of the key has left, by type."""
    facts = await shop.clerk.items("/facts")
    return Counter(one["type"] for one in facts if one["cause"] == f"http:{key}")


async def test_fifty_at_once_with_one_key_are_one_booking(shop: Shop) -> None:
    job = await shop.begun("R-FIFTY", 10)
    body = {"good": "3"}
    answers = await sent_at_once(
        shop, f"/job-orders/{job}/report", "one-press-of-50", [body] * AT_ONCE
    )

    assert len(answers) == AT_ONCE
    assert len(set(answers)) == 1, set(answers)
    assert answers[0][0] == 200
    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == "3"
    told = await effects(shop, "one-press-of-50")
    assert (told["quantity_reported"], told["command_handled"]) == (1, 1)
    await shop.cleared(job)


async def test_fifty_refusals_at_once_are_one_refusal(shop: Shop) -> None:
    job = await shop.begun("R-REFUSED", 10)
    path = f"/job-orders/{job}/complete"
    answers = await sent_at_once(shop, path, "fifty-refusals", [{}] * AT_ONCE)

    assert len(set(answers)) == 1, set(answers)
    assert answers[0][0] == 409
    assert await effects(shop, "fifty-refusals") == {"command_handled": 1}
    await shop.cleared(job)


async def test_one_key_for_two_bodies_at_once_books_one_of_them(shop: Shop) -> None:
    job = await shop.begun("R-MIXED", 10)
    bodies = [{"good": str(1 + number % 2)} for number in range(AT_ONCE)]
    path = f"/job-orders/{job}/report"
    answers = await sent_at_once(shop, path, "two-bodies-1", bodies)

    by_body: dict[str, set[tuple[int, bytes]]] = {"1": set(), "2": set()}
    for body, answer in zip(bodies, answers, strict=True):
        by_body[body["good"]].add(answer)
    booked = (await shop.clerk.get(f"/job-orders/{job}"))["good"]
    other = "2" if booked == "1" else "1"
    assert {status for status, _ in by_body[booked]} == {200}
    assert len(by_body[booked]) == 1
    assert {status for status, _ in by_body[other]} == {422}
    assert (await effects(shop, "two-bodies-1"))["quantity_reported"] == 1
    await shop.cleared(job)


async def test_a_key_is_refused_for_anything_else(shop: Shop) -> None:
    job = await shop.begun("R-OTHER", 10)
    path, key = f"/job-orders/{job}/report", "key-of-one-thing"
    first = await shop.clerk.command(path, {"good": "1"}, key=key)
    assert first.is_done

    async def again(path: str, body: object, person: str = "Clara") -> dict[str, Any]:
        headers = {"Idempotency-Key": key, "X-Person": person}
        answer = await shop.clerk.asked("POST", path, json=body, headers=headers)
        assert answer.status_code == 422
        return dict(answer.json())

    told = await again(path, {"good": "2"})
    assert told == {
        "type": "/problems/key-reused",
        "title": "This key belongs to another command",
        "status": 422,
        "detail": f"The key '{key}' was used before, for something else.",
        "hint": "Use a key of its own for each thing that is asked for.",
    }
    assert await again(f"/job-orders/{job}/pause", {"reason": "tea"}) == told
    assert await again(path, {"good": "1"}, person="Mallory") == told
    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == "1"
    await shop.cleared(job)


class Racer:
    """A client process that sends what it is handed, when it is handed it."""

    def __init__(self, process: Process, person: str) -> None:
        self.person = person
        self._process = process

    async def line(self) -> bytes:
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            return await self._process.stdout.readline()

    async def load(self, job: str, key: str) -> tuple[int, dict[str, Any]]:
        """Load the job onto the bench; return the answer."""
        assert self._process.stdin is not None
        wanted = {
            "path": f"/job-orders/{job}/load",
            "key": key,
            "body": {"work_unit": BENCH},
        }
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        told = json.loads(await self.line())
        return told["status"], json.loads(told["answer"])


@asynccontextmanager
async def a_racer(shop: Shop, person: str) -> AsyncIterator[Racer]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.racing", shop.engine.url, person),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        racer = Racer(process, person)
        assert await racer.line() == b"ready\n"
        yield racer
    finally:
        process.kill()
        await process.wait()


async def race(shop: Shop, request: str, rounds: int) -> Counter[str]:
    """Let two processes take the same job, again and again; count who won."""
    job = await shop.job(request, 5)
    won: Counter[str] = Counter()
    async with a_racer(shop, "Ann") as ann, a_racer(shop, "Bob") as bob:
        for number in range(rounds):
            pair = [ann, bob] if number % 2 else [bob, ann]
            answers = await asyncio.gather(
                *(r.load(job, f"{r.person}-{request}-{number:04}") for r in pair)
            )
            outcomes = sorted(zip(answers, pair, strict=True), key=lambda o: o[0][0])
            (yes, done), winner = outcomes[0]
            (no, told), _ = outcomes[1]
            assert (yes, no) == (200, 409), (number, answers)
            assert done["result"]["state"] == "allowed_to_start.loaded"
            assert told["detail"] == (
                f"'load' is not allowed while {job} is 'allowed_to_start.loaded' on "
                f"{BENCH}, taken by {winner.person}."
            )
            shown = await shop.clerk.get(f"/job-orders/{job}")
            claims = [one for one in shown["runs"] if one["closed_at"] is None]
            assert [one["person"] for one in claims] == [winner.person]
            won[winner.person] += 1
            await shop.clerk.done(f"/job-orders/{job}/unload")
    return won


async def test_two_processes_race_and_one_wins(shop: Shop) -> None:
    won = await race(shop, "R-RACE", 100)
    assert won.total() == 100


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_two_processes_race_a_thousand_times(shop: Shop) -> None:
    won = await race(shop, "R-RACE-1000", 1_000)
    assert won.total() == 1_000
    assert min(won.values()) > 0, won
