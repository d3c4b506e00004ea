"""``mes db``, ``mes verify`` and ``mes replay``: the database, and logs of the past."""

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
    site_of,
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


def verify_database(
    *,
    database: DatabaseUrl = None,
    config: Config = CONFIG,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="The keys of the journal's chain; otherwise as site.yaml says, but "
            "where --database names the database."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow the journal's chain, rebuild everything from it, and check every row.

    May run beside a running engine: it sees one moment of the database.
    """
    import asyncio

    from mes_engine.bootstrap.verifying import verified

    if database is None:
        site = site_of(config)
        database, key_file = site.database.url, key_file or site.key_file
    url = existing_database(database, config)
    report = asyncio.run(verified(url, key_file=key_file))
    problems = [str(one) for one in report.problems]
    plain = {
        "ok": not problems,
        "problems": problems,
        "counts": {
            "facts read": report.facts,
            "links followed": report.links,
            "moves compared": report.moves,
            "rows compared": report.rows,
            "laws checked": report.laws,
        },
        "in_flight": report.in_flight,
        "unchecked": report.unchecked,
    }
    counts = (
        f"{report.facts} facts in {report.links} links, {report.moves} moves, "
        f"{report.rows} rows; laws checked {report.laws} times"
    )
    told = [*problems, f"{len(problems) or 'No'} problems found in {counts}."]
    if report.unchecked:
        told.append(
            f"{report.unchecked} facts were not held against the journal's chain: name "
            "its keys with --key-file."
        )
    if report.broken_at is not None:
        told.append(
            f"The journal is not as it was written, first at {report.broken_at}. Keep "
            "this database as it is, and find out who could write to it; restore the "
            "last backup in which `mes verify` finds nothing."
        )
    show(plain, as_json=as_json, told="\n".join(told))
    if problems:
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
