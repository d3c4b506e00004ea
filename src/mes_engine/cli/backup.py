"""``mes backup`` and ``mes restore``: a database as it was, and back."""

from datetime import datetime
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
    from mes_engine.bootstrap.replaying import Onward, Reached
    from mes_engine.settings import Site
    from mes_engine.storage.backup.manifest import Manifest
    from mes_engine.storage.verify import VerifyReport

BackupFile = Annotated[
    Path, typer.Argument(help="What `mes backup` wrote, its manifest beside it.")
]


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no time of ISO 8601") from None
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text} has no time zone: add +01:00, or Z")
    return found


def back_up(
    *,
    to: Annotated[
        Path, typer.Option(help="A new file, or a folder for one named by the time.")
    ],
    database: DatabaseUrl = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write the database, as it is at one moment, to a file with a manifest.

    May run beside a running engine, whose commits go on. Copying the file of a database
    by other means is no backup: what was committed last is not in it.
    """
    from mes_engine.bootstrap.backing_up import back_up as write
    from mes_engine.bootstrap.core import wall_clock

    url = existing_database(database, config)
    file, manifest = write(url, to, now=wall_clock())
    told = (
        f"{file} has {_told(manifest)}, {manifest.size} bytes. "
        f"Try it with `mes restore {file} --verify`."
    )
    show(_plain(file, manifest), as_json=as_json, told=told)


def restore(
    backup: BackupFile,
    *,
    is_drill: Annotated[
        bool,
        typer.Option(
            "--verify", help="Only try it: restore elsewhere, check all, leave nothing."
        ),
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option(help="Go on from the backup by this archive of the journal."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment, help="No further than this: 2026-11-23T10:31:00+01:00."
        ),
    ] = None,
    until_seq: Annotated[
        int | None, typer.Option(min=0, help="No further than this fact.")
    ] = None,
    timeline: Annotated[
        int | None,
        typer.Option(min=1, help="The archive as before later restores, by number."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="With --verify: the keys of the journal's chain."),
    ] = None,
    database: DatabaseUrl = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty place, where the engine then goes on from it.

    Refused where there is a database, or for the backup of another plant. With
    --journal, what was committed since the backup is put back as well.
    """
    from mes_engine.bootstrap.replaying import Onward
    from mes_engine.bootstrap.restoring import restore as put_back

    onward = None
    if journal is not None:
        at = None if until is None else int(until.timestamp() * 1_000_000)
        onward = Onward(folder=journal, at=at, seq=until_seq, timeline=timeline)
    elif until is not None or until_seq is not None or timeline is not None:
        raise typer.BadParameter("only with --journal", param_hint="--until")
    if is_drill:
        _drill(backup, onward, key_file, as_json=as_json)
        return
    site = site_of(config)
    url = database or site.database.url
    manifest, reached = put_back(backup, url, plant=site.plant.site, onward=onward)
    if url == site.database.url:
        _anchor(backup, url, site, reached.seq)
    told = (
        f"{url} has {_told(manifest)}, again{_went_on(reached)}. What came "
        "after that is not in it: see docs/backup-and-restore.md before you start the "
        "engine."
    )
    plain = _plain(backup, manifest) | {"database": url, "reached": reached.seq}
    show(plain, as_json=as_json, told=told)


def _anchor(backup: Path, url: str, site: "Site", seq: int) -> None:
    """Say in the anchors what was done, so that nobody takes it for tampering."""
    import asyncio
    import getpass

    from mes_engine.bootstrap.anchored import acknowledge_restored
    from mes_engine.bootstrap.core import wall_clock

    asyncio.run(
        acknowledge_restored(
            url,
            key_file=site.key_file,
            anchor_file=site.anchor_file,
            person=getpass.getuser(),
            reason=f"mes restore {backup}",
            at=wall_clock(),
            seq=seq,
        )
    )


def _drill(
    backup: Path, onward: "Onward | None", key_file: Path | None, *, as_json: bool
) -> None:
    from mes_engine.bootstrap.restoring import drill

    manifest, reached, report = drill(backup, onward=onward, key_file=key_file)
    problems = [str(one) for one in report.problems]
    plain = _plain(backup, manifest) | {
        "reached": reached.seq,
        "ok": not problems,
        "problems": problems,
        "facts": report.facts,
        "unchecked": report.unchecked,
        "rows": report.rows,
    }
    ends = f"{len(problems) or 'No'} problems found in {_told(manifest)}"
    told = [*problems, f"{ends}{_went_on(reached)}: {_counted(report)}"]
    if report.unchecked:
        told.append(
            f"{report.unchecked} facts were not held against the journal's chain: name "
            "its keys with --key-file."
        )
    show(plain, as_json=as_json, told="\n".join(told))
    if problems:
        raise typer.Exit(REFUSED)


def _told(manifest: "Manifest") -> str:
    plant = manifest.plant or "a plant that was not applied yet"
    return f"{plant} up to fact {manifest.seq}, as of {manifest.taken_at}"


def _went_on(reached: "Reached") -> str:
    from mes_engine.http.fields import to_iso

    if reached.at is None:
        return ""
    return f" and on to fact {reached.seq} of {to_iso(reached.at)}"


def _counted(report: "VerifyReport") -> str:
    return f"{report.facts} facts, {report.rows} rows, laws checked {report.laws} times"


def _plain(file: Path, manifest: "Manifest") -> dict[str, Any]:
    import msgspec

    return {"file": str(file), **msgspec.to_builtins(manifest)}
