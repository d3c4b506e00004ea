"""State in layers: a layer that is merged was always there, one thrown away never."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mes_engine.core.decide import decide
from mes_engine.core.errors import Refused
from mes_engine.core.layers import Attempts, Table, TableSpec
from mes_engine.core.messages import ApplyPlant, Commanded
from mes_engine.core.state import TABLES, Counter, State
from tests.core.plants import a_plant


@dataclass(frozen=True)
class Thing:
    name: int
    colours: tuple[str, ...] = ()


SPEC = TableSpec(lambda one: one.name, ("colour",), lambda one: (one.colours,))
things = st.builds(
    Thing,
    name=st.integers(0, 5),
    colours=st.lists(st.sampled_from("rgb"), unique=True, max_size=2).map(tuple),
)


class Layers(RuleBasedStateMachine):
    """Tables on tables, held to plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Table[int, Thing]] = [Table(SPEC)]
        self.models: list[dict[int, Thing]] = [{}]

    @rule(thing=things)
    def put(self, *, thing: Thing) -> None:
        self.tables[-1].put(thing)
        self.models[-1][thing.name] = thing

    @rule(name=st.integers(0, 5))
    def drop(self, *, name: int) -> None:
        self.tables[-1].drop(name)
        self.models[-1].pop(name, None)

    @precondition(lambda self: len(self.tables) < 4)
    @rule()
    def layer(self) -> None:
        self.tables.append(Table(SPEC, self.tables[-1]))
        self.models.append(dict(self.models[-1]))

    @precondition(lambda self: len(self.tables) > 1)
    @rule()
    def merge(self) -> None:
        self.tables.pop().merge(into_committed=len(self.tables) == 1)
        self.models[-2:] = [self.models[-1]]

    @precondition(lambda self: len(self.tables) > 1)
    @rule()
    def merge_and_use_it_again(self) -> None:
        self.tables[-1].merge(into_committed=len(self.tables) == 2)
        self.tables[-1].clear()
        self.models[-2] = dict(self.models[-1])

    @precondition(lambda self: len(self.tables) > 1)
    @rule()
    def throw_away(self) -> None:
        self.tables.pop()
        self.models.pop()

    @invariant()
    def every_layer_is_as_its_model(self) -> None:
        for table, model in zip(self.tables, self.models, strict=True):
            assert {one.name: one for one in table.values()} == model
            assert len(list(table.values())) == len(model)
            for name in range(6):
                assert table.get(name) == model.get(name)
            for colour in "rgb":
                found = table.find("colour", colour)
                names = {one.name for one in model.values() if colour in one.colours}
                assert {one.name for one in found} == names
                assert len(found) == len(names)


TestLayers = Layers.TestCase
TestLayers.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(things, max_size=20))
def test_what_is_found_comes_oldest_entry_first(puts: list[Thing]) -> None:
    table: Table[int, Thing] = Table(SPEC)
    order: list[int] = []
    for thing in puts:
        was_red = thing.name in order
        if was_red and "r" not in thing.colours:
            order.remove(thing.name)
        if not was_red and "r" in thing.colours:
            order.append(thing.name)
        table.put(thing)

    assert [one.name for one in table.find("colour", "r")] == order


@given(st.lists(things | st.integers(0, 5), max_size=12))
def test_a_merge_keeps_the_order_in_which_what_is_found_was_entered(
    changes: list[Thing | int],
) -> None:
    bottom, other = Table[int, Thing](SPEC), Table[int, Thing](SPEC)
    layer = Table(SPEC, bottom)
    for one in changes:
        for table in (layer, other):
            if isinstance(one, Thing):
                table.put(one)
            else:
                table.drop(one)
    seen = {colour: layer.find("colour", colour) for colour in "rgb"}

    layer.merge(into_committed=True)

    assert {colour: bottom.find("colour", colour) for colour in "rgb"} == seen
    assert bottom.own == other.own


