"""``mes set-aside``: reports that the engine refused, and what becomes of them."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mes_engine.cli.output import AsJson, show

Folder = Annotated[Path, typer.Argument(help="The gateway's own folder.")]
Reports = Annotated[list[int], typer.Argument(help="Their numbers, as listed.")]
Person = Annotated[str, typer.Option(help="Who decides it; stands in the log.")]


def list_reports(folder: Folder, *, as_json: AsJson = False) -> None:
    """List what was set aside, and why; it may be done while the gateway runs."""
    from mes_engine.gateway.aside import list_set_aside
    from mes_engine.http.fields import to_iso

    found = list_set_aside(folder)
    lines = [
        f"{one.seq}: {one.kind} of {one.source}, {to_iso(one.at)}: {one.reason}"
        + (f" ({one.fate})" if one.fate else "")
        + (f"; cannot be put back: {one.hindrance}" if one.hindrance else "")
        for one in found
    ]
    plain = [dataclasses.asdict(one) for one in found]
    show(plain, as_json=as_json, told="\n".join(lines) or "Nothing is set aside.")


def put_back(folder: Folder, reports: Reports, *, person: Person) -> None:
    """Have reports delivered after all, each once: messages, gaps, what was measured.

    Mend what they were refused for first. The gateway does it within seconds, or when
    it is started again. Other values are of their moment, and can be dropped only.
    """
    _decide(folder, reports, "put_back", person)


def drop(folder: Folder, reports: Reports, *, person: Person) -> None:
    """Have reports forgotten that nobody needs any more."""
    _decide(folder, reports, "drop", person)


def _decide(folder: Path, reports: list[int], what: str, person: str) -> None:
    from mes_engine.core.errors import Malformed
    from mes_engine.gateway.aside import Fate, decide_fate

    if not person.strip():
        raise Malformed("Somebody has to decide it.", hint="Say --person.")
    decided = decide_fate(folder, reports, Fate(what), person=person.strip())
    typer.echo(f"The gateway will {what.replace('_', ' ')} {len(decided)} reports.")
