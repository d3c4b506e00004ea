"""``mes db`` and ``mes replay``: the database, and logs of the past."""

from pathlib import Path
from typing import Annotated

import typer

from mes_engine.cli.output import (
    CONFIG,
    REFUSED,
    AsJson,
    Config,
    DatabaseUrl,
    database_url,
    existing_database,
    show,
)


def upgrade_database(*, database: DatabaseUrl = None, config: Config = CONFIG) -> None:
    """Bring the database's tables up to what this version needs.

    Refused while an engine runs on it.
    """
    from mes_engine.migrations import current, head, upgrade
    from mes_engine.storage.lock import sole_engine

    url = database_url(database, config)
    with sole_engine(url):
        before = current(url)
        upgrade(url)
    if before == head():
        typer.echo(f"{url} is at {before} already.")
    else:
        typer.echo(f"{url} is at {head()} now; it was {before or 'empty'}.")


def database_status(
    *, database: DatabaseUrl = None, config: Config = CONFIG, as_json: AsJson = False
) -> None:
    """Say which revision the database's tables are of."""
    from mes_engine.migrations import current, head

    url = existing_database(database, config)
    found = current(url)
    plain = {"database": url, "revision": found, "head": head()}
    told = f"{url} is at {found or 'nothing'}; this version needs {head()}."
    show(plain, as_json=as_json, told=told)
    if found != head():
        raise typer.Exit(REFUSED)


def replay_log(
    file: Annotated[Path, typer.Argument(help="The log: CSV, or CSV in gzip.")],
    *,
    settings: Annotated[
        Path, typer.Option(help="What its columns mean, and what the shop allows.")
    ],
    database: Annotated[
        str | None, typer.Option(help="Keep it there; otherwise it is thrown away.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Drive an execution log through the engine, and add up what became of it."""
    import asyncio
    import sys
    import tempfile

    from rich.console import Console
    from rich.progress import Progress

    from mes_engine.replay import replay

    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(
            console=Console(stderr=True), disable=not sys.stderr.isatty()
        ) as shown,
    ):
        task = shown.add_task("rows", total=None)
        report = asyncio.run(
            replay(
                file,
                settings,
                database_url=database or f"sqlite:///{folder}/replay.db",
                progress=lambda done, total: shown.update(
                    task, completed=done, total=total
                ),
            )
        )
    if as_json:
        show(report.plain(), as_json=True, told="")
    else:
        from mes_engine.cli.replayed import print_report

        print_report(report)
    if not report.is_reconciled:
        raise typer.Exit(REFUSED)
