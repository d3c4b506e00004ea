"""The migrated schema is the declared one, and there is only one way: up, and whole."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from mes_engine import migrations
from mes_engine.core.errors import SettingsError
from mes_engine.migrations.target import target
from mes_engine.storage.driver import sqlite_driver, writer_engine
from tests.databases import url_in


def schema(path: Path) -> dict[str, set[str]]:
    """Return the parts of every statement that made the database."""
    with closing(sqlite_driver().connect(path)) as raw:
        made = raw.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE sql IS NOT NULL AND name != 'alembic_version'"
        ).fetchall()
    return {name: _parts(sql) for name, sql in made}


def _parts(sql: str) -> set[str]:
    if sql.startswith("CREATE TABLE"):
        return {line.strip(" ,\t") for line in sql.splitlines()}
    return {" ".join(sql.split())}


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    migrations.upgrade(url_in(tmp_path))
    return tmp_path / "mes.db"


def test_the_migrated_schema_is_the_declared_one(migrated: Path) -> None:
    declared = migrated.parent / "declared.db"
    engine = writer_engine(f"sqlite:///{declared}", busy_timeout_s=5)
    with engine.begin() as connection:
        target().create_all(connection)
    engine.dispose()

    assert schema(migrated) == schema(declared)


def test_alembic_finds_no_difference(migrated: Path) -> None:
    engine = writer_engine(f"sqlite:///{migrated}", busy_timeout_s=5)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, target()) == []
    engine.dispose()


def test_every_table_is_strict(migrated: Path) -> None:
    with closing(sqlite_driver().connect(migrated)) as raw:
        loose = raw.execute(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict "
            "AND name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
        ).fetchall()

    assert loose == []


def test_upgrading_again_changes_nothing(migrated: Path) -> None:
    before = schema(migrated)

    migrations.upgrade(f"sqlite:///{migrated}")

    assert schema(migrated) == before
    assert migrations.current(f"sqlite:///{migrated}") == migrations.head()


def test_an_empty_database_has_no_revision(tmp_path: Path) -> None:
    assert migrations.current(url_in(tmp_path)) is None


def test_an_upgrade_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = command.upgrade

    def breaks_off(config: Any, revision: str) -> None:
        real(config, "0002")
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        migrations.upgrade(url_in(tmp_path))
    monkeypatch.undo()

    assert schema(tmp_path / "mes.db") == {}
    migrations.upgrade(url_in(tmp_path))
    assert migrations.current(url_in(tmp_path)) == migrations.head()


def test_a_database_of_a_later_version_is_refused(migrated: Path) -> None:
    engine = writer_engine(f"sqlite:///{migrated}", busy_timeout_s=5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(SettingsError, match="Run the version that upgraded it"):
        migrations.upgrade(f"sqlite:///{migrated}")
