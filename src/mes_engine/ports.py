"""What the engine needs from the world, as the engine would say it.

Implementations live in ``storage`` (the database), in ``modules`` (the embedded ledger)
and in ``mes_adapters`` (devices and other ERPs). An adapter package advertises one
:class:`AdapterSpec` under the entry-point group ``mes_engine.adapters``; nothing here
imports an implementation.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from mes_engine.core.samples import LinkReport, Sample

ENTRY_POINT_GROUP = "mes_engine.adapters"

Emit = Callable[[Sample | LinkReport], Awaitable[None]]
"""Take what a link heard. Awaiting it is the back-pressure: a full inbox slows it."""


class Link(Protocol):
    """One connection to a device, for one life of it."""

    async def run(self, emit: Emit) -> None:
        """Connect, then emit what the device says, in the order in which it says it.

        One ``LinkReport`` with ``LinkState.CONNECTED`` comes first, once the device
        really answers. The supervisor owns back-off and repeats: an implementation
        opens one connection, never reconnects by itself, and closes what it opened.

        Raises:
            SourceLost: The connection broke; running again reconnects.
            SourceMisconfigured: Running again would fail the same way.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """How ``bootstrap`` makes links of an adapter out of ``config/``.

    Attributes:
        name: The word after ``adapter:`` in a link's settings.
        settings: Checks ``links.<id>`` (without its ``adapter`` key).
        tag: Checks ``at`` of each tag that the link brings.
        open: Make the link from its id, its settings and its tags, by tag id. No I/O.
    """

    name: str
    settings: type[BaseModel]
    tag: type[BaseModel]
    open: Callable[[str, Any, Mapping[str, Any]], Link]
