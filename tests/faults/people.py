"""People at terminals, and the file of what they were answered.

A command has a key and is sent again under it until there is an answer. The answer is
in the file, and on the disk, before the next command is given: whatever the engine
says afterwards is held against that file.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.faults.harness import until

DONE, REFUSED, NOT_NOW = 200, 409, 503
PAUSE_S = 0.2
TRY_S = 20.0

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """A command, and the answer to it as it came over the wire."""

    key: str
    person: str
    path: str
    body: Body | None
    status: int
    answer: str

    @property
    def is_done(self) -> bool:
        return self.status == DONE

    @property
    def words(self) -> tuple[str, ...]:
        """The parts of the path: ``job-orders``, its id, the trigger."""
        return tuple(self.path.strip("/").split("/"))

    def plain(self) -> dict[str, Any]:
        """Return the answer's body."""
        return dict(json.loads(self.answer))


class Acknowledgements:
    """The external file: a line an answer, on the disk when ``append`` returns.

    Attributes:
        written: How many answers were appended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0

    def append(self, one: Acknowledged) -> None:
        with self.path.open("ab") as lines:
            lines.write(json.dumps(asdict(one)).encode() + b"\n")
            lines.flush()
            os.fsync(lines.fileno())
        self.written += 1

    def read(self) -> list[Acknowledged]:
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()
        return [Acknowledged(**json.loads(line)) for line in lines]


class Person:
    """Someone at a terminal that keeps trying.

    Attributes:
        retries: How often a command or a question had to be sent again.
    """

    def __init__(
        self,
        name: str,
        http: httpx.AsyncClient,
        url: Callable[[], str],
        acknowledgements: Acknowledgements,
    ) -> None:
        self.name = name
        self.retries = 0
        self._http = http
        self._url = url
        self._file = acknowledgements
        self._numbers = count(1)

    async def command(
        self, path: str, body: Body | None = None, *, key: str | None = None
    ) -> Acknowledged:
        """Give a command until it is answered, and note the answer."""
        key = key or f"{self.name}-{next(self._numbers):06}"
        answer = await self.asked("POST", path, key=key, json=body)
        found = Acknowledged(
            key=key,
            person=self.name,
            path=path,
            body=body,
            status=answer.status_code,
            answer=answer.text,
        )
        if found.status in {DONE, REFUSED}:
            self._file.append(found)
        return found

    async def done(self, path: str, body: Body | None = None) -> dict[str, Any]:
        """Give a command that must succeed; return its result."""
        answer = await self.command(path, body)
        assert answer.is_done, answer
        result: dict[str, Any] = answer.plain()["result"]
        return result

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.asked("GET", path, params=query)
        assert answer.status_code == DONE, answer.text
        return answer.json()

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Read a list to its end."""
        by = "after" if path == "/facts" else "cursor"
        page = await self.get(path, **query, limit="1000")
        found: list[dict[str, Any]] = page["items"]
        while page["next"] is not None:
            page = await self.get(path, **query, limit="1000", **{by: page["next"]})
            found += page["items"]
        return found

    async def tried(
        self, method: str, path: str, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Send a request once."""
        headers = {"X-Person": self.name, **more.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self._http.request(
            method, f"{self._url()}/api/v1{path}", headers=headers, **more
        )

    async def asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request until it is answered by anything but "not now"."""
        while True:
            try:
                answer = await self.tried(method, path, **more)
            except httpx.TransportError:
                pass
            else:
                if answer.status_code != NOT_NOW:
                    return answer
            self.retries += 1
            await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def a_person(
    name: str, url: Callable[[], str], file: Acknowledgements
) -> AsyncIterator[Person]:
    """Let someone in, whose answers go into ``file``."""
    async with httpx.AsyncClient(timeout=TRY_S, trust_env=False) as http:
        yield Person(name, http, url, file)


async def release_routing(person: Person, routing: Body) -> None:
    """Have the engine work by ``routing``; return when it does."""
    path = f"/plm/routings/{routing['id']}/revisions/{routing['revision']}"
    for method, where, body in (
        ("PUT", path, routing),
        ("POST", f"{path}/release", None),
    ):
        answer = await person.asked(method, where, json=body)
        assert answer.is_success, answer.text

    async def is_effective() -> bool:
        found = await person.get("/routings")
        return any(
            one["is_effective"] and one["routing"]["id"] == routing["id"]
            for one in found
        )

    await until(is_effective)
