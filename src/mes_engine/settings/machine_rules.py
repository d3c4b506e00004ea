"""From what a plant's file says of machines' own doings to the core's rules."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from mes_engine.core.decide.machine_actions import read_field
from mes_engine.core.errors import Malformed
from mes_engine.core.machine_rules import (
    FIELDS,
    REPORTED,
    EdgeDirection,
    EdgeRule,
    EventRule,
    HandshakeRule,
    MachineAction,
    fields_of,
)
from mes_engine.core.plant import SignalMeaning
from mes_engine.ports import TagGroup
from mes_engine.settings.document import Document, KeyPath
from mes_engine.settings.machine_rules_file import HandshakeEntry
from mes_engine.settings.plant_file import PlantFile, SignalEntry, WorkUnitEntry
from mes_engine.settings.problems import Problems, guess

MS = 1_000
SECOND = 1_000_000


def tag_id(work_unit: str, signal: str) -> str:
    """Return the name of a signal's tag, unique in the plant."""
    return f"{work_unit}.{signal}"


def check_machine_rules(
    document: Document, file: PlantFile, problems: Problems
) -> None:
    """Add to ``problems`` what each rule by itself cannot show."""
    for unit, entry in file.work_units.items():
        found = [
            *_handshake_problems(unit, entry),
            *_edge_problems(unit, entry),
            *_event_problems(entry),
            *_twins(entry),
        ]
        for path, text in found:
            of_key = text.startswith(("unknown", "is the name"))
            whole: KeyPath = ("work_units", unit, *path)
            problems.add(document.problem(whole, text, of_key=of_key))


def _handshake_problems(
    unit: str, entry: WorkUnitEntry
) -> Iterator[tuple[KeyPath, str]]:
    requests: dict[str, str] = {}
    for name, one in entry.handshakes.items():
        path: KeyPath = ("handshakes", name)
        for at, text in (
            *_tag_problems(unit, one, entry.signals),
            *_field_problems(one.does, one.payload, one.given),
        ):
            yield (*path, *at), text
        if one.does is MachineAction.ALARM:
            yield (*path, "does"), "an alarm is of an edge or an event"
        if one.request in requests:
            text = f"is the request of '{requests[one.request]}' already"
            yield (*path, "request"), text
        requests.setdefault(one.request, name)


def _edge_problems(unit: str, entry: WorkUnitEntry) -> Iterator[tuple[KeyPath, str]]:
    for name, one in entry.edges.items():
        path: KeyPath = ("edges", name)
        tags: dict[KeyPath, str] = {("tag",): one.tag}
        tags |= {("payload", key): of for key, of in one.payload.items()}
        for at, of in tags.items():
            signal = entry.signals.get(of)
            if signal is None:
                text = f"'{unit}' has no signal '{of}'{guess(of, entry.signals)}"
                yield (*path, *at), text
            elif signal.means is not SignalMeaning.VALUE:
                text = f"'{of}' means {signal.means.value}, and should mean value"
                yield (*path, *at), text
        for at, text in _field_problems(one.does, one.payload, one.given):
            yield (*path, *at), text
        if one.does is MachineAction.ALARM and one.on is EdgeDirection.BOTH:
            yield (*path, "on"), "an alarm is up at one level: rising or falling"


def _event_problems(entry: WorkUnitEntry) -> Iterator[tuple[KeyPath, str]]:
    for name, one in entry.events.items():
        path: KeyPath = ("events", name)
        for at, text in _field_problems(
            one.does, one.fields, one.given, named="fields"
        ):
            yield (*path, *at), text
        if one.active and one.does is not MachineAction.ALARM:
            yield (*path, "active"), f"says nothing for an event that does {one.does}"


def _twins(entry: WorkUnitEntry) -> Iterator[tuple[KeyPath, str]]:
    """Yield names that two rules of a work unit have: what they did bears them."""
    seen: dict[str, str] = {}
    named: tuple[tuple[str, Iterable[str]], ...] = (
        ("handshakes", entry.handshakes),
        ("edges", entry.edges),
        ("events", entry.events),
    )
    for kind, rules in named:
        for name in rules:
            if name in seen:
                yield (kind, name), f"is the name of one of its {seen[name]} too"
            seen.setdefault(name, kind)


def handshakes_of(file: PlantFile) -> Iterator[HandshakeRule]:
    """Yield the rules of a file without problems."""
    for unit, entry in file.work_units.items():
        for name, one in entry.handshakes.items():
            yield HandshakeRule(
                id=f"{unit}.{name}",
                work_unit=unit,
                link=entry.signals[one.request].link,
                request=tag_id(unit, one.request),
                ack=tag_id(unit, one.ack),
                key=tag_id(unit, one.key),
                does=one.does,
                boot=None if one.boot is None else tag_id(unit, one.boot),
                payload={key: tag_id(unit, of) for key, of in one.payload.items()},
                given=one.given,
                result=None if one.result is None else tag_id(unit, one.result),
                done=one.done,
                refused=one.refused,
                ack_on=one.ack_on,
                ack_off=one.ack_off,
                debounce_us=one.debounce_ms * MS,
                clear_us=one.clear_timeout_s * SECOND,
            )


