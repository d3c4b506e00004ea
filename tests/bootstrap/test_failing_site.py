"""A site in which something fails that is not meant to: ``mes run`` as a process."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mes_engine.migrations import upgrade
from mes_engine.storage.driver import sqlite_driver
from tests.commands import CONFIG, mes
from tests.databases import url_in
from tests.scenarios.site import running_site

NOWHERE = "9"
"""A port of this machine where nothing listens: the discard service."""
AN_ORDER = {
    "work_request": "WR-1",
    "routing": "bracket",
    "quantity": 1,
    "due_at": "2030-01-01T00:00:00Z",
}


def spoil(folder: Path, table: str) -> None:
    """Have the database take nothing into ``table`` any more."""
    with closing(sqlite_driver().connect(folder / "mes.db")) as raw:
        raw.execute(
            f"CREATE TRIGGER spoilt BEFORE INSERT ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'spoilt by the test'); END"
        )


def errors(log: str) -> Iterator[dict[str, Any]]:
    """Yield what was logged as an error; the log is JSON lines."""
    for line in log.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if event["level"] == "error":
                yield event


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    upgrade(url_in(tmp_path))
    return tmp_path


def test_a_part_that_fails_ends_the_site_and_is_named(folder: Path) -> None:
    spoil(folder, "job_slot")

    said = mes(
        *("run", "--config", str(CONFIG)),
        MES_DATABASE_URL=url_in(folder),
        MES_HTTP_PORT="0",
        MES_OPCUA_URL=f"opc.tcp://127.0.0.1:{NOWHERE}/mes",
        MES_MODBUS_PORT=NOWHERE,
        MES_JOURNAL_KEY=str(folder / "journal.key"),
    )

    assert said.code == 1
    (error,) = errors(said.err)
    assert (error["event"], error["part"]) == ("part_failed", "jobs")
    last = said.err.splitlines()[-1]
    assert last.startswith("The site ended because its part 'jobs' failed: ")
    assert "Traceback" not in said.err


def test_an_engine_that_fails_still_answers_who_waits(folder: Path) -> None:
    with running_site(folder) as site:
        spoil(folder, "fact")

        answer = site.post("/work-requests", AN_ORDER)

        assert answer.status_code == 503, answer.text
        assert answer.json()["type"].endswith("outcome-unknown")
        assert site.wait() == 1

    log = (folder / "engine.log").read_text()
    assert [one["event"] for one in errors(log)] == ["message_failed", "site_failed"]
    assert log.splitlines()[-1].startswith("The site ended because of ")
    found = mes("verify", "--database", url_in(folder))
    assert found.code == 0, found.out
