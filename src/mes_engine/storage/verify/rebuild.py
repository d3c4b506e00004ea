"""The state, built anew from the journal by the core's own ``evolve``."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from mes_engine.core.errors import MesError
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import Recorded, decoded, fact_name
from mes_engine.core.state import TABLES, State
from mes_engine.storage.codec import CODECS
from mes_engine.storage.tables import fact as fact_table
from mes_engine.storage.verify.findings import Findings
from mes_engine.storage.verify.history import broken_history
from mes_engine.storage.verify.rows import AT_ONCE, compare, key_of, raw_rows


class Rebuilt:
    """What the journal comes to.

    Attributes:
        state: Everything that is not written once: that is compared as it is read.
        made_by: By table and key, the last fact that set it.
    """

    def __init__(self, partition: str) -> None:
        # On a layer of its own, so that merging keeps also what is over.
        self.state = State(partition).layer()
        self.made_by: dict[str, dict[Hashable, int]] = {name: {} for name in TABLES}


def rebuild(connection: Connection, partition: str, findings: Findings) -> Rebuilt:
    """Read the whole journal, noting what is wrong with it by itself."""
    rebuilt = Rebuilt(partition)
    once = {
        name: _Written(connection, name, partition, findings)
        for name, spec in TABLES.items()
        if not spec.is_kept
    }
    for recorded in _facts(connection, partition, findings):
        for why in broken_history(rebuilt.state, recorded.fact):
            findings.add("fact", recorded.seq, why)
        layer = rebuilt.state.layer()
        try:
            evolve(layer, recorded)
        except Exception as error:  # noqa: BLE001 - whatever it breaks is a finding
            findings.add(
                "fact",
                recorded.seq,
                f"{fact_name(recorded.fact)} does not follow from the facts before "
                f"it: {error}",
            )
            rebuilt.state.seq = recorded.seq
            continue
        for name, table in layer.tables.items():
            if name in once:
                for value in table.own.values():
                    once[name].expect(value, recorded.seq)
                table.own.clear()
            else:
                rebuilt.made_by[name].update(dict.fromkeys(table.own, recorded.seq))
        layer.merge()
    for written in once.values():
        written.finish()
    findings.moves = once["move"].expected
    return rebuilt


class _Written:
    """The rows of a table that is written once, alongside the facts."""

    def __init__(
        self, connection: Connection, name: str, partition: str, findings: Findings
    ) -> None:
        self.expected = 0
        self._name = name
        self._codec = CODECS[name]
        self._findings = findings
        self._rows = raw_rows(connection, name, partition)
        self._row: Sequence[Any] | None = next(self._rows, None)

    def expect(self, value: Any, seq: int) -> None:
        """Compare the row that fact ``seq`` has made with ``value``."""
        self.expected += 1
        self._skip_to(value.seq)
        if self._row is None or self._key() != value.seq:
            self._findings.add(
                self._name, value.seq, f"the row that fact {seq} made is missing"
            )
            return
        self._findings.rows += 1
        compare(self._findings, self._codec, value, self._row, seq)
        self._row = next(self._rows, None)

    def finish(self) -> None:
        """Note the rows that are left over."""
        self._skip_to(None)

    def _skip_to(self, seq: int | None) -> None:
        while self._row is not None and (seq is None or self._key() < seq):
            self._findings.add(self._name, self._key(), "no fact has made this row")
            self._row = next(self._rows, None)

    def _key(self) -> Any:
        return None if self._row is None else key_of(self._codec, self._row)


def _facts(
    connection: Connection, partition: str, findings: Findings
) -> Iterator[Recorded]:
    query = (
        select(fact_table)
        .where(fact_table.c.partition == partition)
        .order_by(fact_table.c.seq)
        .execution_options(yield_per=AT_ONCE)
    )
    last = 0
    for row in connection.execute(query):
        if row.seq != last + 1:
            gap = f"{last + 1}" if row.seq == last + 2 else f"{last + 1}..{row.seq - 1}"
            findings.add("fact", gap, "missing from the journal")
        last = row.seq
        findings.facts += 1
        try:
            fact = decoded(row.body, version=row.version)
        except (MesError, msgspec.MsgspecError) as error:
            findings.add("fact", row.seq, f"its body cannot be read: {error}")
            continue
        if row.type != fact_name(fact):
            findings.add(
                "fact.type",
                row.seq,
                f"the row says {row.type!r}, its body {fact_name(fact)!r}",
            )
        yield Recorded(
            partition=row.partition,
            seq=row.seq,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
            cause=row.cause,
            person=row.person,
            fact=fact,
        )
