"""A kind of messages, as it was found on a server; what of it is asked for, and read.

Pure: no network, no clock. A message is a list of values, in the order of the columns
that were asked for: those that all have, those of conditions, and the declared fields.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncua import ua

from mes_adapters.opcua.ids import browse_name, number_id
from mes_adapters.opcua.mapping import LONGEST_TEXT, to_micros
from mes_adapters.opcua.settings import EventSettings
from mes_engine.core.samples import EventSample, Origin

BASE = number_id(ua.ObjectIds.BaseEventType)
CONDITION = number_id(ua.ObjectIds.ConditionType)
OVERFLOWED = number_id(ua.ObjectIds.EventQueueOverflowEventType)
REFRESH_BEGINS = number_id(ua.ObjectIds.RefreshStartEventType)
REFRESH_ENDS = number_id(ua.ObjectIds.RefreshEndEventType)
REFRESH_WANTED = number_id(ua.ObjectIds.RefreshRequiredEventType)
ABOUT_CONDITIONS = (REFRESH_BEGINS, REFRESH_ENDS, REFRESH_WANTED)
NOTICES = frozenset({OVERFLOWED, *ABOUT_CONDITIONS})
"""What a server says of its messages; none of them is the machine's."""

OF_ALL = ("EventId", "EventType", "Time", "Severity", "Message")
OF_CONDITIONS = ("", "BranchId", "Retain")
"""The first is the condition itself: it has no name, and the attribute NodeId."""

