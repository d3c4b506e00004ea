"""The engine over HTTP, as any terminal would use it, and the machines' panels."""

import asyncio
import secrets
from http import HTTPStatus
from itertools import count
from typing import Any

import httpx

TRIES = 20
PAUSE_S = 0.25


class RefusedByEngine(Exception):
    """The engine understood and said no: ``problem`` is its problem+json."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('detail', '')} {problem.get('hint', '')}")
        self.problem = problem


class Api:
    """One person at one terminal."""

    def __init__(self, http: httpx.AsyncClient, person: str) -> None:
        self._http = http
        self._person = person
        self._run = secrets.token_hex(4)
        self._numbers = count(1)

    async def get(self, path: str, **query: str) -> Any:
        """Read ``path`` below ``/api/v1``."""
        return await self._sent("GET", path, None, {}, query)

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Read every page of a list."""
        found: list[dict[str, Any]] = []
        page = await self.get(path, **query)
        found += page["items"]
        while page["next"]:
            page = await self.get(path, **query, cursor=page["next"])
            found += page["items"]
        return found

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Give a command; sent again under the same key until there is an answer.

        Raises:
            RefusedByEngine: The engine says no.
        """
        key = f"{self._run}-{next(self._numbers)}"
        return await self._sent("POST", path, body, {"Idempotency-Key": key}, {})

    async def put(self, path: str, body: dict[str, Any]) -> Any:
        """Put a document in place under the id in its path."""
        return await self._sent("PUT", path, body, {}, {})

    async def _sent(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        headers: dict[str, str],
        query: dict[str, str],
    ) -> Any:
        for tried in range(TRIES):
            try:
                answer = await self._http.request(
                    method,
                    f"/api/v1{path}",
                    json=body,
                    params=query,
                    headers={"X-Person": self._person, **headers},
                )
            except httpx.TransportError:
                if tried + 1 == TRIES:
                    raise
            else:
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    return _read(answer)
            await asyncio.sleep(PAUSE_S)
        raise RefusedByEngine({"detail": f"{path}: no answer after {TRIES} tries."})


def _read(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        raise RefusedByEngine(answer.json())
    answer.raise_for_status()
    raise RefusedByEngine({"detail": f"HTTP {answer.status_code}"})


class Panels:
    """The panels of the machines, where an operator tells them how many to make."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def start(self, machine: str, quantity: int) -> None:
        """Have the machine make ``quantity`` pieces more."""
        answer = await self._http.post(
            f"/machines/{machine}/start", json={"quantity": quantity}
        )
        answer.raise_for_status()

    async def machines(self) -> dict[str, dict[str, Any]]:
        """Return what each panel shows, by machine."""
        answer = await self._http.get("/machines")
        answer.raise_for_status()
        return {one["id"]: one for one in answer.json()}
