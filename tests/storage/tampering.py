"""A database with a day in it, and someone who changes its rows behind our back."""

from sqlalchemy import Connection, Engine, create_engine, text

from mes_engine.storage.database import Database
from mes_engine.storage.dialect import written_once
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.tables import WRITTEN_ONCE
from mes_engine.storage.verify import verify


class Site:
    """A database with a day in it, and someone who changes rows behind our back."""

    def __init__(self, database: Database, url: str) -> None:
        self.database = database
        self._url = url.replace("postgresql://", "postgresql+psycopg://")

    def corrupt(self, statement: str) -> None:
        """Change one row, as someone can who has the database and knows SQL."""
        dialect = self.database.dialect
        engine = self._engine()
        with engine.begin() as raw:
            for table in WRITTEN_ONCE:
                self._unguard(raw, table)
            changed = raw.exec_driver_sql(statement).rowcount
            for table in WRITTEN_ONCE:
                for guard in written_once(dialect, table):
                    raw.execute(text(guard))
        engine.dispose()
        assert changed == 1, statement

    def within(self, column: str, path: str) -> str:
        """Return the SQL of what JSON has at ``path``, such as ``move.bucket``."""
        if self.database.dialect == "sqlite":
            return f"{column} ->> '$.{path}'"
        return f"CAST({column} AS json) #>> '{{{path.replace('.', ',')}}}'"

    def replaced(self, column: str, path: str, value: str) -> str:
        """Return the SQL of JSON that has another string at ``path``."""
        if self.database.dialect == "sqlite":
            return f"json_replace({column}, '$.{path}', '{value}')"
        at = f"'{{{path.replace('.', ',')}}}'"
        return f"CAST(jsonb_set(CAST({column} AS jsonb), {at}, '\"{value}\"') AS text)"

    def take_a_guard_away(self) -> None:
        """Have rows of the journal changed by whoever likes."""
        engine = self._engine()
        with engine.begin() as raw:
            self._unguard(raw, "fact")
        engine.dispose()

    def _engine(self) -> Engine:
        # By the same library: two of SQLite in one process undo each other's locks.
        module = sqlite_driver() if self.database.dialect == "sqlite" else None
        return create_engine(self._url, module=module)

    def _unguard(self, raw: Connection, table: str) -> None:
        is_sqlite = self.database.dialect == "sqlite"
        for verb in ("update", "delete") if is_sqlite else ("update", "truncate"):
            on = "" if is_sqlite else f" ON {table}"
            raw.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}{on}")

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
