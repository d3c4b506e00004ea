"""Open a log, and take it apart into records of cells."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from mes_engine.core.errors import SettingsError
from mes_engine.replay.log_settings import LogSettings
from mes_engine.settings.problems import Problems, guess


class open_log:  # noqa: N801 - a context manager, used as ``open`` is
    """Open a log as text; what goes wrong while it is read is of the file."""

    def __init__(self, path: Path, settings: LogSettings) -> None:
        self._path = path
        self._says = settings.says.file
        self._file: TextIO | None = None

    def __enter__(self) -> TextIO:
        is_gzip = self._says.compression == "gzip" or (
            self._says.compression == "by_name" and self._path.suffix == ".gz"
        )
        how: dict[str, Any] = {
            "mode": "rt",
            "encoding": self._says.encoding,
            "errors": "replace",
            "newline": "",
        }
        try:
            self._file = (
                gzip.open(self._path, **how) if is_gzip else self._path.open(**how)
            )
        except OSError as error:
            raise SettingsError(f"{self._path}: {error.strerror}") from None
        return self._file

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._file is not None:
            self._file.close()
        if isinstance(error, OSError | EOFError | zlib.error | UnicodeError):
            raise SettingsError(f"{self._path}: cannot be read: {error}") from error


def column_numbers(header: list[str], settings: LogSettings) -> dict[str, int]:
    """Return where each column of the settings stands.

    Raises:
        SettingsError: The header does not have one of them, or has it twice.
    """
    names = [one.strip().lstrip("\ufeff") for one in header]
    problems = Problems()
    found: dict[str, int] = {}
    for use, name in settings.says.columns:
        if name is None:
            continue
        count = names.count(name)
        if count == 1:
            found[use] = names.index(name)
        else:
            text = f"the log has {count or 'no'} column{'s' * bool(count)} '{name}'"
            text += guess(name, names) if not count else ""
            problems.add(settings.document.problem(("columns", use), text))
    problems.raise_any()
    return found


def records(reader: Any) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each record with its first line; None for what is no CSV."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells != []:
            yield line, cells
