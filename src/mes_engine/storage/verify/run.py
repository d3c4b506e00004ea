"""All the checks, one after the other."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from mes_engine.core import laws
from mes_engine.core.carrier_laws import broken_aggregation_laws, broken_carrier_laws
from mes_engine.core.state import TABLES
from mes_engine.storage.chain import Keyring
from mes_engine.storage.codec import CODECS
from mes_engine.storage.verify.anchors import Anchored
from mes_engine.storage.verify.chain import check_chain
from mes_engine.storage.verify.file import check_file
from mes_engine.storage.verify.findings import Findings, VerifyReport
from mes_engine.storage.verify.ledger import LedgerView, check_ledger
from mes_engine.storage.verify.rebuild import Rebuilt, rebuild
from mes_engine.storage.verify.rows import compare, key_of, named, raw_rows, value_of

LAWS: tuple[tuple[str, Callable[..., Iterator[str]], tuple[str, ...]], ...] = (
    ("position", laws.broken_position_laws, ("position",)),
    (
        "connection_flow",
        laws.broken_connection_laws,
        ("connection_flow", "position"),
    ),
    ("lot", laws.broken_lot_laws, ("lot", "position")),
    ("lot", laws.broken_serial_laws, ("lot", "position")),
    ("carrier", broken_carrier_laws, ("lot", "carrier")),
    ("work_request", laws.broken_request_laws, ("work_request", "position")),
    ("job_order", laws.broken_posting_laws, ("job_order", "posting")),
    (
        "machine_tally",
        laws.broken_count_laws,
        ("machine_tally", "unassigned_production"),
    ),
    (
        "unassigned_production",
        laws.broken_dismissal_laws,
        ("machine_tally", "unassigned_production"),
    ),
)
"""By the table whose rows it is about: a law, and the tables that it looks at."""

LAWFUL = frozenset(name for _, _, names in LAWS for name in names)


def verify(
    connection: Connection,
    partition: str = "main",
    *,
    ledger: LedgerView | None = None,
    keys: Keyring | None = None,
    anchored: Anchored | None = None,
) -> VerifyReport:
    """Hold the rows of ``partition`` against its journal, and both against the laws.

    It reads everything: run it in ``Database.read``, which sees one moment.

    Args:
        connection: Where to read.
        partition: Whose journal.
        ledger: The embedded ledger, if postings go there.
        keys: What the journal's chain was made with; None if that is not known here.
        anchored: Its anchors, if it has any.
    """
    findings = Findings()
    check_chain(findings, connection, keys, partition, anchored)
    check_file(findings, connection)
    rebuilt = rebuild(connection, partition, findings)
    rows = {
        name: _compare_table(connection, name, rebuilt, findings)
        for name, spec in TABLES.items()
        if spec.is_kept
    }
    made = {name: list(getattr(rebuilt.state, name).values()) for name in LAWFUL}
    _check_laws(findings, made, "by the journal")
    _check_laws(findings, rows, "by the rows")
    _check_edges(connection, findings, made["position"], partition)
    _check_events(connection, findings, made, partition)
    if ledger is not None:
        booked = ledger.booked(connection)
        check_ledger(findings, booked, ledger, rebuilt.state.posting.values())
    return findings.report()


def verify_chain(
    connection: Connection,
    partition: str = "main",
    *,
    keys: Keyring | None = None,
    anchored: Anchored | None = None,
) -> VerifyReport:
    """Follow the journal's chain alone: what was written is there, and no more.

    It says nothing of the rows beside the journal, and is many times as fast.
    """
    findings = Findings()
    check_chain(findings, connection, keys, partition, anchored)
    findings.facts = findings.followed
    return findings.report()


def _compare_table(
    connection: Connection, name: str, rebuilt: Rebuilt, findings: Findings
) -> list[Any]:
    """Compare a table both ways; return what its rows stand for, as far as readable."""
    codec, table = CODECS[name], getattr(rebuilt.state, name)
    made_by = rebuilt.made_by[name]
    seen, values = set(), []
    for row in raw_rows(connection, name, rebuilt.state.partition):
        findings.rows += 1
        key = key_of(codec, row)
        seen.add(key)
        wanted = table.get(key)
        if wanted is None:
            findings.add(name, named(key), "no fact has made this row")
        else:
            compare(findings, codec, wanted, row, made_by[key])
        if name in LAWFUL and (value := value_of(codec, row)) is not None:
            values.append(value)
    for wanted in table.values():
        key = table.spec.key(wanted)
        if key not in seen:
            findings.add(
                name, named(key), f"the row that fact {made_by[key]} made is missing"
            )
    return values


def _check_edges(
    connection: Connection,
    findings: Findings,
    positions: list[Any],
    partition: str,
) -> None:
    """Check the edges by their rows, which are compared with their facts already."""
    codec = CODECS["genealogy_edge"]
    rows = raw_rows(connection, "genealogy_edge", partition)
    edges = (value for row in rows if (value := value_of(codec, row)) is not None)
    for sentence in laws.broken_edge_laws(edges, positions):
        law, _, why = sentence.partition(": ")
        findings.add("law", law, f"{why} (by the rows)")


def _check_events(
    connection: Connection,
    findings: Findings,
    made: Mapping[str, list[Any]],
    partition: str,
) -> None:
    """Check what went in and out of carriers by its rows, in their order."""
    codec = CODECS["aggregation_event"]
    rows = raw_rows(connection, "aggregation_event", partition)
    events = (value for row in rows if (value := value_of(codec, row)) is not None)
    for sentence in broken_aggregation_laws(events, made["lot"], made["carrier"]):
        law, _, why = sentence.partition(": ")
        findings.add("law", law, f"{why} (by the rows)")


def _check_laws(findings: Findings, held: Mapping[str, list[Any]], where: str) -> None:
    for about, broken, names in LAWS:
        findings.laws += len(held[about])
        try:
            for sentence in broken(*(held[name] for name in names)):
                law, _, why = sentence.partition(": ")
                findings.add("law", law, f"{why} ({where})")
        except Exception as error:  # noqa: BLE001 - rows that no law can be told of
            findings.add(about, "law", f"it cannot be told {where}: {error!r}")
