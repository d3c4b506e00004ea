"""From what a plant's file says of machines' own doings to the core's rules."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from mes_engine.core.decide.machine_actions import read_field
from mes_engine.core.errors import Malformed
from mes_engine.core.machine_rules import (
    FIELDS,
    REPORTED,
    HandshakeRule,
    MachineAction,
    fields_of,
)
from mes_engine.core.plant import SignalMeaning
from mes_engine.ports import TagGroup
from mes_engine.settings.document import Document, KeyPath
from mes_engine.settings.machine_rules_file import HandshakeEntry
from mes_engine.settings.plant_file import PlantFile, SignalEntry
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
        requests: dict[str, str] = {}
        for name, one in entry.handshakes.items():
            path: KeyPath = ("work_units", unit, "handshakes", name)
            found = [
                *_tag_problems(unit, one, entry.signals),
                *_field_problems(one.does, one.payload, one.given),
            ]
            if one.request in requests:
                text = f"is the request of '{requests[one.request]}' already"
                found.append((("request",), text))
            requests.setdefault(one.request, name)
            for at, text in found:
                of_key = at[0] in {"payload", "given"} and text.startswith("unknown")
                problems.add(document.problem((*path, *at), text, of_key=of_key))


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
    does: MachineAction, payload: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[tuple[KeyPath, str]]:
    known = fields_of(does)
    for part, fields in (("payload", payload), ("given", given)):
        for name in fields:
            if name not in known:
                text = f"unknown key: to {does} takes no such field"
                yield (part, name), text + guess(name, known)
    for name, told in given.items():
        if name in payload:
            yield ("given", name), "is in payload too"
        elif name in known and (text := _unreadable(does, name, told)):
            yield ("given", name), text
    there = {*payload, *given}
    for name in FIELDS[does].needs:
        if name not in there:
            yield ("does",), f"to {does} needs '{name}' in payload or given"
    if does is MachineAction.REPORT and not there & REPORTED:
        words = ", ".join(_in_order(REPORTED, known))
        yield ("does",), f"to report needs one of {words} in payload or given"


def _unreadable(does: MachineAction, name: str, told: str) -> str:
    try:
        read_field(does, name, told)
    except Malformed as error:
        return error.message.rstrip(".")
    return ""


def _in_order(words: Iterable[str], known: Iterable[str]) -> list[str]:
    return [one for one in known if one in set(words)]
