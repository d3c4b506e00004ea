"""Links and their tags: checked by the models that the adapters bring."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from mes_engine.core.errors import SettingsError
from mes_engine.core.plant import SignalMeaning
from mes_engine.ports import AdapterSpec, Pulse, TagGroup, Unfit
from mes_engine.settings.checked import checked
from mes_engine.settings.document import Document, KeyPath
from mes_engine.settings.machine_events import event_problems
from mes_engine.settings.machine_rules import groups_of, tag_id, written_tags
from mes_engine.settings.plant_file import (
    PlantFile,
    SignalEntry,
    keys_of,
    names_of,
)
from mes_engine.settings.problems import Problems, guess
from mes_engine.settings.pulses import pulses_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """All that an adapter needs to open a link.

    Attributes:
        adapter: Name of the adapter.
        settings: An instance of the adapter's ``settings``.
        tags: An instance of the adapter's ``tag`` for each tag id; empty for a link
            that no signal uses.
        groups: Which of them have to be read together.
        pulses: What has to be seen of them, however short it is.
    """

    adapter: str
    settings: BaseModel
    tags: Mapping[str, BaseModel] = field(default_factory=dict)
    groups: tuple[TagGroup, ...] = ()
    pulses: tuple[Pulse, ...] = ()


_COUNTS = frozenset({SignalMeaning.GOOD_COUNT, SignalMeaning.SCRAP_COUNT})


def read_links(
    document: Document,
    file: PlantFile,
    adapters: Mapping[str, AdapterSpec],
    problems: Problems,
) -> dict[str, LinkPlan]:
    """Check ``links``, and ``at`` of every signal; return what can be opened."""
    specs = {
        link: spec
        for link in keys_of(document, "links", problems)
        if (spec := spec_at(document, ("links", link), adapters, problems)) is not None
    }
    tags = _tags(document, specs, problems)
    groups, pulses = groups_of(file), pulses_of(file)
    plans = {}
    for link, spec in specs.items():
        settings = checked(
            document, ("links", link), spec.settings, problems, without="adapter"
        )
        if settings is not None:
            plans[link] = LinkPlan(
                adapter=spec.name,
                settings=settings,
                tags=tags.get(link, {}),
                groups=tuple(group for _, group in groups.get(link, ())),
                pulses=pulses.get(link, ()),
            )
            _check_together(document, link, spec, plans[link], problems)
            for path, group in groups.get(link, ()):
                for at, text in _group_problems(
                    document, path, group, spec, plans[link]
                ):
                    problems.add(document.problem(at, text))
            if spec.check_pulses is not None:
                for one in spec.check_pulses(
                    plans[link].settings, plans[link].tags, plans[link].pulses
                ):
                    problems.add(document.problem(_place_of(document, one), one.text))
    _check_written(document, written_tags(file), tags, problems)
    _check_jobs(document, file, specs, plans, problems)
    told = {
        link: tell(plan.settings) if (tell := specs[link].events) else None
        for link, plan in plans.items()
    }
    for path, text in event_problems(file, told):
        problems.add(document.problem(path, text))
    return plans


def _check_jobs(
    document: Document,
    file: PlantFile,
    specs: Mapping[str, AdapterSpec],
    plans: Mapping[str, LinkPlan],
    problems: Problems,
) -> None:
    """Add the work units whose job orders are to run over a link that has none."""
    for unit, entry in file.work_units.items():
        if entry.jobs is None or entry.jobs.link not in plans:
            continue  # What is wrong with the link is told already.
        link = entry.jobs.link
        runs_jobs = specs[link].runs_jobs
        if runs_jobs is None:
            text = f"adapter '{specs[link].name}' runs no job orders"
        elif not runs_jobs(plans[link].settings):
            text = f"no job orders run over '{link}': it needs jobs, as in jobs: {{}}"
        else:
            continue
        problems.add(document.problem(("work_units", unit, "jobs", "link"), text))


def _place_of(document: Document, one: Unfit) -> KeyPath:
    """Return where it stands what an adapter finds wrong with a tag."""
    unit, _, name = str(one.tag).partition(".")
    base: KeyPath = ("work_units", unit, "signals", name, "at")
    has_key = document.at((*base, one.key)) is not None
    return (*base, one.key) if has_key else base


def _group_problems(
    document: Document,
    path: KeyPath,
    group: TagGroup,
    spec: AdapterSpec,
    plan: LinkPlan,
) -> Iterator[tuple[KeyPath, str]]:
    """Yield what keeps the tags of a group from being read at one moment."""
    if not plan.tags.keys() >= set(group.tags):
        return  # What is wrong with them is told already.
    if spec.check_groups is None:
        text = f"adapter '{spec.name}' cannot read values of one moment"
        yield (*path, "request"), text
        return
    for one in spec.check_groups(plan.settings, plan.tags, (group,)):
        yield _place_of(document, one), one.text


def _check_written(
    document: Document,
    written: Collection[str],
    tags: Mapping[str, Mapping[str, Any]],
    problems: Problems,
) -> None:
    for of_link in tags.values():
        for name in sorted(of_link.keys() & written):
            if getattr(of_link[name], "writable", False) is not True:
                unit, _, signal = name.partition(".")
                path = ("work_units", unit, "signals", signal, "at")
                text = "a handshake writes to it: it needs writable: true"
                problems.add(document.problem(path, text))


def _check_together(
    document: Document,
    link: str,
    spec: AdapterSpec,
    plan: LinkPlan,
    problems: Problems,
) -> None:
    """Add what the adapter finds wrong with tags that are each right by themselves."""
    if spec.check is None:
        return
    places = {tag_id(str(p[1]), str(p[-1])): p for p in _signal_paths(document)}
    for one in spec.check(plan.settings, plan.tags):
        base: KeyPath = ("links", link) if one.tag is None else (*places[one.tag], "at")
        has_key = document.at((*base, one.key)) is not None
        path = (*base, one.key) if has_key else base
        problems.add(document.problem(path, one.text))


def spec_at(
    document: Document,
    path: KeyPath,
    adapters: Mapping[str, AdapterSpec],
    problems: Problems,
) -> AdapterSpec | None:
    """Return the adapter that is named at ``path``; None if it cannot be used."""
    value = document.at(path)
    if not isinstance(value, dict):
        problems.add(document.problem(path, "should be a mapping of keys"))
        return None
    name = value.get("adapter")
    path = (*path, "adapter")
    if not isinstance(name, str):
        text = "missing" if name is None else "should be a text"
        problems.add(document.problem(path, text))
        return None
    if name not in adapters:
        text = f"no adapter '{name}' is installed{guess(name, adapters)}"
        problems.add(document.problem(path, text))
        return None
    try:
        return adapters[name]
    except SettingsError as error:
        problems.add(document.problem(path, error.message))
        return None


def _tags(
    document: Document, specs: Mapping[str, AdapterSpec], problems: Problems
) -> dict[str, dict[str, BaseModel]]:
    names = names_of(document)
    tags: dict[str, dict[str, BaseModel]] = {}
    places: dict[tuple[str, str], str] = {}
    for path in _signal_paths(document):
        link = document.at((*path, "link"))
        if not isinstance(link, str) or link not in specs:
            continue
        at = (*path, "at")
        if document.at(at) is None:
            continue
        tag = checked(document, at, specs[link].tag, problems)
        signal = checked(document, path, SignalEntry, problems, names=names)
        if tag is None or signal is None:
            continue
        name = tag_id(str(path[1]), str(path[-1]))
        place = json.dumps(tag.model_dump(mode="json"), sort_keys=True)
        if (link, place) in places:
            text = f"the same place as '{places[link, place]}'"
            problems.add(document.problem(at, text))
        places.setdefault((link, place), name)
        _check_width(document, path, signal, tag, problems)
        tags.setdefault(link, {})[name] = tag
    return tags


def _signal_paths(document: Document) -> Iterator[KeyPath]:
    units = document.at(("work_units",))
    for unit in units if isinstance(units, dict) else ():
        signals = document.at(("work_units", unit, "signals"))
        for name in signals if isinstance(signals, dict) else ():
            yield ("work_units", unit, "signals", name)


def _check_width(
    document: Document,
    path: KeyPath,
    signal: SignalEntry,
    tag: Any,
    problems: Problems,
) -> None:
    """Compare ``rollover`` with what the place holds, where the adapter tells it.

    An adapter tells it by a ``bits`` attribute of its tag model: the width of a whole
    number without a sign.
    """
    bits = getattr(tag, "bits", None)
    if bits is None or signal.means not in _COUNTS:
        return
    largest = 2**bits
    if signal.rollover is not None and signal.rollover > largest:
        text = f"{bits} bits start again at 0 after {largest} counts at the latest"
        problems.add(
            document.problem((*path, "rollover"), f"{text} (got '{signal.rollover}')")
        )
