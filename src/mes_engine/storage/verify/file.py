"""The file itself: whole pages, rows of the declared types, and its guards in place."""

from sqlalchemy import Connection

from mes_engine.storage.tables import WRITTEN_ONCE, guards
from mes_engine.storage.verify.findings import Findings


def check_file(findings: Findings, connection: Connection) -> None:
    """Note what SQLite finds wrong, and each table whose rows can be rewritten."""
    for (found,) in connection.exec_driver_sql("PRAGMA quick_check"):
        if found != "ok":
            findings.add("file", "quick_check", found)
    there = {
        sql
        for (sql,) in connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        )
    }
    for table in WRITTEN_ONCE:
        if not there.issuperset(guards(table)):
            findings.add(table, "triggers", "nothing keeps its rows from being changed")
