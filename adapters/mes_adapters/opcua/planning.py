"""What a server is asked for, as ``mes adapters plan`` tells it. No I/O."""

from collections.abc import Mapping, Sequence

from mes_adapters.opcua.events.listening import label
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.ports import PlanLine


def plan(settings: OpcUaSettings, tags: Mapping[str, OpcUaTag]) -> Sequence[PlanLine]:
    """Return the subscription's values, and each kind of messages."""
    period_s = settings.publish_ms / 1000
    lines = []
    if tags:
        what: dict[str, str | int] = {"subscribe": "values", "queue": settings.queue}
        lines.append(PlanLine(what=what, tags=tuple(sorted(tags)), period_s=period_s))
    for name, one in sorted(settings.events.items()):
        what = {
            "subscribe": "events",
            "type": str(one.type),
            "from": str(one.notifier or "Server"),
            "queue": settings.queue,
        }
        if one.fields:
            what["fields"] = " ".join(f"{key}={way}" for key, way in one.fields.items())
        if one.severity_min is not None:
            what["severity_min"] = one.severity_min
        lines.append(PlanLine(what=what, tags=(label(name),), period_s=period_s))
    return lines
