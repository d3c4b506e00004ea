"""A PostgreSQL database to a file and back, by its own pg_dump and pg_restore."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import inspect, make_url

from mes_engine.core.errors import Refused, SettingsError
from mes_engine.storage.backend import backend_of, opened
from mes_engine.storage.backup.moment import Moment, moment_of

BUSY_TIMEOUT_S = 30.0
FAILED = 1


def dump_moment(url: str, to: Path) -> Moment:
    """Have pg_dump write the database at ``url`` to a new file; return what it is.

    The engine may run: both see the moment of one exported snapshot.

    Raises:
        Refused: It is no database of ours.
        SettingsError: pg_dump is not there, or has failed.
    """
    program = _program("pg_dump")
    engine = backend_of(url, busy_timeout_s=BUSY_TIMEOUT_S).reader(1)
    try:
        with engine.connect() as connection, connection.begin():
            moment = moment_of(connection)
            snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()")
            _run(
                url,
                program,
                *("--format=custom", "--no-owner", "--no-privileges"),
                *(f"--snapshot={snapshot.scalar_one()}", f"--file={to}"),
            )
    finally:
        engine.dispose()
    return moment


def restore_dump(url: str, dump: Path) -> None:
    """Have pg_restore write what pg_dump made into the empty database at ``url``.

    Raises:
        Refused: There is something in it.
        SettingsError: pg_restore is not there, or has failed; nothing was restored.
    """
    program = _program("pg_restore")
    engine, connection = opened(url, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with connection:
            names = inspect(connection).get_table_names()
    finally:
        engine.dispose()
    if names:
        raise Refused(
            f"The database {make_url(url).database} is not empty; nothing is "
            "overwritten.",
            hint="Make a new one with createdb, and name it in site.yaml.",
        )
    _run(
        url,
        program,
        *("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"),
        dump,
    )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SettingsError(
            f"There is no {name} on this computer.",
            hint="Install PostgreSQL's client (apt-get install postgresql-client), of "
            "the server's version or newer, or have the server backed up by its own "
            "means: docs/running-on-postgresql.md.",
        )
    return found


def _run(url: str, program: str, *arguments: str | Path) -> None:
    """Run a client program; the password is in its environment, where nobody looks."""
    parsed = make_url(url).set(drivername="postgresql")
    password = None if parsed.password is None else str(parsed.password)
    environment = dict(os.environ)
    if password is not None:
        environment["PGPASSWORD"] = password
    where = parsed._replace(password=None).render_as_string(hide_password=False)
    command: Sequence[str | Path] = (program, f"--dbname={where}", *arguments)
    done = subprocess.run(  # noqa: S603 - found on the path, and named by us
        command, check=False, capture_output=True, env=environment, text=True
    )
    if done.returncode:
        raise SettingsError(
            f"{Path(program).name} failed: {' '.join(done.stderr.split())}",
            hint="It has to be of the server's version or newer.",
        )
