"""How short a level may be that still counts, by the edges of a plant's file."""

from collections import defaultdict

from mes_engine.core.machine_rules import EdgeDirection
from mes_engine.ports import Pulse
from mes_engine.settings.machine_rules import tag_id
from mes_engine.settings.machine_rules_file import EdgeEntry
from mes_engine.settings.plant_file import PlantFile


def shortest_ms(edge: EdgeEntry) -> int:
    """Return how short a level of ``edge`` may be that counts; 0 if it does not say.

    What is held for as long as its debounce counts; so it has to be seen.
    """
    if edge.pulse_ms is not None:
        return edge.pulse_ms
    if edge.on is EdgeDirection.RISING:
        return max(edge.debounce_ms, edge.min_high_ms)
    if edge.on is EdgeDirection.FALLING:
        return edge.debounce_ms
    return edge.debounce_ms or edge.min_high_ms


def pulses_of(file: PlantFile) -> dict[str, tuple[Pulse, ...]]:
    """Return by link what has to be seen, of edges whose tags are there."""
    found: dict[str, list[Pulse]] = defaultdict(list)
    for unit, entry in file.work_units.items():
        for name, edge in entry.edges.items():
            signal = entry.signals.get(edge.tag)
            shortest = shortest_ms(edge)
            if signal is not None and shortest:
                found[signal.link].append(
                    Pulse(
                        tag=tag_id(unit, edge.tag),
                        shortest_s=shortest / 1000,
                        rule=f"{unit}.{name}",
                    )
                )
    return {link: tuple(some) for link, some in found.items()}
