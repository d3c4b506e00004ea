"""Devices: the link that is named is written to, and no other."""

import pytest

from mes_engine.core.errors import NotFound, SourceLost
from mes_engine.ports import Devices, Emit, Link, WriteResult
from mes_engine.runtime.devices import LinkDevices
from tests.runtime.builders import NOW


class ReadOnlyLink:
    """Brings values, and takes none."""

    async def run(self, emit: Emit) -> None:
        """Say nothing."""


class WritableLink(ReadOnlyLink):
    """Holds what was written to it last, if it is connected."""

    def __init__(self, *, is_connected: bool = True) -> None:
        self.is_connected = is_connected
        self.held: dict[str, bool | float | str] = {}
        self.expected: list[bool | float | str | None] = []

    async def write(
        self,
        tag: str,
        value: bool | float | str,  # noqa: FBT001
        *,
        expect: bool | float | str | None = None,
    ) -> WriteResult:
        """Keep it."""
        if not self.is_connected:
            raise SourceLost(f"{tag} is not connected.")
        self.held[tag] = value
        self.expected.append(expect)
        return WriteResult(tag=tag, value=value, at=NOW, is_verified=True)


def devices(**links: Link) -> Devices:
    return LinkDevices(links)


async def test_a_write_goes_to_its_link_with_what_it_expects() -> None:
    cell, line = WritableLink(), WritableLink()
    result = await devices(cell=cell, line=line).write("line", "ack", 1, expect=0)
    assert (result.value, result.is_verified) == (1, True)
    assert (cell.held, line.held, line.expected) == ({}, {"ack": 1}, [0])


async def test_an_unknown_link_is_not_found_and_the_known_ones_are_named() -> None:
    with pytest.raises(NotFound, match=r"no link 'lime'\. Known: cell, line"):
        await devices(cell=WritableLink(), line=WritableLink()).write("lime", "ack", 1)


async def test_nothing_is_written_over_a_link_that_only_brings_values() -> None:
    with pytest.raises(NotFound, match="Nothing can be written over link 'cell'"):
        await devices(cell=ReadOnlyLink()).write("cell", "ack", 1)


async def test_what_the_link_raises_is_passed_on() -> None:
    with pytest.raises(SourceLost, match="not connected"):
        await devices(cell=WritableLink(is_connected=False)).write("cell", "ack", 1)
