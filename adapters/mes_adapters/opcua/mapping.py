"""From what OPC UA says to samples, and back. Pure: no network, no clock.

Terms and bits are those of OPC UA Part 4 (7.39, StatusCode) and Part 8.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from asyncua import ua

from mes_adapters.opcua.settings import OpcUaPlace
from mes_engine.core.samples import Origin, Quality, Sample

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_TEXT = 4096
LAST_SEQUENCE = 2**32 - 1

SEVERITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)
INFO_TYPE_MASK, INFO_TYPE_DATA_VALUE, OVERFLOW = 0x0C00, 0x0400, 0x0080

STEP = re.compile(r"/(?:0:|\{([^{}]+)\})?([^/{}]+)")

GONE = frozenset(
    {
        ua.StatusCodes.BadNodeIdUnknown,
        ua.StatusCodes.BadNodeIdInvalid,
        ua.StatusCodes.BadAttributeIdInvalid,
    }
)
"""The node is not there: silence for ever, unless it is asked for again."""


def node_id(tag: OpcUaPlace, namespaces: Sequence[str]) -> ua.NodeId | None:
    """Return the node of ``tag`` on a server with ``namespaces``.

    Returns:
        None if the server does not know the namespace, or no node can have that id.
    """
    if tag.ns is None or tag.ns not in namespaces:
        return None
    try:
        return ua.NodeId.from_string(f"ns={namespaces.index(tag.ns)};{tag.id}")
    except (ua.UaError, ValueError):
        return None


def browse_path(tag: OpcUaPlace, namespaces: Sequence[str]) -> ua.BrowsePath | None:
    """Return the way to ``tag`` from the root, for a server with ``namespaces``.

    Returns:
        None if the server does not know one of the namespaces.
    """
    path = ua.BrowsePath()
    path.StartingNode = ua.NodeId.from_string(f"i={ua.ObjectIds.RootFolder}")
    for uri, name in STEP.findall(tag.path or ""):
        if uri and uri not in namespaces:
            return None
        step = step_to(namespaces.index(uri) if uri else 0, name)
        path.RelativePath.Elements.append(step)
    return path


def step_to(index: int, name: str) -> ua.RelativePathElement:
    """Return the step down to ``<index>:<name>``."""
    step = ua.RelativePathElement()
    step.ReferenceTypeId = ua.NodeId.from_string(
        f"i={ua.ObjectIds.HierarchicalReferences}"
    )
    step.IsInverse = False  # type: ignore[assignment]  # asyncua begins with True
    step.IncludeSubtypes = True  # type: ignore[assignment]
    step.TargetName = ua.QualifiedName(name, ua.UInt16(index))
    return step


def to_sample(
    tag: str, data: ua.DataValue, *, received_at: int, origin: Origin = Origin.LIVE
) -> Sample:
    """Return what ``data`` says of ``tag``.

    The value of a bad sample is dropped: devices send 0 along with bad quality, which
    would look like a counter that was reset. A value that is no single boolean, finite
    number or short text is bad.
    """
    code = 0 if data.StatusCode is None else data.StatusCode.value
    quality = SEVERITIES[code >> 30]
    value = None if data.Value is None else _plain(data.Value.Value)
    if value is None or quality is Quality.BAD:
        value, quality = None, Quality.BAD
    return Sample(
        tag=tag,
        value=value,
        quality=quality,
        source_at=to_micros(data.SourceTimestamp),
        received_at=received_at,
        overflow=has_overflow(code),
        origin=origin,
    )


def bad_sample(tag: str, *, received_at: int) -> Sample:
    """Return what is known of a tag whose node is not there."""
    return Sample(
        tag=tag,
        value=None,
        quality=Quality.BAD,
        source_at=None,
        received_at=received_at,
    )


def is_gone(data: ua.DataValue) -> bool:
    """Whether the server says that the node itself is no longer there."""
    return data.StatusCode is not None and data.StatusCode.value in GONE


def has_overflow(code: int) -> bool:
    """Whether status ``code`` says that values before this one were dropped.

    Example:
        >>> has_overflow(0x480), has_overflow(0x80), has_overflow(0)
        (True, False, False)
    """
    return code & INFO_TYPE_MASK == INFO_TYPE_DATA_VALUE and bool(code & OVERFLOW)


def to_micros(at: datetime | None) -> int | None:
    """Return ``at`` in microseconds of UTC; None where a device has no real clock."""
    if at is None:
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    micros = (aware - EPOCH) // MICROSECOND
    return micros if micros > 0 else None


def to_datetime(micros: int) -> datetime:
    """Return the time of ``micros``, exactly."""
    return EPOCH + micros * MICROSECOND


def sequences_between(last: int, sequence: int, *, most: int) -> list[int] | None:
    """Return the numbers after ``last`` and before ``sequence``.

    Returns:
        None if there are more than ``most``: the server has begun to count anew.

    Example:
        >>> sequences_between(4, 7, most=9), sequences_between(7, 4, most=9)
        ([5, 6], None)
    """
    numbers: list[int] = []
    while (number := next_sequence(numbers[-1] if numbers else last)) != sequence:
        if len(numbers) == most:
            return None
        numbers.append(number)
    return numbers


def next_sequence(sequence: int) -> int:
    """Return the number of the notification after ``sequence``; 0 is left out."""
    return 1 if sequence >= LAST_SEQUENCE else sequence + 1


def in_chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in lists of at most ``size``."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _plain(value: Any) -> bool | int | float | str | None:
    match value:
        case bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return value if len(value) <= LONGEST_TEXT else None
        case _:
            return None
