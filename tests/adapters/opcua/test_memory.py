"""What outlives a connection."""

from collections import Counter

import pytest

from mes_adapters.opcua.memory import Brought, Memory, Told
from mes_engine.core.errors import SourceRefused
from mes_engine.core.samples import Quality, Sample


def sample(value: int, at: int | None) -> Sample:
    return Sample(
        tag="t", value=value, quality=Quality.GOOD, source_at=at, received_at=9
    )


def test_whoever_refused_us_twice_is_not_asked_for_ten_seconds() -> None:
    memory = Memory()
    memory.refused_at.extend([100.0, 103.0])
    with pytest.raises(SourceRefused, match="not asked again"):
        memory.spare_account("opc.tcp://mill", now=109.9)
    memory.spare_account("opc.tcp://mill", now=110.1)


def test_a_mark_has_all_values_of_one_tick_of_the_clock() -> None:
    memory = Memory()
    for value, at in ((1, 5), (2, 7), (3, 7), (4, None)):
        memory.keep(sample(value, at))
    assert memory.marks["t"].at == 7
    assert set(memory.marks["t"].values) == {2, 3}
    assert memory.told["t"].value == 4


def test_what_history_has_brought_is_a_repeat_once() -> None:
    memory = Memory()
    brought: Counter[Told] = Counter({(5, 1): 1, (7, 2): 1})
    memory.brought["t"] = Brought(until=7, values=brought)
    assert memory.is_repeat(sample(1, 5))
    assert not memory.is_repeat(sample(1, 5))
    assert not memory.is_repeat(sample(9, 6))
    assert memory.is_repeat(sample(2, 7))
    assert not memory.is_repeat(sample(3, 8))
    assert "t" not in memory.brought
