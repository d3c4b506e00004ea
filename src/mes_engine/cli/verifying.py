"""``mes verify`` and ``mes anchor``: whether the journal is what the engine wrote."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mes_engine.cli.output import (
    CONFIG,
    REFUSED,
    AsJson,
    Config,
    DatabaseUrl,
    existing_database,
    show,
    site_of,
)

if TYPE_CHECKING:
    from mes_engine.storage.verify import VerifyReport

KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="The keys of the journal's chain; otherwise as site.yaml says, but where "
        "--database names the database."
    ),
]


def verify_database(
    *,
    database: DatabaseUrl = None,
    config: Config = CONFIG,
    key_file: KeyFile = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(help="Where the chain's head was written, as for --key-file."),
    ] = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="Follow the chain only; it is much faster.")
    ] = False,
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
        anchors = anchors or [site.anchor_file]
    report = asyncio.run(
        verified(
            existing_database(database, config),
            key_file=key_file,
            anchor_files=anchors or (),
            is_chain_only=chain,
        )
    )
    show(_plain(report), as_json=as_json, told="\n".join(_told(report)))
    if report.problems:
        raise typer.Exit(REFUSED)


def _plain(report: "VerifyReport") -> dict[str, Any]:
    return {
        "ok": report.is_sound,
        "problems": [str(one) for one in report.problems],
        "counts": {
            "facts read": report.facts,
            "links followed": report.links,
            "moves compared": report.moves,
            "rows compared": report.rows,
            "laws checked": report.laws,
        },
        "anchors": report.anchors,
        "restored": report.restored,
        "in_flight": report.in_flight,
        "unchecked": report.unchecked,
    }


def _told(report: "VerifyReport") -> list[str]:
    count = len(report.problems)
    told = [str(one) for one in report.problems]
    told.append(
        f"{count or 'No'} problems found in {report.facts} facts in {report.links} "
        f"links with {report.anchors} anchors, {report.moves} moves, {report.rows} "
        f"rows; laws checked {report.laws} times."
    )
    told.extend(report.restored)
    if report.unchecked:
        told.append(
            f"{report.unchecked} facts were not held against the journal's chain: name "
            "its keys with --key-file."
        )
    if report.broken_at is not None:
        told.append(
            f"The journal is not as it was written, first at {report.broken_at}. Keep "
            "this database as it is, and find out who could write to it; restore the "
            "last backup in which `mes verify` finds nothing. If you have put back a "
            "copy yourself, say so with `mes anchor restored`."
        )
    return told


def anchor_restored(
    *,
    person: Annotated[str, typer.Option(help="Who says so.")],
    reason: Annotated[str, typer.Option(help="Why it was put back.")],
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say that an earlier copy of the database was put back, by whom and why.

    What was anchored beyond the last anchor that it still has is not looked for any
    more. `mes restore` says it by itself.
    """
    import asyncio

    from mes_engine.bootstrap.anchored import acknowledge_restored
    from mes_engine.bootstrap.core import wall_clock

    site = site_of(config)
    anchor = asyncio.run(
        acknowledge_restored(
            existing_database(None, config),
            key_file=site.key_file,
            anchor_file=site.anchor_file,
            person=person,
            reason=reason,
            at=wall_clock(),
        )
    )
    show(
        {"number": anchor.number, "seq": anchor.seq},
        as_json=as_json,
        told=f"Line {anchor.number} of {site.anchor_file} says that the journal was "
        f"put back to fact {anchor.seq}.",
    )
