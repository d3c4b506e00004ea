"""Look for what is to be listened for in a server's address space."""

from dataclasses import dataclass

from asyncua import ua

from mes_adapters.opcua.browsing import HAS_SUBTYPE, find_node
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.mapping import STEP, step_to
from mes_adapters.opcua.messages import BASE, CONDITION, FoundEvent, Way
from mes_adapters.opcua.settings import EventSettings

SERVER = number_id(ua.ObjectIds.Server)
TELLS_EVENTS, KEEPS_EVENTS = 1, 4
"""Bits of a node's EventNotifier (OPC UA Part 3, 5.4.2)."""
DEEPEST = 50
"""Types are not derived further than that."""


@dataclass(frozen=True, slots=True)
class NotThere:
    """Why something cannot be listened for."""

    reason: str


async def find_event(
    connection: Connection, settings: EventSettings
) -> FoundEvent | NotThere:
    """Return where the messages are on this server, or what is not there of them."""
    place = settings.notifier
    notifier = SERVER if place is None else await find_node(connection, place)
    if notifier is None:
        return NotThere(f"there is no node {place}")
    bits = await _notifier_bits(connection, notifier)
    if not bits & TELLS_EVENTS:
        return NotThere(f"{place or 'Server'} tells no events")
    type_id = await find_node(connection, settings.type)
    if type_id is None:
        return NotThere(f"there is no type {settings.type}")
    types = await derived_from(connection, type_id)
    if types is None:
        return NotThere(f"{settings.type} is no type of events")
    fields: list[tuple[str, Way]] = []
    for name, text in settings.fields.items():
        way = _way(text, connection)
        if way is None or not await _has(connection, types, way):
            return NotThere(f"{settings.type} has no field {text}")
        fields.append((name, way))
    return FoundEvent(
        notifier=notifier,
        type_id=type_id,
        fields=tuple(fields),
        is_condition=CONDITION in types,
        has_history=bool(bits & KEEPS_EVENTS),
    )


async def _notifier_bits(connection: Connection, node: ua.NodeId) -> int:
    async with connection.asking():
        (data,) = await connection.session.read_attributes(
            [node], ua.AttributeIds.EventNotifier
        )
    value = None if data.Value is None else data.Value.Value
    return value if isinstance(value, int) else 0


async def derived_from(
    connection: Connection, type_id: ua.NodeId
) -> list[ua.NodeId] | None:
    """Return a type and those that it is derived from; None if it is of no events."""
    types = [type_id]
    while types[-1] != BASE:
        above = ua.BrowseDescription(
            NodeId=types[-1],
            BrowseDirection=ua.BrowseDirection.Inverse,
            ReferenceTypeId=HAS_SUBTYPE,
            IncludeSubtypes=True,
            NodeClassMask=ua.UInt32(0),
            ResultMask=ua.UInt32(ua.BrowseResultMask.All),
        )
        async with connection.asking():
            (result,) = await connection.session.browse(
                ua.BrowseParameters(NodesToBrowse=[above])
            )
        found = [one.NodeId for one in result.References or ()]
        if not found or len(types) > DEEPEST:
            return None
        types.append(found[0])
    return types


def _way(text: str, connection: Connection) -> Way | None:
    way: list[tuple[int, str]] = []
    for uri, name in STEP.findall(f"/{text}"):
        if uri and uri not in connection.namespaces:
            return None
        way.append((list(connection.namespaces).index(uri) if uri else 0, name))
    return tuple(way)


async def _has(connection: Connection, types: list[ua.NodeId], way: Way) -> bool:
    """Whether one of the types declares the field."""
    paths = []
    for type_id in types:
        path = ua.BrowsePath(StartingNode=type_id)
        path.RelativePath.Elements = [step_to(index, name) for index, name in way]
        paths.append(path)
    async with connection.asking():
        results = []
        for one in paths:  # whoever takes one path a call would refuse more
            results += await connection.session.translate_browsepaths_to_nodeids([one])
    return any(result.Targets and result.StatusCode.is_good() for result in results)
