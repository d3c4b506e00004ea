"""A day's work in a database, a configuration that fits it, and a backup of it."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from mes_engine.migrations import upgrade
from mes_engine.storage.database import Database
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_day
from tests.commands import CONFIG, Said, mes


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


async def a_days_database(file: Path) -> Path:
    """Make a database with a day's work in it."""
    upgrade(url_of(file))
    database = Database.open(url_of(file))
    shop = Shop()
    a_day(shop)
    await SqlStore(database).commit(*shop.take())
    await database.close()
    return file


def a_config(folder: Path, *, site: str = "TEST") -> Path:
    """Make a configuration of the plant that the day was in, or of another."""
    config = Path(shutil.copytree(CONFIG, folder / f"config-{site}"))
    plant = config / "plant.yaml"
    plant.write_text(plant.read_text().replace("id: DEMO", f"id: {site}", 1))
    return config


def a_backup(database: Path, to: Path) -> Path:
    """Back the database up with the command; return the file."""
    said = mes("backup", "--json", "--database", url_of(database), "--to", str(to))
    assert said.code == 0, said.err
    return Path(said.plain["file"])


def restored(backup: Path, database: Path, config: Path, *more: str) -> Said:
    """Have the command put a backup back."""
    where = ("--database", url_of(database), "--config", str(config))
    return mes("restore", str(backup), *where, *more)


def sql(file: Path, statement: str) -> list[Any]:
    """Do something in the file behind everybody's back."""
    with closing(sqlite_driver().connect(file)) as raw:
        found: list[Any] = raw.execute(statement).fetchall()
        raw.commit()
    return found
