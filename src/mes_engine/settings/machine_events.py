"""Rules of machines' messages, held against what their links tell."""

from collections.abc import Iterable, Iterator, Mapping

from mes_engine.settings.document import KeyPath
from mes_engine.settings.plant_file import PlantFile
from mes_engine.settings.problems import guess


def event_problems(
    file: PlantFile, told: Mapping[str, Mapping[str, Iterable[str]] | None]
) -> Iterator[tuple[KeyPath, str]]:
    """Yield what rules ask of messages that their links do not tell.

    Args:
        file: What work units do with messages.
        told: By link, its messages with their fields; None if it can tell none.
    """
    for unit, entry in file.work_units.items():
        for name, rule in entry.events.items():
            if rule.link not in told:
                continue  # What is wrong with it is told already.
            path: KeyPath = ("work_units", unit, "events", name)
            known = told[rule.link]
            if known is None:
                text = f"the adapter of '{rule.link}' tells no messages of machines"
                yield (*path, "link"), text
                continue
            if rule.event not in known:
                text = f"link '{rule.link}' tells no '{rule.event}'"
                yield (*path, "event"), text + guess(rule.event, known)
                continue
            fields = set(known[rule.event])
            asked: dict[KeyPath, str] = {("where", of): of for of in rule.where}
            asked |= {("fields", to): of for to, of in rule.fields.items()}
            asked |= {("key",): rule.key} if rule.key else {}
            asked |= {("active",): rule.active} if rule.active else {}
            for at, of in asked.items():
                if of not in fields:
                    text = f"'{rule.event}' of link '{rule.link}' has no field '{of}'"
                    yield (*path, *at), text + guess(of, fields)
