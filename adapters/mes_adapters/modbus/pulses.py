"""What polling can see: a level has to last for two polls. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from mes_adapters.modbus.plan import plan
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.tags import ModbusTag
from mes_engine.ports import Pulse, Unfit


def unseen(
    settings: ModbusSettings, tags: Mapping[str, ModbusTag], pulses: Sequence[Pulse]
) -> Iterator[Unfit]:
    """Yield the tags that are polled too seldom for a level that counts."""
    every_s = {
        name: block.period_s for block in plan(tags, settings) for name, _ in block.tags
    }
    for one in pulses:
        period_s = every_s.get(one.tag)
        if period_s is not None and period_s > one.look_every_s:
            text = (
                f"is polled every {period_s * 1000:g} ms, and edge '{one.rule}' has "
                f"to see {one.shortest_s * 1000:g} ms: that takes a poll every "
                f"{one.look_every_s * 1000:g} ms, or a longer pulse_ms of the edge"
            )
            yield Unfit(tag=one.tag, key="poll", text=text)
