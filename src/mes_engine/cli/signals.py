"""``mes replay-signals``: what machines said, read again."""

from pathlib import Path
from typing import Annotated

import typer

from mes_engine.cli.output import CONFIG, Config


def replay_signals(
    file: Annotated[Path, typer.Argument(help="What `mes gateway --record` wrote.")],
    *,
    config: Config = CONFIG,
    bare: Annotated[
        bool, typer.Option(help="Leave out times and numbers: what happened only.")
    ] = False,
) -> None:
    """Put a record of what links said through the core, and print its facts.

    The plant is that of --config, without any work. The same record gives the same
    facts, to the byte; nothing is kept.
    """
    import os
    import sys

    from mes_engine.core.errors import NotFound
    from mes_engine.replay.signals import read_record, told
    from mes_engine.replay.signals import replay_signals as replayed
    from mes_engine.settings import installed_adapters, load_links

    if not file.is_file():
        raise NotFound(f"There is no file '{file}'.")
    plant = load_links(
        config, environment=os.environ, adapters=installed_adapters()
    ).plant
    with file.open("rb") as lines:
        for recorded in replayed(read_record(lines, name=str(file)), plant):
            sys.stdout.buffer.write(told(recorded, is_bare=bare))
    sys.stdout.buffer.flush()
