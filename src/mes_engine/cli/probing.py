"""``mes adapters probe``: live machines, against what the settings say of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mes_engine.cli.output import CONFIG, REFUSED, AsJson, Config, show

if TYPE_CHECKING:
    from mes_engine.core.plant import Plant
    from mes_engine.ports import AdapterSpec, ProbeLine
    from mes_engine.settings import LinkPlan


def probe_adapters(
    link: Annotated[str | None, typer.Argument(help="One link; all if none.")] = None,
    *,
    config: Config = CONFIG,
    within_s: Annotated[
        float, typer.Option(min=1, help="How long each device may take.")
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Connect to each device once, and tell whether it is as its settings have it.

    Ends with 1 if anything is unfit. A machine that takes one connection only has to
    be left alone by its gateway meanwhile.
    """
    import asyncio

    adapters, plant, chosen = _chosen(config, link)
    lines: list[dict[str, Any]] = []
    for name, plan in chosen.items():
        found = asyncio.run(_probed(adapters[plan.adapter], name, plan, within_s))
        lines += [_plain_probe(name, one, plant) for one in found]
    told = [_probe_sentence(line) for line in lines]
    show({"probe": lines}, as_json=as_json, told="\n".join(told))
    if any(line["problem"] for line in lines):
        raise typer.Exit(REFUSED)


def _chosen(
    config: Path, link: str | None
) -> "tuple[Mapping[str, AdapterSpec], Plant, dict[str, LinkPlan]]":
    import os

    from mes_engine.core.errors import NotFound
    from mes_engine.settings import installed_adapters, load_links

    adapters = installed_adapters()
    file = load_links(config, environment=os.environ, adapters=adapters)
    if link is not None and link not in file.links:
        known = ", ".join(sorted(file.links))
        raise NotFound(f"There is no link '{link}'.", hint=f"Known: {known}.")
    names = [name for name in sorted(file.links) if link in (None, name)]
    return adapters, file.plant, {name: file.links[name] for name in names}


async def _probed(
    spec: "AdapterSpec", name: str, plan: "LinkPlan", within_s: float
) -> "Sequence[ProbeLine]":
    import asyncio

    from mes_engine.core.errors import MesError
    from mes_engine.ports import ProbeLine

    if spec.probe is None:
        return [ProbeLine(tag=None, told={"adapter": f"{spec.name} cannot be probed"})]
    try:
        async with asyncio.timeout(within_s):
            return await spec.probe(name, plan.settings, plan.tags, plan.pulses)
    except TimeoutError:
        problem = f"it has not answered within {within_s:g} s"
    except MesError as error:
        problem = str(error)
    return [ProbeLine(tag=None, told={}, problem=problem)]


def _plain_probe(link: str, one: "ProbeLine", plant: "Plant") -> dict[str, Any]:
    return {
        "link": link,
        "tag": one.tag,
        "told": dict(one.told),
        "value": one.value,
        "quality": one.quality,
        "problem": one.problem or _misfit(one, plant),
    }


def _misfit(one: "ProbeLine", plant: "Plant") -> str:
    """Say why a value is not of the kind that its signal stands for."""
    from mes_engine.core.plant import SignalMeaning as Meaning

    signal = next((known for known in plant.signals if known.tag == one.tag), None)
    value = one.value
    if signal is None or value is None:
        return ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if signal.means in (Meaning.GOOD_COUNT, Meaning.SCRAP_COUNT):
        if not (is_number and float(value) >= 0 and float(value).is_integer()):
            return f"'{value}' is no count"
    elif signal.means is Meaning.STATE and isinstance(value, bool | float):
        return f"'{value}' is no state word"
    return ""


def _probe_sentence(line: dict[str, Any]) -> str:
    what = ", ".join(f"{key} {text}" for key, text in line["told"].items())
    begin = line["link"] if line["tag"] is None else f"{line['link']} {line['tag']}"
    value = "" if line["quality"] is None else f"{line['value']} ({line['quality']})"
    end = f"UNFIT: {line['problem']}" if line["problem"] else "ok"
    return f"{begin}: " + "; ".join(part for part in (value, what, end) if part)
