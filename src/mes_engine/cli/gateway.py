"""``mes gateway``: the links of a plant, in a process of their own."""

from pathlib import Path
from typing import Annotated

import typer

from mes_engine.cli.output import CONFIG, Config

TOKEN = "MES_GATEWAY_TOKEN"  # noqa: S105 - the variable's name


def gateway(
    *,
    id_: Annotated[
        str, typer.Option("--id", help="Its name, of which there is one in the plant.")
    ] = "gateway",
    engine: Annotated[
        str, typer.Option(envvar="MES_ENGINE_URL", help="Where the engine's web is.")
    ] = "http://127.0.0.1:8000",
    folder: Annotated[
        Path, typer.Option(help="Its own folder: what is not delivered yet.")
    ] = Path("gateway"),
    links: Annotated[
        str | None, typer.Option(help="Links, with commas; all of the plant if none.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"A file with the gateways' token; else ${TOKEN}."),
    ] = None,
    config: Config = CONFIG,
    memory_mb: Annotated[
        int, typer.Option(min=128, help="End where it takes more memory.")
    ] = 512,
    spool_mb: Annotated[
        int, typer.Option(min=1, help="What may wait on the disk.")
    ] = 512,
    spool_hours: Annotated[
        float, typer.Option(min=0, help="Older measurements are thinned out.")
    ] = 72,
    record: Annotated[
        Path | None, typer.Option(help="Write down there all that its links say.")
    ] = None,
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="End when this process does.")
    ] = None,
) -> None:
    """Run links, and keep what machines say until the engine has committed it.

    It reads plant.yaml in --config, the same file as the engine, and nothing else of
    the site. It works on while the engine is away.
    """
    import asyncio
    import os
    import re

    from mes_engine.core.errors import SettingsError
    from mes_engine.gateway import GatewayOptions, run_gateway
    from mes_engine.settings import installed_adapters

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", id_):
        raise SettingsError(
            f"'{id_}' is no name of a gateway.", hint="Use letters, digits, '.', '_'."
        )
    options = GatewayOptions(
        id=id_,
        engine=engine.rstrip("/"),
        token=_token(token_file, os.environ.get(TOKEN, "")),
        config=config,
        folder=folder,
        links=None if links is None else frozenset(links.split(",")),
        memory_mb=memory_mb,
        spool_mb=spool_mb,
        spool_hours=spool_hours,
        parent=parent,
        record=record,
    )
    asyncio.run(
        run_gateway(options, adapters=installed_adapters(), environment=os.environ)
    )


def _token(file: Path | None, given: str) -> str:
    from mes_engine.core.errors import SettingsError

    if file is None:
        return given
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The token file {file} cannot be read: {error}.") from None