Way = tuple[tuple[int, str], ...]
"""From a type to one of its fields: namespace index and name, step by step."""

Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """A kind of messages on a server.

    Attributes:
        notifier: The node that tells them.
        type_id: The type that they are of.
        fields: The declared fields, with the ways to them.
        is_condition: They are states of something, and are told anew when asked.
        has_history: The notifier keeps what it told.
    """

    notifier: ua.NodeId
    type_id: ua.NodeId
    fields: tuple[tuple[str, Way], ...]
    is_condition: bool
    has_history: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A message, read.

    Attributes:
        is_retained: What it is a state of is worth being told of, still.
    """

    sample: EventSample
    is_retained: bool


def filter_of(
    found: FoundEvent,
    severity_min: int | None,
    *,
    is_past: bool = False,
    is_of_all: bool = False,
) -> ua.EventFilter:
    """Return what is asked of the server.

    Args:
        found: The kind of messages.
        severity_min: Less severe ones are left out.
        is_past: What the server has kept is asked for, without its notices.
        is_of_all: Everything is asked for, of a server that does not choose.
    """
    columns = [_column(BASE, ((0, name),)) for name in OF_ALL]
    if found.is_condition:
        columns += [
            _column(CONDITION, ((0, name),) if name else ()) for name in OF_CONDITIONS
        ]
    columns += [_column(found.type_id, way) for _, way in found.fields]
    return ua.EventFilter(
        SelectClauses=columns,
        WhereClause=ua.ContentFilter()
        if is_of_all
        else _where(found, severity_min, has_notices=not is_past),
    )


def read_event(
    kind: str,
    settings: EventSettings,
    found: FoundEvent,
    values: Sequence[ua.Variant],
    *,
    namespaces: Sequence[str],
    received_at: int,
    origin: Origin,
) -> Told:
    """Return what a message says.

    Raises:
        ValueError: It has other columns than were asked for.
    """
    names = [*OF_ALL, *(OF_CONDITIONS if found.is_condition else ())]
    if len(values) != len(names) + len(found.fields):
        raise ValueError(f"a message has {len(values)} columns")
    plain = [one.Value for one in values]
    column = dict(zip(names, plain, strict=False))
    declared = zip(found.fields, plain[len(names) :], strict=True)
    fields = {name: to_plain(value, namespaces) for (name, _), value in declared}
    key = to_plain(column["EventId"], namespaces)
    if settings.key is not None:
        key = fields[settings.key]
    severity, at = column["Severity"], column["Time"]
    condition = "/".join(
        str(to_plain(column[name], namespaces))
        for name in ("", "BranchId")
        if not _is_nothing(column.get(name))
    )
    return Told(
        sample=EventSample(
            kind=kind,
            key="" if key is None else str(key),
            fields=fields,
            severity=severity if isinstance(severity, int) else 0,
            text=str(to_plain(column["Message"], namespaces) or ""),
            condition=condition,
            source_at=to_micros(at) if isinstance(at, datetime) else None,
            received_at=received_at,
            origin=origin,
        ),
        is_retained=column.get("Retain") is True,
    )


def type_of(values: Sequence[ua.Variant]) -> object:
    """Return the type that a message is of."""
    return values[1].Value if len(values) > 1 else None


def severity_of(values: Sequence[ua.Variant]) -> int:
    """Return how severe a message is; 0 if it does not say."""
    column = OF_ALL.index("Severity")
    value = values[column].Value if len(values) > column else None
    return value if isinstance(value, int) else 0


def event_id(values: Sequence[ua.Variant]) -> bytes:
    """Return the id that the server has given a message; empty if it has none."""
    first = values[0].Value if values else None
    return bytes(first) if isinstance(first, bytes) else b""


def to_plain(value: object, namespaces: Sequence[str]) -> Value:
    r"""Return a value as messages have it; None for what is not a single, small one.

    Example:
        >>> to_plain(b"\x01\xff", ()), to_plain([1, 2], ())
        ('01ff', None)
    """
    match value:
        case bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return value if len(value) <= LONGEST_TEXT else None
        case bytes():
            return value.hex() if len(value) <= LONGEST_TEXT // 2 else None
        case ua.LocalizedText():
            return to_plain(value.Text, namespaces)
        case ua.NodeId():
            return node_text(value, namespaces)
        case ua.QualifiedName():
            return to_plain(value.Name, namespaces)
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
    return None


def node_text(node: ua.NodeId, namespaces: Sequence[str]) -> str:
    """Return a node's id with its namespace's name: an index changes between starts."""
    index = node.NamespaceIndex
    own = node.to_string().rpartition(f"ns={index};")[2]
    if not index:
        return own
    uri = namespaces[index] if index < len(namespaces) else str(index)
    return f"nsu={uri};{own}"


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, ua.NodeId) and value.is_null())


def _column(type_id: ua.NodeId, way: Way) -> ua.SimpleAttributeOperand:
    attribute = ua.AttributeIds.Value if way else ua.AttributeIds.NodeId
    return ua.SimpleAttributeOperand(
        TypeDefinitionId=type_id,
        BrowsePath=[browse_name(name, index) for index, name in way],
        AttributeId=ua.UInt32(attribute),
    )


def _where(
    found: FoundEvent, severity_min: int | None, *, has_notices: bool
) -> ua.ContentFilter:
    """Ask for the type, and for what the server has to say about its messages.

    A tree, laid out with its root first: each element names those below it by number.
    """
    also = (OVERFLOWED, *(ABOUT_CONDITIONS if found.is_condition else ()))
    elements: list[ua.ContentFilterElement] = []

    def put(operator: ua.FilterOperator, *operands: object) -> None:
        elements.append(
            ua.ContentFilterElement(
                FilterOperator=operator,
                FilterOperands=list(operands),
            )
        )

    def below(*numbers: int) -> tuple[ua.ElementOperand, ...]:
        return tuple(ua.ElementOperand(Index=ua.UInt32(one)) for one in numbers)

    def of_type(node: ua.NodeId) -> ua.LiteralOperand:
        return ua.LiteralOperand(Value=ua.Variant(node, ua.VariantType.NodeId))

    for other in also if has_notices else ():
        # Each "or" joins one of them with all that follows.
        put(ua.FilterOperator.Or, *below(len(elements) + 1, len(elements) + 2))
        put(ua.FilterOperator.OfType, of_type(other))
    if severity_min is not None:
        last = len(elements)
        put(ua.FilterOperator.And, *below(last + 1, last + 2))
        put(
            ua.FilterOperator.GreaterThanOrEqual,
            _column(BASE, ((0, "Severity"),)),
            ua.LiteralOperand(Value=ua.Variant(severity_min, ua.VariantType.UInt16)),
        )
    put(ua.FilterOperator.OfType, of_type(found.type_id))
    return ua.ContentFilter(Elements=elements)
