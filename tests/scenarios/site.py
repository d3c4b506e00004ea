"""A site from outside: ``mes run`` as a process, asked over HTTP and nothing else."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import httpx
from sqlalchemy import text

from mes_engine.migrations import upgrade
from mes_engine.storage.backend import opened
from tests.databases import url_in

LOOK_S = 0.01
PATIENCE_S = 20.0
START_S = 50.0
STOP_S = 20.0
UNBOOKED = "UNBOOKED"
"""What a work request's id begins with where the ledger's books are closed to it."""

_CLOSED_BOOKS = f"""
CREATE TRIGGER closed_books BEFORE INSERT ON ledger_entry
WHEN NEW.stream LIKE '{UNBOOKED}%'
BEGIN SELECT RAISE(ABORT, 'the books are closed'); END"""

_CLOSED_BOOKS_POSTGRESQL = f"""
CREATE FUNCTION closed_books() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the books are closed' USING ERRCODE = '23000'; END $$;
CREATE TRIGGER closed_books BEFORE INSERT ON ledger_entry
FOR EACH ROW WHEN (NEW.stream LIKE '{UNBOOKED}%') EXECUTE FUNCTION closed_books()"""

KEY_FILE = "journal.key"
_SITE = """\
database: {url: "${MES_DATABASE_URL}"}
http: {port: 0}
journal: {key_file: "${MES_JOURNAL_KEY}"}
"""
_BOOTH: dict[str, dict[str, Any]] = {
    "spray": {"area": "booth"},
    "bake": {"area": "booth", "kanban": 15},
}
"""The work centers of an area that takes two work requests at a time."""

_PLANT = """\
site: {id: TEST, name: Test plant, zone: Europe/Berlin}
locations: {finished: STORE, receiving: DOCK}
areas: [hall, {id: booth, wip_limit: {work_requests: 2}}]
serials: {NUMBERED: "P{yy}-{n:04}"}
carrier_types:
  tray: {name: Tray, capacity: 10, counted_in: pieces, mixed: no}
  pallet: {name: Pallet, capacity: 3, takes: [lots, tray]}
