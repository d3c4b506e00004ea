"""``mes genealogy``: what a lot came of, or went into."""

from typing import TYPE_CHECKING, Annotated

import typer

from mes_engine.cli.output import (
    CONFIG,
    AsJson,
    Config,
    DatabaseUrl,
    existing_database,
    show,
)

if TYPE_CHECKING:
    from mes_engine.storage.genealogy import Genealogy
    from mes_engine.storage.measurements import Told


PACKED = {"add": "into", "delete": "out of", "ship": "shipped in"}


def show_genealogy(
    lot: Annotated[
        str,
        typer.Argument(help="Its number, such as L-000012, its serial, or a carrier."),
    ],
    *,
    forward: Annotated[
        bool, typer.Option(help="What it went into, not what it came of.")
    ] = False,
    depth: Annotated[
        int | None, typer.Option(min=1, help="How many removes away at most.")
    ] = None,
    database: DatabaseUrl = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say what a lot came of, or went into, and who worked on it where.

    May run beside a running engine: it sees one moment of the database.
    """
    import asyncio

    from mes_engine.bootstrap.tracing import traced
    from mes_engine.core.facts import plain_of
    from mes_engine.storage.genealogy import Direction

    direction = Direction.FORWARD if forward else Direction.BACKWARD
    url = existing_database(database, config)
    found = asyncio.run(traced(url, lot, direction, depth=depth))
    show(plain_of(found), as_json=as_json, told=_told(found))


def _told(found: "Genealogy") -> str:
    from mes_engine.http.fields import to_iso, to_plain

    material = {one.id: f"{one.material} {one.serial}".strip() for one in found.lots}
    lines = [f"{found.lot} {material.get(found.lot, '')}, {found.direction}:"]
    if found.holds:
        lines = [f"{found.lot} holds {', '.join(found.holds)}, {found.direction}:"]
    for one in found.steps:
        edge = one.edge
        lines.append(
            f"{'  ' * one.depth}{edge.source} {material.get(edge.source, '')} -> "
            f"{edge.target} {material.get(edge.target, '')}: "
            f"{to_plain(edge.quantity)} {edge.unit} {edge.kind}"
        )
    if found.work:
        lines.append("Worked on:")
    lines += [
        f"  {one.lot} at step {one.step} ({one.work_unit or one.work_center}), "
        f"{one.job_order}, by {one.person or 'a machine'}, {to_iso(one.began_at)}"
        for one in found.work
    ]
    if found.tools:
        lines.append("Worked with:")
    lines += [
        f"  {one.lot} at step {one.step} ({one.use.work_unit}), {one.job_order}: "
        f"{one.use.asset_class} {one.use.asset}, from {to_iso(one.use.claimed_at)}"
        + (f" to {to_iso(one.use.freed_at)}" if one.use.freed_at else "")
        for one in found.tools
    ]
    if found.packing:
        lines.append("Packed:")
    lines += [
        f"  {one.content} {PACKED[one.action]} {one.carrier}"
        + (f" on {one.outermost}" if one.outermost != one.carrier else "")
        + f", by {one.person}, {to_iso(one.at)}"
        for one in found.packing
    ]
    if found.measurements:
        lines.append("Measured:")
    lines += [_measured(one) for one in found.measurements]
    if found.is_cut:
        lines.append("There are more, further away.")
    return "\n".join(lines)


def _measured(told: "Told") -> str:
    from mes_engine.http.fields import to_iso

    one = told.measurement
    unit = f" {one.unit}" if one.kind == "number" else ""
    marks = [] if one.is_within else ["out of limits"]
    marks += [f"with {one.gauge}"] if one.gauge else []
    marks += [f"voided: {told.void.reason}"] if told.void else []
    said = f" ({', '.join(marks)})" if marks else ""
    return (
        f"  {one.lot or 'all'} at step {one.step}, {one.job_order}: "
        f"{one.characteristic} {one.value}{unit}{said}, "
        f"by {one.person or one.tag}, {to_iso(one.at)}"
    )
