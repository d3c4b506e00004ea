"""What holds the rows: whole pages, rows of the declared types, guards in place."""

from sqlalchemy import Connection

from mes_engine.storage.dialect import written_once
from mes_engine.storage.tables import WRITTEN_ONCE
from mes_engine.storage.verify.findings import Findings

# Enabled, and called for every row: 1 row, 2 before, 8 deleted, 16 updated.
_GUARDED = """
SELECT relname FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE pg_class.relnamespace = current_schema()::regnamespace
AND tgenabled IN ('O', 'A') AND tgtype & 27 = 27 AND tgqual IS NULL
AND proname = 'mes_written_once' AND strpos(prosrc, 'RAISE EXCEPTION') > 0"""

_BROKEN_INDEXES = """
SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE pg_class.relnamespace = current_schema()::regnamespace
AND NOT (indisvalid AND indisready)"""


def check_file(findings: Findings, connection: Connection) -> None:
    """Note what the database finds wrong, and each table whose rows can be changed."""
    if connection.dialect.name == "sqlite":
        unguarded = _check_sqlite(findings, connection)
    else:
        unguarded = _check_postgresql(findings, connection)
    for table in unguarded:
        findings.add(table, "triggers", "nothing keeps its rows from being changed")


def _check_postgresql(findings: Findings, connection: Connection) -> list[str]:
    for (name,) in connection.exec_driver_sql(_BROKEN_INDEXES):
        findings.add("index", name, "PostgreSQL says that it is not valid")
    guarded = set(connection.exec_driver_sql(_GUARDED).scalars())
    return [table for table in WRITTEN_ONCE if table not in guarded]


def _check_sqlite(findings: Findings, connection: Connection) -> list[str]:
    for (found,) in connection.exec_driver_sql("PRAGMA quick_check"):
        if found != "ok":
            findings.add("file", "quick_check", found)
    there = {
        sql
        for (sql,) in connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        )
    }
    return [
        table
        for table in WRITTEN_ONCE
        if not there.issuperset(written_once("sqlite", table))
    ]
