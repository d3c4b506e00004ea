"""On PostgreSQL the tables are the same, and text is sorted by its bytes."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from mes_engine import migrations
from mes_engine.core.errors import SettingsError
from mes_engine.migrations.target import target
from mes_engine.storage.backend import opened
from mes_engine.storage.dialect import written_once
from mes_engine.storage.tables import WRITTEN_ONCE
from tests import postgres

_SCHEMA = """
SELECT table_name || '.' || column_name, data_type || ' ' || is_nullable ||
coalesce(collation_name, '') FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version' UNION ALL
SELECT tablename || '/' || indexname, replace(indexdef, 'public.', '') FROM pg_indexes
WHERE schemaname = 'public' AND tablename <> 'alembic_version' UNION ALL
SELECT conrelid::regclass || '!' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace UNION ALL
SELECT tgrelid::regclass || '?' || tgname, pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal"""


@pytest.fixture
def server() -> postgres.Server:
    postgres.skip_without()
    return postgres.shared()


def connection_to(url: str) -> Iterator[Connection]:
    engine, connection = opened(url, busy_timeout_s=5)
    with connection:
        yield connection
    engine.dispose()


@pytest.fixture
def migrated(server: postgres.Server) -> Iterator[Connection]:
    yield from connection_to(server.migrated())


@pytest.fixture
def declared(server: postgres.Server) -> Iterator[Connection]:
    yield from connection_to(server.fresh())


def schema(connection: Connection) -> dict[str, str]:
    """Return every column, index, constraint and trigger, and what it is."""
    return {
        name: said
        for name, said in connection.execute(text(_SCHEMA))
        if not name.startswith("alembic_version")
    }


def test_the_migrated_schema_is_the_declared_one(
    migrated: Connection, declared: Connection
) -> None:
    with declared.begin():
        target().create_all(declared)

    made = schema(migrated)

    assert made == schema(declared)
    assert len(made) > 500


def test_alembic_finds_no_difference(migrated: Connection) -> None:
    context = MigrationContext.configure(migrated)

    assert compare_metadata(context, target()) == []


def test_text_is_sorted_by_its_bytes_whatever_the_locale(migrated: Connection) -> None:
    loose = migrated.exec_driver_sql(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'text' "
        "AND collation_name IS DISTINCT FROM 'C'"
    ).all()

    assert loose == []


def test_every_table_that_is_written_once_is_guarded(migrated: Connection) -> None:
    made = schema(migrated)

    for table in WRITTEN_ONCE:
        wanted = [one.split()[2] for one in written_once("postgresql", table)][1:]
        assert [f"{table}?{name}" in made for name in wanted] == [True, True], table


def test_upgrading_again_changes_nothing(server: postgres.Server) -> None:
    url = server.migrated()

    migrations.upgrade(url)

    assert migrations.current(url) == migrations.head()
    assert migrations.current(server.fresh()) is None


def test_a_database_of_a_later_version_is_refused(server: postgres.Server) -> None:
    url = server.migrated()
    engine, connection = opened(url, busy_timeout_s=5)
    with connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(SettingsError, match="Run the version that upgraded it"):
        migrations.upgrade(url)
