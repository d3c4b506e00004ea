"""``mes demo``: the main job, over real sockets."""

from pathlib import Path
from typing import Annotated

import typer

from mes_engine.cli.output import (
    CONFIG,
    REFUSED,
    ROUTINGS,
    UNREACHABLE,
    AsJson,
    Config,
    Routings,
)

FOLDER = Path(".demo")
TIMEOUT_S = 80.0


def demo(
    *,
    orders: Annotated[
        int, typer.Option(min=1, max=500, help="Customer orders to enter.")
    ] = 6,
    until_done: Annotated[
        bool, typer.Option(help="End when all is made and posted, and reckon up.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed, the same orders.")] = 1,
    speed: Annotated[
        float, typer.Option(min=0.1, max=200, help="Machines' speed, times real.")
    ] = 20.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8000,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the data in this folder, and go on in it.")
    ] = None,
    config: Config = CONFIG,
    routings: Routings = ROUTINGS,
    timeout_s: Annotated[
        float, typer.Option(help="With --until-done: give up after so long.")
    ] = TIMEOUT_S,
    as_json: AsJson = False,
) -> None:
    """Run a simulated plant, the engine and its people, and watch them work.

    The plant is a program of its own with real OPC UA and Modbus servers; everything
    else goes over HTTP.
    """
    import asyncio
    import contextlib
    import shutil
    import signal

    from rich.console import Console

    from mes_engine.demo import ChildFailed, DemoOptions, run_demo
    from mes_engine.storage.lock import sole_engine

    # Told to end, it ends as with Ctrl-C: with the processes that it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = FOLDER if keep is None else keep
    if keep is None and folder.exists():
        with sole_engine(f"sqlite:///{folder / 'mes.db'}"):
            shutil.rmtree(folder)
    options = DemoOptions(
        orders=orders,
        is_until_done=until_done,
        seed=seed,
        speed=speed,
        port=port,
        folder=folder.resolve(),
        config=config,
        routings=routings,
        timeout_s=timeout_s,
        as_json=as_json,
    )
    console = Console(stderr=as_json)
    with contextlib.suppress(KeyboardInterrupt):
        try:
            code = asyncio.run(run_demo(options, console))
        except ChildFailed as failed:
            console.print(f"[bold red]{failed}[/]")
            raise typer.Exit(UNREACHABLE) from None
        except TimeoutError:
            console.print(f"[bold red]Not done within {timeout_s:.0f} s.[/]")
            raise typer.Exit(REFUSED) from None
        raise typer.Exit(code)
