"""``mes policy compare``: the same demand under one dispatch rule and another."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mes_engine.cli.output import (
    CONFIG,
    REFUSED,
    ROUTINGS,
    AsJson,
    Config,
    Routings,
    existing_database,
    show,
)

FEWEST = 2


def compare_policies(
    policies: Annotated[
        list[str],
        typer.Argument(
            help="Two or more: a rule (edd, atc:k=3, weighted:edd=0.7,setup_min=0.3), "
            "or plant for the rules that the plant has."
        ),
    ],
    *,
    demand: Annotated[
        Path | None,
        typer.Option(help="CSV or JSON: release, routing, quantity, due."),
    ] = None,
    simulated: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="So many requests at random."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of --simulated.")] = 1,
    load: Annotated[
        float,
        typer.Option(
            min=0.05, max=2.0, help="Of the bottleneck, for --simulated; 1 is all."
        ),
    ] = 0.9,
    database: Annotated[
        str | None,
        typer.Option(help="The requests, routings and plant of a site's database."),
    ] = None,
    config: Config = CONFIG,
    routings: Routings = ROUTINGS,
    as_json: AsJson = False,
) -> None:
    """Work the same demand off under each rule, on a virtual clock, and compare.

    Machines take the standard times of the routings, round the clock; the engine's own
    core decides. Nothing is written.
    """
    import asyncio
    import os
    import sys

    import msgspec
    from rich.console import Console

    from mes_engine.settings import installed_adapters, load_site
    from mes_engine.simulation import (
        compare,
        made_demand,
        parse_policy,
        read_demand,
        recorded_demand,
    )

    if [demand, simulated, database].count(None) != FEWEST:
        raise typer.BadParameter("give one of --demand, --simulated and --database")
    if len(policies) < FEWEST:
        raise typer.BadParameter("give two or more policies")
    chosen = [parse_policy(one) for one in policies]
    if database is not None:
        found = asyncio.run(recorded_demand(existing_database(database, config)))
        plant, known, asked = found.plant, found.routings, [*found.demand]
    else:
        site = load_site(
            config, routings, environment=os.environ, adapters=installed_adapters()
        )
        plant = site.plant
        known = tuple({one.id: one for one in site.routings}.values())
        if demand is not None:
            asked = read_demand(demand, known, zone=plant.zone)
        else:
            asked = made_demand(
                plant, known, number=simulated or 0, seed=seed, load=load
            )
    with Console(stderr=True, quiet=not sys.stderr.isatty()).status("") as shown:
        outcomes = compare(
            plant,
            known,
            asked,
            chosen,
            told=lambda name: shown.update(f"{name}: {len(asked)} requests"),
        )
    if as_json:
        plain: list[dict[str, Any]] = msgspec.to_builtins(outcomes)
        show({"requests": len(asked), "policies": plain}, as_json=True, told="")
    else:
        from mes_engine.cli.compared import print_comparison

        print_comparison(outcomes)
    if any(one.measures.completed < one.measures.requests for one in outcomes):
        typer.echo("Some requests were not completed.", err=True)
        raise typer.Exit(REFUSED)
