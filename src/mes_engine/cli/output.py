"""How every subcommand answers: text for people, JSON for programs, errors for both."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mes_engine.core.errors import (
    MesError,
    OutcomeUnknown,
    Overloaded,
    SettingsError,
    SourceLost,
)

if TYPE_CHECKING:
    from mes_engine.settings import Site

REFUSED, SETTINGS, UNREACHABLE = 1, 3, 4

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Config = Annotated[Path, typer.Option(help="The folder with plant.yaml and site.yaml.")]
Routings = Annotated[Path, typer.Option(help="The folder with one routing a file.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="sqlite:///path or postgresql://...; otherwise as site.yaml says."
    ),
]

CONFIG, ROUTINGS = Path("config"), Path("routings")


def show(plain: Any, *, as_json: bool, told: str) -> None:
    """Print ``plain`` as JSON, or ``told``."""
    typer.echo(json.dumps(plain, indent=2, default=str) if as_json else told)


@contextmanager
def failing_well() -> Iterator[None]:
    """Turn deliberate errors into one message and the right exit code."""
    try:
        yield
    except SettingsError as error:
        _leave(str(error), SETTINGS)
    except (SourceLost, Overloaded, OutcomeUnknown) as error:
        _leave(str(error), UNREACHABLE)
    except MesError as error:
        _leave(str(error), REFUSED)
    except KeyboardInterrupt:
        sys.exit(130)


def _leave(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)


def database_url(url: str | None, config: Path) -> str:
    """Return the database to use: as named, or as the site's files say.

    Raises:
        SettingsError: The files cannot be used.
    """
    return site_of(config).database.url if url is None else url


def site_of(config: Path) -> "Site":
    """Return what the site's files say, without its routings.

    Raises:
        SettingsError: The files cannot be used.
    """
    import os

    from mes_engine.settings import installed_adapters, load_site

    return load_site(
        config, None, environment=os.environ, adapters=installed_adapters()
    )


def existing_database(url: str | None, config: Path) -> str:
    """Return the database to look at; looking at it does not make one.

    Raises:
        SettingsError: There is none, or the site's files cannot be used.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    found = database_url(url, config)
    try:
        parsed = make_url(found)
    except ArgumentError:
        return found  # whoever opens it says what is wrong with it
    is_file = parsed.drivername == "sqlite" and parsed.database
    if is_file and not Path(str(parsed.database)).exists():
        raise SettingsError(
            f"There is no database {parsed.database}.",
            hint="Look for it elsewhere, or make it with `mes db upgrade`.",
        )
    return found
