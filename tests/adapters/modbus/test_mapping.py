"""What registers mean, in every order of their bytes, and back."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mes_adapters.modbus.address import parse_url
from mes_adapters.modbus.mapping import FORMATS, decode, encode
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.tags import ModbusTag
from mes_engine.core.samples import Quality

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


def tag(**given: Any) -> ModbusTag:
    return ModbusTag.model_validate(
        {"table": "holding", "address": 0, "type": "u16", **given}
    )


def value_of(there: ModbusTag, *words: int) -> Any:
    return decode(there, words)[0]


@pytest.mark.parametrize(
    ("order", "raw"),
    [
        ("ABCD", "11 22 33 44"),
        ("CDAB", "33 44 11 22"),
        ("BADC", "22 11 44 33"),
        ("DCBA", "44 33 22 11"),
    ],
)
def test_the_bytes_of_32_bits_come_in_any_order(order: str, raw: str) -> None:
    words = struct.unpack(">2H", bytes.fromhex(raw))
    assert value_of(tag(type="u32", order=order), *words) == 0x11223344


@pytest.mark.parametrize(
    ("order", "raw"),
    [
        ("ABCD", "01 02 03 04 05 06 07 08"),
        ("CDAB", "07 08 05 06 03 04 01 02"),
        ("BADC", "02 01 04 03 06 05 08 07"),
        ("DCBA", "08 07 06 05 04 03 02 01"),
    ],
)
def test_the_bytes_of_64_bits_come_in_any_order(order: str, raw: str) -> None:
    words = struct.unpack(">4H", bytes.fromhex(raw))
    assert value_of(tag(type="u64", order=order), *words) == 0x0102030405060708


numbers = st.one_of(
    st.tuples(st.just("u16"), st.integers(0, 2**16 - 1)),
    st.tuples(st.just("i16"), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just("u32"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("i32"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("u64"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("i64"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("bcd16"), st.integers(0, 10**4 - 1)),
    st.tuples(st.just("bcd32"), st.integers(0, 10**8 - 1)),
    st.tuples(st.just("bcd64"), st.integers(0, 10**16 - 1)),
    st.tuples(
        st.just("f32"), st.floats(width=32, allow_nan=False, allow_infinity=False)
    ),
    st.tuples(st.just("f64"), st.floats(allow_nan=False, allow_infinity=False)),
)


@given(number=numbers, order=st.sampled_from(ORDERS))
def test_what_is_written_is_read_back(number: tuple[str, float], order: str) -> None:
    type_, value = number
    there = tag(type=type_, order=order)
    words = encode(there, value)
    assert len(words) == there.width
    assert decode(there, words) == (value, Quality.GOOD)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(value: float) -> None:
    words = struct.unpack(">2H", struct.pack(">f", value))
    assert decode(tag(type="f32", order="ABCD"), words) == (None, Quality.BAD)


def test_a_digit_above_nine_is_no_value() -> None:
    assert value_of(tag(type="bcd16"), 0x1234) == 1234
    assert decode(tag(type="bcd16"), [0x12A4]) == (None, Quality.BAD)


@pytest.mark.parametrize(("word", "value"), [(0, False), (1, True), (256, True)])
def test_a_register_read_as_bool_is_true_unless_zero(word: int, value: bool) -> None:  # noqa: FBT001
    assert value_of(tag(type="bool"), word) is value


def test_bits_of_a_register_are_values_of_their_own() -> None:
    word = 0b1010_0110_0000_0001
    assert value_of(tag(type="bool", bit=0), word) is True
    assert value_of(tag(type="bool", bit=1), word) is False
    assert value_of(tag(type="u16", bit=8, bit_count=4), word) == 0b0110
    assert value_of(tag(type="u16", bit=12, bit_count=4), word) == 0b1010


@given(before=st.integers(0, 65_535), bit=st.integers(0, 13), value=st.integers(0, 7))
def test_writing_bits_leaves_the_others(before: int, bit: int, value: int) -> None:
    there = tag(bit=bit, bit_count=3)
    (word,) = encode(there, value, before=[before])
    assert value_of(there, word) == value
    mask = 0b111 << bit
    assert word & ~mask == before & ~mask


def text_words(raw: bytes, *, is_swapped: bool = False) -> tuple[int, ...]:
    return struct.unpack(f"{'<' if is_swapped else '>'}{len(raw) // 2}H", raw)


@pytest.mark.parametrize("order", [None, "ABCD", "BADC"])
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"LOT-42\0\0", "LOT-42"),
        (b"LOT-42  ", "LOT-42"),
        (b"LOT\0x42 ", "LOT"),
        (b"\0\0\0\0\0\0\0\0", ""),
    ],
)
def test_a_text_ends_where_it_was_filled_up(
    order: str | None, raw: bytes, text: str
) -> None:
    words = text_words(raw, is_swapped=order == "BADC")
    there = tag(type="string", count=4, order=order)
    assert decode(there, words) == (text, Quality.GOOD)


def test_a_text_with_foreign_bytes_is_uncertain_and_shows_them() -> None:
    there = tag(type="string", count=2, encoding="utf-8")
    assert decode(there, text_words(b"A\xffB\0")) == ("A\\xffB", Quality.UNCERTAIN)


@given(
    text=st.text(
        st.characters(
            codec="latin-1", exclude_characters="\0 \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0"
        ),
        max_size=8,
    )
)
def test_a_text_is_read_back(text: str) -> None:
    there = tag(type="string", count=4, encoding="latin-1", order="BADC")
    assert decode(there, encode(there, text)) == (text, Quality.GOOD)


@pytest.mark.parametrize(
    ("there", "value"),
    [
        ({}, 65_536),
        ({}, -1),
        ({}, 1.5),
        ({}, "x"),
        ({"type": "i16"}, 40_000),
        ({"type": "bcd16"}, 10_000),
        ({"type": "bcd16"}, -1),
        ({"type": "bool"}, 2),
        ({"bit": 3, "bit_count": 2}, 4),
        ({"type": "string", "count": 2}, "TOO LONG"),
        ({"type": "string", "count": 2}, "Ä"),
        ({"type": "string", "count": 2}, 7),
        ({"type": "f32", "order": "ABCD"}, 1e300),
    ],
)
def test_what_a_tag_cannot_hold_is_not_written(
    there: dict[str, Any], value: Any
) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode(tag(**there), value, before=[0])


@pytest.mark.parametrize(
    ("given_", "bits"),
    [
        ({"type": "u16"}, 16),
        ({"type": "u32"}, 32),
        ({"type": "u64"}, 64),
        ({"type": "i16"}, None),
        ({"type": "bcd32"}, None),
        ({"type": "u16", "bit": 4, "bit_count": 6}, 6),
    ],
)
def test_a_counter_tells_where_it_starts_again(
    given_: dict[str, Any], bits: int | None
) -> None:
    assert tag(order="ABCD", **given_).bits == bits


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"type": "u32"}, "order"),
        ({"type": "bcd64"}, "order"),
        ({"table": "coil"}, "bool"),
        ({"table": "coil", "type": "bool", "order": "ABCD"}, "no order"),
        ({"table": "input", "writable": True}, "written"),
        ({"address": 65_535, "type": "u32", "order": "ABCD"}, "ends behind"),
        ({"address": 40_001_0}, "65535"),
        ({"adress": 1}, "adress"),
        ({"type": "u8"}, "type"),
        ({"unit": 300}, "255"),
        ({"type": "string"}, "count"),
        ({"type": "string", "count": 2, "order": "CDAB"}, "swapped"),
        ({"count": 2}, "string"),
        ({"bit_count": 2}, "needs bit"),
        ({"bit": 15, "bit_count": 2}, "no such bits"),
        ({"type": "bool", "bit": 1, "bit_count": 2}, "one bit"),
        ({"type": "f32", "order": "ABCD", "bit": 1}, "taken from"),
        ({"table": "coil", "type": "bool", "bit": 1}, "taken from"),
    ],
)
def test_a_tag_that_cannot_be_read_is_refused(
    given_: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        tag(**given_)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "press"},
        {"url": "tcp://"},
        {"url": "tcp://press:0"},
        {"url": "tcp://press:99999"},
        {"url": "tcp://press/1"},
        {"url": "rtu://ttyS0"},
        {"url": "rtu:///dev/ttyS0?baud=fast"},
        {"url": "rtu:///dev/ttyS0?parity=X"},
        {"url": "rtu:///dev/ttyS0?stop=3"},
        {"url": "rtu:///dev/ttyS0?speed=9600"},
        {"url": "udp://press"},
        {"poll_s": 0},
        {"max_registers": 126},
        {"retries": 3},
        {"forbid": ["200-"]},
        {"forbid": ["9-2"]},
        {"forbid": ["7/keeping/1"]},
        {"units": {7: {"brakes": 1}}},
        {"units": {300: {}}},
        {"blocks": {"hs": {"sentinel": {"address": 1}}}},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModbusSettings.model_validate({"url": "tcp://press", **wrong})


def test_a_url_says_where_and_how() -> None:
    assert parse_url("rtutcp://gw:4001").port == 4001
    there = parse_url("rtu:///dev/ttyUSB0?baud=38400&parity=O&stop=2")
    assert (there.device, there.line.baud) == ("/dev/ttyUSB0", 38_400)
    assert (there.line.parity, there.line.stop) == ("O", 2)


def test_every_number_has_a_format() -> None:
    assert {one.value[0] for one in FORMATS} == {"u", "i", "f"}