"""
_FURNACE = {
    "most": 60,
    "least": 40,
    "wait_min": 60,
    "counted_in": "positions",
    "same": ["step"],
}


def until(holds: Callable[[], Any], *, within_s: float = PATIENCE_S) -> None:
    """Wait for the thing itself."""
    deadline, pause = time.monotonic() + within_s, Event()
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        pause.wait(LOOK_S)


class Site:
    """An engine that runs, and what can be asked of it.

    Attributes:
        routings: By their one step, those that every test may use.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], http: httpx.Client, folder: Path
    ) -> None:
        self.numbers: Iterator[int] = count(1)
        self.routings: dict[str, str] = {}
        self.database_url = url_in(folder)
        self.key_file = folder / KEY_FILE
        self.url = str(http.base_url).partition("/api")[0]
        self._process = process
        self._http = http
        self.folder = folder

    def get(self, path: str, **query: Any) -> Any:
        """Read what has to be there."""
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, path: str, **query: Any) -> list[Any]:
        """Read every page of a list."""
        found: list[Any] = []
        page: dict[str, Any] = {"next": None}
        while not found or page["next"]:
            cursor = {"cursor": page["next"]} if page["next"] else {}
            page = self.get(path, limit=1000, **query, **cursor)
            found += page["items"]
            if not page["items"]:
                break
        return found

    def facts(self, after: int, *types: str) -> list[Any]:
        """Read the facts of some types after a number."""
        found: list[Any] = []
        while True:
            page = self.get("/facts", after=after, limit=1000, type=types)
            found += page["items"]
            if page["next"] is None:
                return found
            after = int(page["next"])

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        person: str = "Maria",
    ) -> httpx.Response:
        """Send a command, under a key of its own."""
        key = f"press-{next(self.numbers):08}"
        headers = {"Idempotency-Key": key, "X-Person": person}
        return self._http.post(path, json=body, headers=headers)

    def done(self, path: str, **body: Any) -> Any:
        """Send a command that has to be accepted; return the answer."""
        answer = self.post(path, body or None)
        assert answer.is_success, answer.text
        return answer.json()

    def put(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Put a document in place; it has to be taken."""
        answer = self.try_put(path, body)
        assert answer.is_success, answer.text
        return answer

    def try_put(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Put a document in place, if it is taken."""
        return self._http.put(path, json=body)

    def stop(self) -> int:
        """Have it end in order; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        return self._process.wait(STOP_S)

    def kill(self) -> None:
        """End it with SIGKILL: nothing is finished."""
        self._process.kill()
        self._process.wait(STOP_S)

    def tail(self) -> str:
        """Return the end of its log."""
        lines = (self.folder / "engine.log").read_text().splitlines()
        return "\n".join(lines[-30:])


def _close_books(url: str) -> None:
    engine, connection = opened(url, busy_timeout_s=PATIENCE_S)
    is_sqlite = engine.dialect.name == "sqlite"
    with connection, connection.begin():
        closing = _CLOSED_BOOKS if is_sqlite else _CLOSED_BOOKS_POSTGRESQL
        connection.execute(text(closing))
    engine.dispose()


@contextmanager
def running_site(
    folder: Path, config: Path | None = None, **environment: str
) -> Iterator[Site]:
    """Run ``mes run`` on a database in ``folder``; by hand only, unless ``config``."""
    if config is None:
        config = folder / "config"
        write_config(config)
        upgrade(url_in(folder))
        _close_books(url_in(folder))
    ready, log = folder / "ready.json", folder / "engine.log"
    ready.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "mes_engine", "run", "--config", str(config)),
        *("--ready-file", str(ready)),
    ]
    with ExitStack() as stack:
        output = stack.enter_context(log.open("ab"))
        process = stack.enter_context(
            subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={
                    **os.environ,
                    "MES_DATABASE_URL": url_in(folder),
                    "MES_HTTP_PORT": "0",
                    "MES_JOURNAL_KEY": str(folder / KEY_FILE),
                    **environment,
                },
            )
        )
        stack.callback(process.kill)
        until(lambda: ready.exists() or process.poll() is not None, within_s=START_S)
        assert process.returncode is None, log.read_text()
        url = json.loads(ready.read_text())["url"]
        http = stack.enter_context(
            httpx.Client(
                base_url=f"{url}/api/v1",
                headers={"X-Person": "Maria"},
                timeout=PATIENCE_S,
            )
        )
        yield Site(process, http, folder)


def write_config(
    config: Path,
    *,
    links: Mapping[str, Any] | None = None,
    units: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write a plant of benches, on which many jobs can be worked on at a time.

    Two to each work center; the narrow one has a single bench with a single place. The
    furnace takes 40 to 60 positions at a time.

    Args:
        config: The folder to make.
        links: What is connected to.
        units: What work units have besides, by id.
    """
    wide, narrow = {"active": 100, "staged": 1}, {"active": 1, "staged": 1}
    benches = {
        f"{name}-{number}": (name, wide)
        for name in ("cut", "mill", "drill", "paint", "pack", *_BOOTH)
        for number in (1, 2)
    } | {"narrow-1": ("narrow", narrow), "furnace-1": ("furnace", narrow)}
    kinds = dict.fromkeys(name for name, _ in benches.values())
    plant: dict[str, Any] = {
        "equipment_classes": {
            name: {"name": name} | ({"batch": _FURNACE} if name == "furnace" else {})
            for name in kinds
        },
        "work_centers": {
            name.upper(): {"area": "hall", "name": name} | _BOOTH.get(name, {})
            for name in kinds
        },
        "work_units": {
            bench: {
                "work_center": name.upper(),
                "name": bench,
                "classes": [name],
                "lanes": lanes,
                **(units or {}).get(bench, {}),
            }
            for bench, (name, lanes) in benches.items()
        },
    }
    if links:
        plant["links"] = dict(links)
    config.mkdir()
    told = "".join(f"{key}: {json.dumps(value)}\n" for key, value in plant.items())
    (config / "plant.yaml").write_text(_PLANT + told)
    (config / "site.yaml").write_text(_SITE)