@given(
    st.lists(st.lists(things, max_size=6), max_size=4),
    st.lists(things | st.integers(0, 5)),
)
def test_what_is_filled_in_is_as_if_it_had_been_put_one_by_one(
    parts: list[list[Thing]], later: list[Thing | int]
) -> None:
    filled, other = Table[int, Thing](SPEC), Table[int, Thing](SPEC)
    for part in parts:
        filled.fill(part)
        for thing in part:
            other.put(thing)
    for one in later:
        for table in (filled, other):
            if isinstance(one, Thing):
                table.put(one)
            else:
                table.drop(one)

    assert list(filled.own.items()) == list(other.own.items())
    for colour in "rgb":
        assert filled.find("colour", colour) == other.find("colour", colour)
        members = list(filled.members("colour", colour))
        assert members == [one.name for one in other.find("colour", colour)]


def test_what_is_only_written_does_not_stay_in_memory() -> None:
    state = State()
    spec = TABLES["move"]
    assert not spec.is_kept
    batch = state.layer()
    message = Commanded(
        origin="t",
        key="1",
        digest="",
        person="",
        at=0,
        command=ApplyPlant(plant=a_plant()),
    )
    decide(batch.layer(), message, now=0)

    assert list(state.plant.values()) == []
    with pytest.raises(Refused, match="There is no plant yet"):
        _ = state.site


def test_a_merged_layer_brings_its_number_along() -> None:
    state = State()
    batch = state.layer()
    message = batch.layer()
    message.seq = 7
    message.counter.put(Counter(name="lot", last=3))
    assert [state.seq, batch.seq] == [0, 0]

    message.merge()
    assert [state.seq, batch.seq] == [0, 7]
    batch.merge()

    assert state.seq == 7
    assert state.last_number("lot") == 3
    assert state.last_number("hold") == 0


@given(
    st.lists(st.tuples(st.sampled_from(["put", "drop", "begin", "fail"]), things)),
    st.lists(things),
    st.booleans(),
)
def test_an_attempt_that_fails_leaves_no_trace(
    steps: list[tuple[str, Thing]],
    at_first: list[Thing],
    is_layer: bool,  # noqa: FBT001 - Hypothesis gives it by place
) -> None:
    attempts = Attempts()
    below: Table[int, Thing] = Table(SPEC, None, attempts)
    for thing in at_first:
        below.put(thing)
    table = Table(SPEC, below, attempts) if is_layer else below
    marks = [attempts.begin()]
    models = [seen(table)]
    for word, thing in steps:
        if word == "put":
            table.put(thing)
        elif word == "drop":
            table.drop(thing.name)
        elif word == "begin":
            marks.append(attempts.begin())
            models.append(seen(table))
        elif len(marks) > 1:
            attempts.take_back(marks.pop())
            attempts.end()
            assert seen(table) == models.pop()
    attempts.take_back(marks[0])
    assert seen(table) == models[0]


def seen(table: Table[int, Thing]) -> tuple[object, ...]:
    found = [sorted(t.name for t in table.find("colour", c)) for c in "rgb"]
    return sorted(t.name for t in table.values()), *found, str(table.get(0))


def test_what_an_attempt_did_is_taken_back_with_its_number() -> None:
    layer = State().layer()
    layer.counter.put(Counter(name="lot", last=1))

    def fail() -> None:
        with layer.attempt():
            layer.seq = 9
            layer.counter.put(Counter(name="lot", last=2))
            with layer.attempt():
                layer.counter.put(Counter(name="hold", last=1))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert layer.seq == 0
    assert layer.last_number("lot") == 1
    assert layer.last_number("hold") == 0


def test_a_site_follows_the_plant_of_its_layer() -> None:
    state = State()
    state.plant.put(a_plant())
    layer = state.layer()
    layer.plant.put(a_plant(name="Another"))

    assert layer.site.plant.name == "Another"
    assert state.site.plant.name == "Works"


def test_there_is_no_table_of_another_name() -> None:
    name = "nothing"
    for state in (State(), State().layer()):
        with pytest.raises(AttributeError):
            getattr(state, name)
