"""The same values in every order, and a device that writes while it is read.

Scenarios 22 and 23, against stacks that are not ours.
"""

import asyncio
import struct
from typing import Any

import pytest

from mes_engine.conformance.hearing import Heard, supervised
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import STACKS, libmodbus, running_peer

ORDERS = {"ABCD": ">", "CDAB": ">", "BADC": "<", "DCBA": "<"}


def words(raw: bytes, order: str) -> list[int]:
    found = list(struct.unpack(f"{ORDERS[order]}{len(raw) // 2}H", raw))
    return found[::-1] if order in ("CDAB", "DCBA") else found


@pytest.mark.parametrize("stack", STACKS)
async def test_values_are_read_in_every_order(stack: str) -> None:
    tags: dict[str, dict[str, Any]] = {}
    expected: dict[str, Any] = {}
    with running_peer(stack) as peer:
        at = 0

        def put(name: str, raw: bytes, value: Any, **how: Any) -> None:
            nonlocal at
            order = how.get("order", "ABCD")
            peer.set(at, *words(raw, order))
            tags[name] = {"address": at, **how}
            expected[name] = value
            at += len(raw) // 2 + 3

        for order in ORDERS:
            how = {"order": order}
            count, total = 3_000_000_017, 2**50 + 3
            put(f"u32-{order}", struct.pack(">I", count), count, type="u32", **how)
            put(f"i32-{order}", struct.pack(">i", -70_000), -70_000, type="i32", **how)
            put(f"u64-{order}", struct.pack(">Q", total), total, type="u64", **how)
            put(f"f32-{order}", struct.pack(">f", 20.75), 20.75, type="f32", **how)
            put(f"f64-{order}", struct.pack(">d", -1e-9), -1e-9, type="f64", **how)
            raw = bytes.fromhex("12345678")
            put(f"bcd-{order}", raw, 12_345_678, type="bcd32", **how)
        put("i16", struct.pack(">h", -2), -2, type="i16")
        put("text", b"LOT-4711\0\0", "LOT-4711", type="string", count=5)
        swapped = {"type": "string", "count": 4, "order": "BADC"}
        put("swapped", b"LOT-4711", "LOT-4711", **swapped)
        put("bits", b"\x0a\xf0", 0xF, type="u16", bit=4, bit_count=4)
        url = f"tcp://127.0.0.1:{peer.port}"
        async with supervised(open_link(url, tags)) as heard:
            await heard.until(lambda h: len({s.tag for s in h.samples}) == len(tags))
    assert {sample.tag: sample.value for sample in heard.samples} == expected


async def torn_values(at: dict[str, Any], **settings: Any) -> list[int]:
    """Count in steps that change both words alike, so that half a value is seen.

    A busy machine may keep the device from its second word for longer than it is meant
    to take; the rest between two readings leaves room for that.
    """
    with libmodbus() as peer:
        peer.count(
            "made", 1000, every_s=0.5, torn_s=0.015, step=65_537, sequence_at=1002
        )
        tag = {"address": 1000, "type": "u32", "order": "ABCD", **at}
        url = f"tcp://127.0.0.1:{peer.port}"
        link = open_link(url, {"made": tag}, poll_s=0.011, torn_s=0.2, **settings)
        async with supervised(link) as heard:
            await heard.until(_has_many, within_s=25)
    return [count for count in heard.counts("made") if count % 65_537]


def _has_many(heard: Heard) -> bool:
    return len(set(heard.counts("made"))) >= 12


async def test_half_of_a_value_is_not_believed_if_read_twice() -> None:
    assert await torn_values({"read": "twice"}) == []


async def test_half_of_a_value_is_not_believed_under_a_sequence() -> None:
    blocks = {"counts": {"sequence": 1002}}
    assert await torn_values({"block": "counts"}, blocks=blocks) == []


async def test_this_device_does_tear_its_values() -> None:
    """Or the two tests above would say nothing."""
    assert await torn_values({}) != []


async def test_a_foreign_block_is_known_by_its_sentinel() -> None:
    blocks = {"hs": {"sentinel": {"address": 9, "value": 4711}}}
    with libmodbus() as peer:
        peer.set(5, 1)
        url = f"tcp://127.0.0.1:{peer.port}"
        tags: dict[str, dict[str, Any]] = {
            "req": {"address": 5, "block": "hs"},
            "other": {"address": 600},
        }
        async with supervised(open_link(url, tags, blocks=blocks)) as heard:
            await heard.until(lambda h: h.of("other"))
            await asyncio.sleep(0.3)
            assert heard.counts("req") == []
        peer.set(9, 4711)
        async with supervised(open_link(url, tags, blocks=blocks)) as heard:
            await heard.until(lambda h: h.last("req") == 1)
