"""Frames: whole, half, broken; and which answer fits which question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from mes_adapters.modbus.tags import Table
from mes_adapters.modbus.wire import (
    Frame,
    Partial,
    Question,
    asking,
    crc,
    fits,
    from_rtu,
    from_tcp,
    setting_coil,
    setting_registers,
    to_rtu,
    to_tcp,
)

registers = st.lists(st.integers(0, 65_535), min_size=1, max_size=125)


def answer_to(question: Question, words: list[int]) -> bytes:
    data = b"".join(word.to_bytes(2, "big") for word in words)
    return bytes([question.function, len(data)]) + data


@given(words=registers, unit=st.integers(0, 255), cut=st.integers(1, 300))
def test_an_answer_is_taken_whole_and_never_half(
    words: list[int], unit: int, cut: int
) -> None:
    question = asking(unit, Table.HOLDING, 0, len(words))
    pdu = answer_to(question, words)
    serial = bytes([unit]) + pdu
    serial += crc(serial)
    assert from_rtu(serial + b"rest") == Frame(unit, pdu, len(serial))
    assert from_rtu(serial[: min(cut, len(serial) - 1)]) is Partial.MORE
    tcp = to_tcp(Question(unit, pdu, (0, 0)), 77)
    assert from_tcp(tcp + b"rest") == Frame(unit, pdu, len(tcp), 77)
    assert from_tcp(tcp[: min(cut, len(tcp) - 1)]) is Partial.MORE
    assert fits(question, unit, pdu)


@given(data=st.binary(max_size=200))
def test_our_checksum_is_pymodbuss(data: bytes) -> None:
    assert crc(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@given(
    words=registers,
    at=st.integers(0, 1000),
    flip=st.integers(1, 255),
)
def test_a_serial_answer_with_one_wrong_byte_is_never_believed(
    words: list[int], at: int, flip: int
) -> None:
    question = asking(1, Table.HOLDING, 0, len(words))
    whole = bytes([1]) + answer_to(question, words)
    whole += crc(whole)
    at %= len(whole)
    broken = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
    found = from_rtu(broken)
    assert not isinstance(found, Frame) or not fits(question, found.unit, found.pdu)


@pytest.mark.parametrize(
    "raw", ["00 01 00 07", "00 01 00 00 01", "00 01 00 00 00 01 01"]
)
def test_what_is_no_tcp_frame_is_noise(raw: str) -> None:
    assert from_tcp(bytes.fromhex(raw)) is Partial.NOISE


def test_what_is_no_function_is_noise() -> None:
    assert from_rtu(bytes([1, 99, 0])) is Partial.NOISE


def test_an_answer_fits_by_unit_function_and_length() -> None:
    question = asking(3, Table.INPUT, 10, 2)
    right = bytes([4, 4, 0, 1, 0, 2])
    assert fits(question, 3, right)
    assert fits(question, 3, bytes([0x84, 2]))
    assert not fits(question, 2, right)
    assert not fits(question, 3, bytes([3, 4, 0, 1, 0, 2]))
    assert not fits(question, 3, bytes([4, 2, 0, 1]))
    assert not fits(question, 3, bytes([4, 5, 0, 1, 0, 2]))
    assert not fits(question, 3, b"")


def test_the_answer_to_a_write_repeats_it() -> None:
    one = setting_registers(1, 20, [7])
    many = setting_registers(1, 20, [7, 8])
    assert fits(one, 1, one.pdu)
    assert fits(many, 1, many.pdu[:5])
    assert not fits(one, 1, setting_registers(1, 21, [7]).pdu)
    assert not fits(one, 1, setting_registers(1, 20, [8]).pdu)
    assert setting_coil(1, 3, is_on=True).pdu == bytes([5, 0, 3, 0xFF, 0])
    assert to_rtu(one)[:2] == bytes([1, 6])
