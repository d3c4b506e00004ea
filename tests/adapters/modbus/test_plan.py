"""Which blocks are read for a set of tags."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_adapters.modbus.plan import Block, plan, told, unfit
from mes_adapters.modbus.settings import ModbusSettings, parse_forbidden
from mes_adapters.modbus.tags import ModbusTag, Pace, Table, ValueType

TCP, SERIAL = "tcp://press", "rtu:///dev/ttyS0"


def tag(**given: Any) -> ModbusTag:
    return ModbusTag.model_validate(
        {"table": "holding", "address": 0, "type": "u16", **given}
    )


def settings(url: str = TCP, **given: Any) -> ModbusSettings:
    return ModbusSettings.model_validate({"url": url, **given})


def places(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    return [(block.start, block.count) for block in blocks]


def number(unit: int | None, table: Table, address: int, type_: ValueType) -> ModbusTag:
    if table.has_bits:
        return ModbusTag(unit=unit, table=table, address=address, type=ValueType.BOOL)
    return tag(unit=unit, table=table, address=address, type=type_, order="ABCD")


numbers = st.builds(
    number,
    st.sampled_from([None, 1, 2]),
    st.sampled_from(Table),
    st.integers(0, 500),
    st.sampled_from([t for t in ValueType if t is not ValueType.STRING]),
)
tags_of_a_device = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4), numbers, max_size=40
)


@given(
    tags=tags_of_a_device,
    longest=st.integers(4, 125),
    hole=st.integers(0, 121),
    url=st.sampled_from([TCP, SERIAL]),
)
def test_a_plan_reads_every_tag_once_and_whole(
    tags: dict[str, ModbusTag], longest: int, hole: int, url: str
) -> None:
    blocks = plan(tags, settings(url, max_registers=longest, max_hole=hole))
    assert sorted(name for block in blocks for name, _ in block.tags) == sorted(tags)
    for block in blocks:
        assert block.count <= longest * (16 if block.table.has_bits else 1)
        for _, one in block.tags:
            assert one.table is block.table
            assert (one.unit or 1) == block.unit
            assert block.start <= one.address
            assert one.end <= block.end


@given(tags=tags_of_a_device, hole=st.integers(0, 30))
def test_a_block_has_no_hole_longer_than_allowed(
    tags: dict[str, ModbusTag], hole: int
) -> None:
    for block in plan(tags, settings(max_hole=hole)):
        end = block.start
        for _, one in block.tags:
            assert one.address - end <= hole
            end = max(end, one.end)


@given(tags=tags_of_a_device, first=st.integers(0, 500), length=st.integers(1, 30))
def test_what_is_forbidden_is_never_read(
    tags: dict[str, ModbusTag], first: int, length: int
) -> None:
    never = parse_forbidden(f"{first}-{first + length}")
    allowed = {
        name: one
        for name, one in tags.items()
        if not never.covers(1, one.table, one.address, one.end)
    }
    for url in (TCP, SERIAL):
        for block in plan(allowed, settings(url, forbid=[f"{first}-{first + length}"])):
            assert not (block.start <= first + length and first < block.end)


@given(tags=tags_of_a_device, hole=st.integers(0, 20))
def test_on_a_serial_line_no_two_answers_of_a_unit_are_of_one_length(
    tags: dict[str, ModbusTag], hole: int
) -> None:
    sizes = set()
    for block in plan(tags, settings(SERIAL, max_hole=hole)):
        if block.is_apart:
            assert (block.unit, block.table, block.size) not in sizes
        sizes.add((block.unit, block.table, block.size))


def test_late_answers_of_neighbours_can_be_told_apart() -> None:
    tags = {str(at): tag(address=at, type="u32", order="ABCD") for at in (20, 40, 60)}
    blocks = plan(tags, settings(SERIAL, max_hole=0))
    assert places(blocks) == [(20, 2), (40, 3), (60, 4)]
    assert places(plan(tags, settings(max_hole=0))) == [(20, 2), (40, 2), (60, 2)]
    assert places(plan(tags, settings(max_hole=0, apart=True))) == places(blocks)


def test_neighbours_are_one_request() -> None:
    tags = {
        "good": tag(address=0, type="u32", order="ABCD"),
        "scrap": tag(address=2, type="u32", order="ABCD"),
        "far": tag(address=60),
    }
    blocks = plan(tags, settings(unit=3))
    assert [(b.unit, b.start, b.count) for b in blocks] == [(3, 0, 4), (3, 60, 1)]


def test_tags_of_another_pace_are_read_apart() -> None:
    tags = {"a": tag(), "b": tag(address=1, poll="fast"), "c": tag(address=2)}
    found = {b.period_s: places((b,)) for b in plan(tags, settings(fast_s=0.1))}
    assert found == {1.0: [(0, 3)], 0.1: [(1, 1)]}


def test_a_named_block_is_read_in_one_request_at_the_pace_of_its_fastest() -> None:
    tags = {
        "txn": tag(address=72, type="u32", order="ABCD", block="hs", poll="fast"),
        "lot": tag(address=100, type="string", count=10, block="hs"),
        "other": tag(address=74),
    }
    said = {"hs": {"sentinel": {"address": 70, "value": 7}, "sequence": 115}}
    hs, other = plan(tags, settings(max_hole=0, blocks=said))
    assert (hs.start, hs.end, hs.period_s, hs.name) == (70, 116, 0.2, "hs")
    assert places((other,)) == [(74, 1)]


@pytest.mark.parametrize(
    ("tags", "given_", "wrong"),
    [
        ({"a": {"address": 204}}, {"forbid": ["200-209"]}, ("a", "address")),
        ({"a": {"address": 204}}, {"forbid": ["1/holding/204"]}, ("a", "address")),
        ({"a": {"address": 204}}, {"forbid": ["2/204"]}, None),
        (
            {"a": {"type": "string", "count": 20}},
            {"max_registers": 10},
            ("a", "count"),
        ),
        (
            {"a": {"address": 0, "block": "hs"}, "b": {"address": 200, "block": "hs"}},
            {},
            ("b", "block"),
        ),
        (
            {"a": {"block": "hs"}, "b": {"unit": 2, "block": "hs"}},
            {},
            ("b", "block"),
        ),
        (
            {"a": {"block": "hs"}, "b": {"address": 9, "block": "hs"}},
            {"forbid": ["5"]},
            ("b", "block"),
        ),
        ({"a": {}}, {"blocks": {"hs": {}}}, (None, "blocks")),
        ({"a": {"unit": 0}}, {"url": SERIAL}, ("a", "unit")),
        ({"a": {"unit": 0}}, {}, None),
        (
            {"a": {"address": 10}, "b": {"address": 20}},
            {"url": SERIAL, "max_hole": 0, "forbid": ["0-9", "11-19", "21-65535"]},
            ("b", "address"),
        ),
    ],
)
def test_tags_that_do_not_go_together_are_problems(
    tags: dict[str, dict[str, Any]],
    given_: dict[str, Any],
    wrong: tuple[str | None, str] | None,
) -> None:
    there = {name: tag(**at) for name, at in tags.items()}
    found = [(one.tag, one.key) for one in unfit(settings(**given_), there)]
    assert found == ([wrong] if wrong else [])


def test_the_slow_and_the_fast_have_their_own_seconds() -> None:
    given_ = settings(fast_s=0.1, poll_s=2, slow_s=30)
    assert [given_.period_s(pace) for pace in Pace] == [0.1, 2, 30]


def test_a_plan_is_told_as_people_see_it() -> None:
    tags = {
        "press.good": tag(type="u32", order="ABCD", poll="fast"),
        "press.lot": tag(address=70, type="string", count=10, block="hs"),
    }
    lines = [(dict(one.what), one.tags, one.period_s) for one in told(settings(), tags)]
    where = {"unit": 1, "table": "holding"}
    assert lines == [
        ({**where, "start": 70, "count": 10, "block": "hs"}, ("press.lot",), 1.0),
        ({**where, "start": 0, "count": 2}, ("press.good",), 0.2),
    ]
