"""``mes adapters plan``: what the links of a site come down to."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mes_engine.cli.output import CONFIG, AsJson, Config, show

if TYPE_CHECKING:
    from mes_engine.core.machine_rules import Rule
    from mes_engine.core.plant import Plant


def plan_adapters(
    link: Annotated[str | None, typer.Argument(help="One link; all if none.")] = None,
    *,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show what each device will be asked for, how often, and for which tags.

    Nothing is connected to.
    """
    import os

    from mes_engine.core.errors import NotFound
    from mes_engine.settings import installed_adapters, load_site

    adapters = installed_adapters()
    site = load_site(config, None, environment=os.environ, adapters=adapters)
    if link is not None and link not in site.links:
        known = ", ".join(sorted(site.links))
        raise NotFound(f"There is no link '{link}'.", hint=f"Known: {known}.")
    chosen = {
        name: site.links[name] for name in sorted(site.links) if link in (None, name)
    }
    lines: list[dict[str, Any]] = []
    untold: list[str] = []
    for name, plan in chosen.items():
        tell = adapters[plan.adapter].plan
        if tell is None:
            untold.append(name)
            continue
        lines += [
            {
                "link": name,
                **one.what,
                "period_s": one.period_s,
                "tags": list(one.tags),
            }
            for one in tell(plan.settings, plan.tags)
        ]
    told = [_sentence(line) for line in lines]
    told += [f"{name}: its adapter does not tell what it asks for" for name in untold]
    rules = [one for one in _rules(site.plant) if one["link"] in chosen]
    told += [
        f"{one['link']}: {one['kind']} {one['rule']} does {one['does']}, "
        f"by {', '.join(one['by'])}"
        for one in rules
    ]
    plan_ = {"plan": lines, "untold": untold, "rules": rules}
    show(plan_, as_json=as_json, told="\n".join(told))


def _rules(plant: "Plant") -> list[dict[str, Any]]:
    """Return what machines do by themselves, and by which tags or fields."""
    by: list[tuple[str, Rule, list[str]]] = []
    for asked in plant.handshakes:
        written = [asked.ack, *([asked.result] if asked.result else [])]
        by.append(("handshake", asked, [*asked.read_together, *written]))
    by += [("edge", edge, [edge.tag, *edge.payload.values()]) for edge in plant.edges]
    for event in plant.events:
        told = [event.event, event.key, *event.fields.values()]
        by.append(("event", event, [one for one in told if one]))
    return [
        {
            "link": one.link,
            "kind": kind,
            "rule": one.id,
            "does": one.does.value,
            "by": list(dict.fromkeys(names)),
        }
        for kind, one, names in by
    ]


def _sentence(line: dict[str, Any]) -> str:
    apart = {"link", "period_s", "tags"}
    what = ", ".join(f"{key} {line[key]}" for key in line if key not in apart)
    tags = ", ".join(line["tags"])
    return f"{line['link']}: {what}, every {line['period_s']:g} s: {tags}"
