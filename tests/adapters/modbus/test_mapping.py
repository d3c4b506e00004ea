"""Which blocks are read, and what registers mean."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mes_adapters.modbus.mapping import Block, decode, halves, plan, values
from mes_adapters.modbus.settings import ModbusSettings, ModbusTag, Table, ValueType

FORMATS = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "f32": "f"}


def tag(**given: Any) -> ModbusTag:
    return ModbusTag.model_validate(
        {"table": "holding", "address": 0, "type": "u16", **given}
    )


def words_of(type_: str, value: float) -> list[int]:
    raw = struct.pack(f">{FORMATS[type_]}", value)
    return list(struct.unpack(f">{len(raw) // 2}H", raw))


numbers = st.one_of(
    st.tuples(st.just("u16"), st.integers(0, 2**16 - 1)),
    st.tuples(st.just("i16"), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just("u32"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("i32"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("u64"), st.integers(0, 2**64 - 1)),
    st.tuples(
        st.just("f32"), st.floats(width=32, allow_nan=False, allow_infinity=False)
    ),
)


@given(number=numbers, order=st.sampled_from(["big", "little"]))
def test_every_number_is_read_back_in_either_word_order(
    number: tuple[str, float], order: str
) -> None:
    type_, value = number
    words = words_of(type_, value)
    there = tag(type=type_, word_order=order)
    assert decode(there, words if order == "big" else words[::-1]) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(value: float) -> None:
    there = tag(type="f32", word_order="big")
    assert decode(there, words_of("f32", value)) is None


@pytest.mark.parametrize(("word", "value"), [(0, False), (1, True), (256, True)])
def test_a_register_read_as_bool_is_true_unless_zero(word: int, value: bool) -> None:  # noqa: FBT001
    assert decode(tag(type="bool"), [word]) is value


tags_of_a_device = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4),
    st.builds(
        lambda unit, table, address, type_: ModbusTag(
            unit=unit,
            table=table,
            address=address,
            type=ValueType.BOOL if table.has_bits else type_,
            word_order="big",
        ),
        st.sampled_from([None, 1, 2]),
        st.sampled_from(Table),
        st.integers(0, 500),
        st.sampled_from(ValueType),
    ),
    max_size=40,
)


@given(tags=tags_of_a_device, longest=st.integers(4, 125), hole=st.integers(0, 121))
def test_a_plan_reads_every_tag_once_and_whole(
    tags: dict[str, ModbusTag], longest: int, hole: int
) -> None:
    blocks = plan(tags, default_unit=1, max_registers=longest, max_hole=hole)
    assert sorted(name for block in blocks for name, _ in block.tags) == sorted(tags)
    for block in blocks:
        assert block.count <= longest * (16 if block.table.has_bits else 1)
        for _, one in block.tags:
            assert one.table is block.table
            assert (one.unit or 1) == block.unit
            assert block.start <= one.address
            assert one.address + one.type.width <= block.start + block.count


@given(tags=tags_of_a_device, hole=st.integers(0, 30))
def test_a_block_has_no_hole_longer_than_allowed(
    tags: dict[str, ModbusTag], hole: int
) -> None:
    for block in plan(tags, default_unit=1, max_registers=125, max_hole=hole):
        end = block.start
        for _, one in block.tags:
            assert one.address - end <= hole
            end = max(end, one.address + one.type.width)


def test_neighbours_are_one_request() -> None:
    tags = {
        "good": tag(address=0, type="u32", word_order="big"),
        "scrap": tag(address=2, type="u32", word_order="big"),
        "far": tag(address=60),
    }
    blocks = plan(tags, default_unit=3, max_registers=125, max_hole=16)
    assert [(b.unit, b.start, b.count) for b in blocks] == [(3, 0, 4), (3, 60, 1)]


@given(tags=tags_of_a_device.filter(lambda tags: len(tags) > 1))
def test_halves_keep_every_tag(tags: dict[str, ModbusTag]) -> None:
    for block in plan(tags, default_unit=1, max_registers=125, max_hole=121):
        if len(block.tags) > 1:
            one, other = halves(block)
            assert one.tags + other.tags == block.tags
            assert one.tags
            assert other.tags


def test_values_come_from_their_own_addresses() -> None:
    there = {"a": tag(address=10), "b": tag(address=12)}
    block = Block(1, Table.HOLDING, 10, 3, tuple(there.items()))
    assert dict(values(block, [7, 8, 9])) == {"a": 7, "b": 9}


@pytest.mark.parametrize(
    ("type_", "bits"), [("u16", 16), ("u32", 32), ("u64", 64), ("i16", None)]
)
def test_a_counter_tells_where_it_starts_again(type_: str, bits: int | None) -> None:
    assert tag(type=type_, word_order="big").bits == bits


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"type": "u32"}, "word_order"),
        ({"table": "coil"}, "bool"),
        ({"address": 65_535, "type": "u32", "word_order": "big"}, "ends behind"),
        ({"address": 40_001_0}, "65535"),
        ({"adress": 1}, "adress"),
        ({"type": "u8"}, "type"),
        ({"unit": 300}, "255"),
    ],
)
def test_a_tag_that_cannot_be_read_is_refused(
    given_: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        tag(**given_)


@pytest.mark.parametrize(
    "wrong", [{"host": ""}, {"poll_s": 0}, {"max_registers": 126}, {"retries": 3}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModbusSettings.model_validate({"host": "press", **wrong})
