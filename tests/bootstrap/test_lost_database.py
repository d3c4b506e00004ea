"""The engine on a database that fails in the commit, and is gone after it."""

import asyncio
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from mes_engine.bootstrap import running_engine
from mes_engine.bootstrap.site import apply_plant
from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.messages import Commanded, Outcome, ReceiveMaterial
from mes_engine.runtime.engine import STOP_S
from mes_engine.storage.driver import sqlite_driver
from tests.builders import a_plant
from tests.commands import mes
from tests.databases import BrokenCommits, url_in
from tests.scenarios.site import running_site

A_RECEIPT = ReceiveMaterial(
    material="ROD", unit="MTR", quantity=Decimal(3), supplier="Steel Inc"
)
BUSY_S = 5.0


def a_command(key: str) -> Commanded:
    return Commanded(
        origin="terminal", key=key, digest="d", person="Ada", at=1, command=A_RECEIPT
    )


@pytest.mark.parametrize("is_done", [True, False])
async def test_it_ends_in_time_and_the_next_life_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    """Whether the commit of which nobody knew was done, is found when it is back."""
    began = 0.0
    async with running_engine(url_in(tmp_path)) as core:
        await apply_plant(core, a_plant())
        kept = await core.submit(a_command("kept"))
        broken = BrokenCommits(core.database, monkeypatch, is_done=is_done)
        broken.is_dark = True

        with pytest.raises(OutcomeUnknown):
            await core.submit(a_command("doubtful"))
        assert not core.engine.is_accepting
        with pytest.raises(Overloaded):
            await core.submit(a_command("refused"))
        began = time.monotonic()

    assert time.monotonic() - began < STOP_S + 2
    async with running_engine(url_in(tmp_path)) as core:
        doubtful = core.engine.committed.handled.get(("terminal", "doubtful"))
        assert (doubtful is not None) is is_done
        answers = await asyncio.gather(
            *(core.submit(a_command(key)) for key in ("kept", "doubtful", "doubtful"))
        )
        assert answers[0] == kept
        assert answers[1] == answers[2]
        assert answers[2].outcome is Outcome.ACCEPTED
        held = core.engine.committed.position.find("material_in_stock", "ROD")
        assert sum(one.stock for one in held) == 6


def test_a_site_ends_in_time_while_another_program_keeps_the_database(
    tmp_path: Path,
) -> None:
    order = {
        "work_request": "WR-1",
        "routing": "bracket",
        "quantity": 1,
        "due_at": "2030-01-01T00:00:00Z",
    }
    with (
        running_site(tmp_path) as site,
        closing(sqlite_driver().connect(tmp_path / "mes.db")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        answer = site.post("/work-requests", order)
        assert answer.status_code == 503, answer.text
        assert time.monotonic() - began < BUSY_S + 2

        began = time.monotonic()
        assert site.stop() == 0
        assert time.monotonic() - began < 10
    assert mes("verify", "--database", url_in(tmp_path)).code == 0
