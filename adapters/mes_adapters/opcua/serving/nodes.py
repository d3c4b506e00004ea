"""Put nodes into the address space of our server, each with its references."""

from collections.abc import Sequence
from typing import Any

from asyncua import Server, ua

from mes_adapters.opcua.ids import number_id

HAS_COMPONENT = number_id(ua.ObjectIds.HasComponent)
HAS_PROPERTY = number_id(ua.ObjectIds.HasProperty)
HAS_SUBTYPE = number_id(ua.ObjectIds.HasSubtype)
ORGANIZES = number_id(ua.ObjectIds.Organizes)
HAS_MODELLING_RULE = number_id(ua.ObjectIds.HasModellingRule)
MANDATORY = number_id(ua.ObjectIds.ModellingRule_Mandatory)
OPTIONAL = number_id(ua.ObjectIds.ModellingRule_Optional)
PROPERTY = number_id(ua.ObjectIds.PropertyType)
VARIABLE = number_id(ua.ObjectIds.BaseDataVariableType)
NULL = ua.NodeId()
READ_ONLY = ua.AccessLevel.CurrentRead.mask


class Nodes:
    """The address space of ``server``, while it is being made."""

    def __init__(self, server: Server) -> None:
        self._session = server.iserver.isession

    async def add(
        self,
        node: ua.NodeId,
        name: ua.QualifiedName,
        attributes: Any,
        *,
        parent: ua.NodeId = NULL,
        by: ua.NodeId = NULL,
        type_definition: ua.NodeId = NULL,
    ) -> ua.NodeId:
        """Add one node under ``parent``, by a reference of the type ``by``."""
        attributes.DisplayName = ua.LocalizedText(name.Name)
        item = ua.AddNodesItem(
            ParentNodeId=parent,
            ReferenceTypeId=by,
            RequestedNewNodeId=node,
            BrowseName=name,
            NodeClass=_CLASS_OF[type(attributes)],
            NodeAttributes=attributes,
            TypeDefinition=type_definition,
        )
        (result,) = await self._session.add_nodes([item])
        result.StatusCode.check()
        return node

    async def variable(
        self,
        node: ua.NodeId,
        name: ua.QualifiedName,
        kind: ua.NodeId,
        *,
        parent: ua.NodeId,
        value: ua.Variant | None = None,
        is_array: bool = False,
        is_property: bool = False,
        type_definition: ua.NodeId | None = None,
    ) -> ua.NodeId:
        """Add a variable or property that others may read."""
        attributes = ua.VariableAttributes(
            Value=value or ua.Variant(None, ua.VariantType.Null),
            DataType=kind,
            ValueRank=ua.ValueRank.OneDimension if is_array else ua.ValueRank.Scalar,
            ArrayDimensions=[ua.UInt32(0)] if is_array else [],
            AccessLevel=ua.Byte(READ_ONLY),
            UserAccessLevel=ua.Byte(READ_ONLY),
            Historizing=False,
        )
        return await self.add(
            node,
            name,
            attributes,
            parent=parent,
            by=HAS_PROPERTY if is_property else HAS_COMPONENT,
            type_definition=type_definition or (PROPERTY if is_property else VARIABLE),
        )

    async def refer(
        self, source: ua.NodeId, by: ua.NodeId, target: ua.NodeId, *, both: bool = False
    ) -> None:
        """Add a reference; to ``both`` ends, so that it is seen from each."""
        items = [_reference(source, by, target, is_forward=True)]
        if both:
            items.append(_reference(target, by, source, is_forward=False))
        for status in await self._session.add_references(items):
            status.check()

    async def rule(self, node: ua.NodeId, *, is_optional: bool) -> None:
        """Say whether each instance of a type has ``node``."""
        target = OPTIONAL if is_optional else MANDATORY
        await self.refer(node, HAS_MODELLING_RULE, target)

    async def define(self, node: ua.NodeId, definition: ua.StructureDefinition) -> None:
        """Say what a structured data type consists of."""
        write = ua.WriteValue(
            NodeId=node,
            AttributeId=ua.AttributeIds.DataTypeDefinition,
            Value=ua.DataValue(ua.Variant(definition, ua.VariantType.ExtensionObject)),
        )
        statuses: Sequence[ua.StatusCode] = await self._session.write(
            ua.WriteParameters(NodesToWrite=[write])
        )
        statuses[0].check()


def _reference(
    source: ua.NodeId, by: ua.NodeId, target: ua.NodeId, *, is_forward: bool
) -> ua.AddReferencesItem:
    return ua.AddReferencesItem(
        SourceNodeId=source,
        ReferenceTypeId=by,
        IsForward=is_forward,
        TargetNodeId=target,
        TargetNodeClass=ua.NodeClass.Unspecified,
    )


_CLASS_OF = {
    ua.ObjectAttributes: ua.NodeClass.Object,
    ua.ObjectTypeAttributes: ua.NodeClass.ObjectType,
    ua.VariableAttributes: ua.NodeClass.Variable,
    ua.MethodAttributes: ua.NodeClass.Method,
    ua.DataTypeAttributes: ua.NodeClass.DataType,
}