def edges_of(file: PlantFile) -> Iterator[EdgeRule]:
    """Yield the edges of a file without problems."""
    for unit, entry in file.work_units.items():
        for name, one in entry.edges.items():
            yield EdgeRule(
                id=f"{unit}.{name}",
                work_unit=unit,
                link=entry.signals[one.tag].link,
                tag=tag_id(unit, one.tag),
                does=one.does,
                on=one.on,
                payload={key: tag_id(unit, of) for key, of in one.payload.items()},
                given=one.given,
                debounce_us=one.debounce_ms * MS,
                min_high_us=one.min_high_ms * MS,
                severity=one.severity,
            )


def events_of(file: PlantFile) -> Iterator[EventRule]:
    """Yield the events of a file without problems."""
    for unit, entry in file.work_units.items():
        for name, one in entry.events.items():
            yield EventRule(
                id=f"{unit}.{name}",
                work_unit=unit,
                link=one.link,
                event=one.event,
                does=one.does,
                key=one.key or "",
                where=one.where,
                fields=one.fields,
                given=one.given,
                active=one.active or "",
            )


def groups_of(
    file: PlantFile,
) -> dict[str, tuple[tuple[KeyPath, TagGroup], ...]]:
    """Return by link which tags have to be read together, and where that is said."""
    groups: dict[str, list[tuple[KeyPath, TagGroup]]] = defaultdict(list)
    for unit, entry in file.work_units.items():
        for name, one in entry.handshakes.items():
            read = [one.request, one.key, one.boot, *one.payload.values()]
            names = dict.fromkeys(each for each in read if each is not None)
            if any(each not in entry.signals for each in names):
                continue
            group = TagGroup(
                gate=tag_id(unit, one.request),
                tags=tuple(tag_id(unit, each) for each in names),
                steady_s=one.debounce_ms / 1000,
                also=(tag_id(unit, one.ack),),
            )
            path: KeyPath = ("work_units", unit, "handshakes", name)
            groups[entry.signals[one.request].link].append((path, group))
    return {link: tuple(found) for link, found in groups.items()}


def written_tags(file: PlantFile) -> set[str]:
    """Return the tags that we write to."""
    return {
        tag_id(unit, name)
        for unit, entry in file.work_units.items()
        for one in entry.handshakes.values()
        for name in (one.ack, one.result)
        if name is not None
    }


def _tag_problems(
    unit: str, one: HandshakeEntry, signals: Mapping[str, SignalEntry]
) -> Iterator[tuple[KeyPath, str]]:
    own = {"request": one.request, "ack": one.ack, "key": one.key}
    own |= {"boot": one.boot} if one.boot else {}
    own |= {"result": one.result} if one.result else {}
    named: dict[KeyPath, str] = {(key,): of for key, of in own.items()}
    named |= {("payload", key): of for key, of in one.payload.items()}
    first = signals.get(one.request)
    for at, name in named.items():
        signal = signals.get(name)
        if signal is None:
            yield at, f"'{unit}' has no signal '{name}'{guess(name, signals)}"
        elif first is not None and signal.link != first.link:
            yield at, f"'{name}' comes by link '{signal.link}', not '{first.link}'"
        elif len(at) == 1 and signal.means is not SignalMeaning.VALUE:
            yield at, f"'{name}' means {signal.means.value}, and should mean value"


def _field_problems(
    does: MachineAction,
    payload: Mapping[str, str],
    given: Mapping[str, str],
    *,
    named: str = "payload",
) -> Iterator[tuple[KeyPath, str]]:
    known = fields_of(does)
    for part, fields in ((named, payload), ("given", given)):
        for name in fields:
            if name not in known:
                text = f"unknown key: to {does} takes no such field"
                yield (part, name), text + guess(name, known)
    for name, told in given.items():
        if name in payload:
            yield ("given", name), f"is in {named} too"
        elif name in known and (text := _unreadable(does, name, told)):
            yield ("given", name), text
    there = {*payload, *given}
    for name in FIELDS[does].needs:
        if name not in there:
            yield ("does",), f"to {does} needs '{name}' in {named} or given"
    if does is MachineAction.REPORT and not there & REPORTED:
        words = ", ".join(_in_order(REPORTED, known))
        yield ("does",), f"to report needs one of {words} in {named} or given"


def _unreadable(does: MachineAction, name: str, told: str) -> str:
    try:
        read_field(does, name, told)
    except Malformed as error:
        return error.message.rstrip(".")
    return ""


def _in_order(words: Iterable[str], known: Iterable[str]) -> list[str]:
    return [one for one in known if one in set(words)]
