"""The ``mes`` command as people and programs use it: a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CONFIG, ROUTINGS = ROOT / "config", ROOT / "routings"
SITE = ("--config", str(CONFIG), "--routings", str(ROUTINGS))


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> Any:
        """Its standard output, which has to be JSON."""
        return json.loads(self.out)


def mes(
    *arguments: str, folder: Path | None = None, timeout_s: float = 50, **env: str
) -> Said:
    """Run ``mes`` with ``arguments`` in ``folder`` until it ends."""
    done = subprocess.run(
        [sys.executable, "-m", "mes_engine", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT if folder is None else folder,
        env={**os.environ, "COLUMNS": "200", **env},
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=timeout_s,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let child processes share compiled modules, where Python is told to keep none."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            folder = tmp_path_factory.getbasetemp() / "bytecode"
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(folder))
        yield
