"""A database with a day in it, and someone who changes its rows behind our back."""

from contextlib import closing
from pathlib import Path

from mes_engine.storage.database import Database
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.tables import WRITTEN_ONCE, guards
from mes_engine.storage.verify import verify


class Site:
    """A database with a day in it, and someone who changes rows behind our back."""

    def __init__(self, database: Database, path: Path) -> None:
        self.database = database
        self._path = path

    def corrupt(self, statement: str) -> None:
        """Change one row, as someone can who has the file and knows SQL."""
        with closing(sqlite_driver().connect(self._path, isolation_level=None)) as raw:
            for table in WRITTEN_ONCE:
                for verb in ("update", "delete"):
                    raw.execute(f"DROP TRIGGER {table}_no_{verb}")
            changed = raw.execute(statement).rowcount
            for table in WRITTEN_ONCE:
                for guard in guards(table):
                    raw.execute(guard)
        assert changed == 1, statement

    async def found(self) -> list[tuple[str, str]]:
        """Return what verify finds, and where."""
        report = await self.database.read(verify)
        return [(one.what, one.where) for one in report.problems]

    async def scalar(self, statement: str) -> str:
        """Return one value of the database."""
        return str(
            await self.database.read(
                lambda connection: (
                    connection.exec_driver_sql(statement).scalars().first()
                )
            )
        )
