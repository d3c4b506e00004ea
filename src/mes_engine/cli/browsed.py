"""``mes adapters browse``: what a device has, for a person who writes a tag list."""

from typing import Annotated

import typer

from mes_engine.cli.output import CONFIG, AsJson, Config, show

DEEPEST = 20


def browse_adapter(
    link: Annotated[str, typer.Argument(help="A link of plant.yaml.")],
    path: Annotated[
        str, typer.Argument(help="Where to begin, as in a tag's path; else at the top.")
    ] = "",
    *,
    depth: Annotated[int, typer.Option(min=1, max=DEEPEST, help="Levels.")] = 3,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show what a device has: each node with its place as `at:` wants it, type, value.

    It connects by itself, beside a running engine.
    """
    import asyncio
    import os

    from mes_engine.core.errors import NotFound
    from mes_engine.settings import installed_adapters, load_site

    adapters = installed_adapters()
    site = load_site(config, None, environment=os.environ, adapters=adapters)
    plan = site.links.get(link)
    if plan is None:
        known = ", ".join(sorted(site.links))
        raise NotFound(f"There is no link '{link}'.", hint=f"Known: {known}.")
    browse = adapters[plan.adapter].browse
    if browse is None:
        raise NotFound(f"Over link '{link}' ({plan.adapter}) nothing can be browsed.")

    async def look() -> list[dict[str, object]]:
        return [
            {
                "level": one.level,
                "name": one.name,
                "what": one.what,
                "at": dict(one.at),
                "data_type": one.data_type,
                "value": one.value,
            }
            for one in await browse(plan.settings, path, depth)
        ]

    nodes = asyncio.run(look())
    show({"nodes": nodes}, as_json=as_json, told="\n".join(map(_line, nodes)))


def _line(node: dict[str, object]) -> str:
    at = node["at"]
    place = ""
    if isinstance(at, dict) and node["what"] == "variable":
        told = ", ".join(f'{key}: "{value}"' for key, value in at.items())
        place = f"  at: {{{told}}}  {node['data_type']} {node['value']}".rstrip()
    kind = "" if node["what"] == "variable" else f" ({node['what']})"
    return "  " * int(str(node["level"])) + f"{node['name']}{kind}{place}"
