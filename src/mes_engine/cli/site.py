"""``mes run``, ``mes check`` and ``mes routing show``: the site as its files say it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mes_engine.cli.output import CONFIG, ROUTINGS, AsJson, Config, Routings, show


def run(
    *,
    config: Config = CONFIG,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written once the web answers.")
    ] = None,
    own_gateway: Annotated[
        bool,
        typer.Option(
            "--gateway/--no-gateway", help="Run the plant's links beside the engine."
        ),
    ] = True,
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="End when this process does.")
    ] = None,
) -> None:
    """Run the engine of a site: machines, terminals, modules and the ledger.

    The links to the machines run in a gateway, a process beside it; with --no-gateway
    the plant's gateways run elsewhere, and deliver to this engine.

    The web listens on this computer only, until there is a sign-in.
    """
    import asyncio
    import gc
    import os

    gc.disable()  # until the engine is loaded: what is made on the way is to stay
    from mes_engine.bootstrap import run_site
    from mes_engine.log import configure_logging
    from mes_engine.settings import installed_adapters, load_site

    adapters = installed_adapters()
    found = load_site(config, None, environment=os.environ, adapters=adapters)
    configure_logging(level=found.log_level)
    asyncio.run(
        run_site(
            found,
            adapters=adapters,
            config=config if own_gateway else None,
            ready_file=ready_file,
            parent=parent,
        )
    )


def check(
    *, config: Config = CONFIG, routings: Routings = ROUTINGS, as_json: AsJson = False
) -> None:
    """Prove the site's files; every problem at once, as file:line:column."""
    import os

    from mes_engine.core.errors import SettingsError
    from mes_engine.settings import installed_adapters, load_site

    try:
        found = load_site(
            config, routings, environment=os.environ, adapters=installed_adapters()
        )
    except SettingsError as error:
        if not as_json:
            raise
        problems = error.message.splitlines()
        show({"ok": False, "problems": problems}, as_json=True, told="")
        raise typer.Exit(3) from None
    plain = {
        "ok": True,
        "site": found.plant.site,
        "work_centers": len(found.plant.work_centers),
        "work_units": len(found.plant.work_units),
        "signals": len(found.plant.signals),
        "links": sorted(found.links),
        "routings": [f"{one.id} {one.revision}" for one in found.routings],
    }
    show(
        plain,
        as_json=as_json,
        told=(
            f"{config} and {routings} are good: {plain['work_centers']} work centers, "
            f"{plain['work_units']} work units, {plain['signals']} signals on "
            f"{len(found.links)} links, {len(found.routings)} routings."
        ),
    )


def show_routing(
    routing: Annotated[str, typer.Argument(help="The routing's id.")],
    *,
    config: Config = CONFIG,
    routings: Routings = ROUTINGS,
    as_json: AsJson = False,
) -> None:
    """Show the steps of a routing and how they are connected."""
    import os

    import msgspec

    from mes_engine.core.errors import NotFound
    from mes_engine.settings import installed_adapters, load_site

    found = load_site(
        config, routings, environment=os.environ, adapters=installed_adapters()
    )
    chosen = [one for one in found.routings if one.id == routing]
    if not chosen:
        known = ", ".join(sorted(one.id for one in found.routings))
        raise NotFound(f"There is no routing '{routing}'.", hint=f"Known: {known}.")
    for one in chosen:
        plain = msgspec.to_builtins(one)
        if as_json:
            show(plain, as_json=True, told="")
        else:
            _print_routing(plain)


def _print_routing(plain: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"[bold]{plain['id']}[/] revision {plain['revision']} makes {plain['unit']} "
        f"of {plain['material']}"
    )
    table = Table()
    for heading in ("step", "name", "work center", "class", "setup", "run", "goes to"):
        table.add_column(heading)
    for step in plain["steps"]:
        table.add_row(
            step["id"],
            step["name"],
            step["work_center"],
            step["equipment_class"],
            f"{step['setup_s']} s",
            f"{step['run_s']} s a piece",
            "\n".join(
                _told_connection(one)
                for one in plain["connections"]
                if one["source"] == step["id"]
            )
            or "finished",
        )
    console.print(table)


def _told_connection(one: dict[str, Any]) -> str:
    told = f"{one['target']} ({one['kind']}"
    if one["transfer_batch"] is not None:
        told += f", {one['transfer_batch']} at a time"
    return f"{told})"
