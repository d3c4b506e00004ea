"""Each table finds its values by what it says that it looks at, and nothing else."""

from typing import Any

import pytest

from mes_engine.core.layers import TableSpec
from mes_engine.core.state import TABLES
from tests.core.plants import a_routing
from tests.core.shop import Shop

PLACED = {name: spec for name, spec in TABLES.items() if spec.placed_by is not None}


class Watched:
    """Stands for a value; notes the fields that it is asked for, in properties too."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if isinstance(known := getattr(type(self.value), name, None), property):
            assert known.fget is not None
            return known.fget(self)
        self.asked.add(name)
        return getattr(self.value, name)


def asked_by(spec: TableSpec, value: Any) -> tuple[set[str], set[str]]:
    finds, places = Watched(value), Watched(value)
    spec.found_by(finds)
    assert spec.placed_by is not None
    spec.placed_by(places)
    return finds.asked, places.asked


@pytest.mark.parametrize("name", PLACED)
def test_what_a_table_is_placed_by_is_all_that_it_looks_at(name: str) -> None:
    shop = Shop(a_routing("mill", "pack"))
    shop.make(10)
    shop.run("mill", 10)
    shop.run("pack", 10)
    values = [*getattr(shop.state, name).values()]
    assert values
    for value in values:
        finds, places = asked_by(PLACED[name], value)
        assert finds <= places
