"""What the engine knows after a restart, or once it has forgotten what is over.

A shop goes on with all it ever knew. Beside it a second one may go on with only what a
restart would load from the rows, or what stays in memory: it has to decide the same.
"""

import re
from functools import cache
from itertools import zip_longest
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, StaticPool, create_engine, insert

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.plant import Plant
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.runtime.memory import Memory
from mes_engine.storage.bulk import BULK
from mes_engine.storage.codec import CODECS
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.load import load_state
from mes_engine.storage.metadata import metadata
from mes_engine.storage.tables import fact
from tests.core.shop import Shop


class Doubled(Shop):
    """A shop that may have another beside it, which knows only what is live.

    Attributes:
        twin: The other one, since the last restart.
        sensed: What was heard, in order.
    """

    twin: Shop | None = None

    def __init__(self, *routings: Routing, plant: Plant | None = None) -> None:
        self.sensed: list[m.Sensed] = []
        super().__init__(*routings, plant=plant)

    def restart(self, *, is_loaded: bool) -> None:
        """Commit; another goes on beside, by what is in the rows or in memory."""
        self.commit()
        twin = Shop.without_a_plant()
        twin.state = loaded(self) if is_loaded else forgetting(self)
        twin.batch = twin.state.layer()
        self.twin = twin

    def decide(self, message: m.Message) -> m.Answer | None:
        """Decide a message here and beside: the same follows from it."""
        answer = super().decide(message)
        if isinstance(message, m.Sensed):
            self.sensed.append(message)
        twin = self.twin
        # Of what is malformed nothing is kept; whether it or its aim is amiss is one.
        is_malformed = answer is not None and answer.outcome is m.Outcome.MALFORMED
        if twin is not None and not is_malformed:
            twin.at = self.at
            again = twin.decide(message)
            is_idle = not _said(self.last)
            assert _is_as_good(again, answer, is_idle=is_idle), (message, answer, again)
            told, also = _said(self.last), _said(twin.last)
            if also != told:
                # In another order, as nothing says which is first: then they part.
                assert _in_any_order(also) == _in_any_order(told), _first(told, also)
                self.twin = None
        return answer

    def commit(self) -> None:
        """Make the batch last, here and beside, once it is the same."""
        twin = self.twin
        if twin is not None:
            for name, table in self.batch.tables.items():
                if name != "handled":
                    also = getattr(twin.batch, name).changes()
                    assert also == table.changes(), (name, table.changes(), also)
            twin.commit()
            twin.rows, twin.journal = {}, []
        super().commit()

    def throw_away(self) -> None:
        """Forget the batch, here and beside."""
        if self.twin is not None:
            self.twin.throw_away()
        super().throw_away()


def _is_as_good(
    again: m.Answer | None, answer: m.Answer | None, *, is_idle: bool
) -> bool:
    """Whether an answer does as well: what is over may be known here only.

    Then nothing may follow of it here either (``is_idle``).
    """
    if again is None or answer is None or _plain(again) == _plain(answer):
        return (again is None) == (answer is None)
    is_accepted = answer.outcome is m.Outcome.ACCEPTED
    return (is_idle or not is_accepted) and again.outcome is m.Outcome.NOT_FOUND


def _plain(answer: m.Answer) -> str:
    """Return what it says, with 2.50 as 2.5."""
    return re.sub(r"(\.\d*?)0+\b", lambda found: found[1].rstrip("."), repr(answer))


def _in_any_order(records: list[f.Recorded]) -> list[str]:
    return sorted(repr(one.fact) for one in records)


def _first(told: list[f.Recorded], also: list[f.Recorded]) -> str:
    """Return where two decisions part."""
    pairs = zip_longest(told, also)
    one, other = next((one, other) for one, other in pairs if one != other)
    return f"here {one}, and after a restart {other}"


def _said(records: list[f.Recorded]) -> list[f.Recorded]:
    return [one for one in records if not isinstance(one.fact, f.CommandHandled)]


def forgetting(shop: Shop) -> State:
    """Return what stays in memory at the least: nothing that may be forgotten."""
    state = State()
    for name, table in shop.state.tables.items():
        if table.spec.is_kept:
            for value in table.values():
                getattr(state, name).put(value)
    state.seq = shop.state.seq
    memory = Memory(state, requests_kept=0, at_a_time=1)
    memory.hear(shop.journal)
    for _ in state.work_request.values():
        memory.hear([])
    return state


def loaded(shop: Shop) -> State:
    """Return what a restart would load, had the shop's rows been in a database."""
    last = shop.journal[-1]
    with _database().connect() as connection:
        for name, rows in shop.rows.items():
            _write(connection, name, list(rows.values()))
        connection.execute(
            insert(fact).values(
                partition=shop.state.partition,
                seq=last.seq,
                type=f.fact_name(last.fact),
                version=f.FACT_VERSION,
                occurred_at=last.occurred_at,
                recorded_at=last.recorded_at,
                cause=last.cause,
                person=last.person,
                body="{}",
            )
        )
        state = load_state(connection, shop.state.partition)
        connection.rollback()
    return state


def _write(connection: Connection, name: str, values: list[Any]) -> None:
    rows = [CODECS[name].row(value) for value in values]
    told = msgspec.json.encode(rows).decode()
    connection.exec_driver_sql(BULK[name].write, (told, "main"))


@cache
def _database() -> Engine:
    """Return an empty database of the newest schema, in memory, used one at a time."""
    engine = create_engine(
        "sqlite://",
        module=sqlite_driver(),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
    )
    metadata.create_all(engine)
    return engine
