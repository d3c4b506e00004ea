"""Look around in a server's address space."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua

from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.mapping import browse_path, node_id
from mes_adapters.opcua.settings import OpcUaPlace

HIERARCHICAL = number_id(ua.ObjectIds.HierarchicalReferences)
HAS_SUBTYPE = number_id(ua.ObjectIds.HasSubtype)
OBJECTS = number_id(ua.ObjectIds.ObjectsFolder)
MOST_NODES = 20_000
"""A server that has more is not searched further."""


@dataclass(frozen=True, slots=True)
class Found:
    """A node that another refers to."""

    node: ua.NodeId
    name: ua.QualifiedName
    kind: ua.NodeClass
    type_definition: ua.NodeId


async def children(
    connection: Connection, node: ua.NodeId, by: ua.NodeId = HIERARCHICAL
) -> list[Found]:
    """Return what ``node`` refers to, by references of the type ``by``."""
    description = ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=by,
        IncludeSubtypes=True,
        NodeClassMask=ua.UInt32(0),
        ResultMask=ua.UInt32(ua.BrowseResultMask.All),
    )
    asked = ua.BrowseParameters(NodesToBrowse=[description])
    async with connection.asking():
        (result,) = await connection.session.browse(asked)
        references = list(result.References or ())
        while result.ContinuationPoint:
            more = ua.BrowseNextParameters(
                ReleaseContinuationPoints=False,
                ContinuationPoints=[result.ContinuationPoint],
            )
            (result,) = await connection.session.browse_next(more)
            references += result.References or ()
    return [
        Found(
            node=one.NodeId,
            name=one.BrowseName,
            kind=one.NodeClass,
            type_definition=one.TypeDefinition,
        )
        for one in references
        if not getattr(one.NodeId, "ServerIndex", 0)  # of this server
    ]


async def subtypes(connection: Connection, type_id: ua.NodeId) -> set[ua.NodeId]:
    """Return a type and all that are derived from it."""
    found = {type_id}
    to_ask = [type_id]
    while to_ask:
        for one in await children(connection, to_ask.pop(), HAS_SUBTYPE):
            if one.node not in found:
                found.add(one.node)
                to_ask.append(one.node)
    return found


async def first_of_type(
    connection: Connection, types: Sequence[ua.NodeId] | set[ua.NodeId]
) -> ua.NodeId | None:
    """Return the first object under Objects that is of one of the types."""
    seen: set[ua.NodeId] = {OBJECTS}
    to_ask = [OBJECTS]
    while to_ask and len(seen) < MOST_NODES:
        for one in await children(connection, to_ask.pop(0)):
            if one.kind is not ua.NodeClass.Object or one.node in seen:
                continue
            if one.type_definition in types:
                return one.node
            seen.add(one.node)
            if one.node != number_id(ua.ObjectIds.Server):
                to_ask.append(one.node)
    return None


async def find_node(connection: Connection, place: OpcUaPlace) -> ua.NodeId | None:
    """Return the node at a place that the settings name; None if it is not there."""
    if place.path is None:
        return node_id(place, connection.namespaces)
    path = browse_path(place, connection.namespaces)
    if path is None:
        return None
    async with connection.asking():
        asked = [path]
        (result,) = await connection.session.translate_browsepaths_to_nodeids(asked)
    if not result.Targets:
        return None
    there = result.Targets[0].TargetId
    return ua.NodeId(there.Identifier, there.NamespaceIndex, there.NodeIdType)
