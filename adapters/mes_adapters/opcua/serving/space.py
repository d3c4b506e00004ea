"""The address space of ISA-95 Job Control V2, built from our tables of its types."""

from collections.abc import Mapping
from dataclasses import dataclass

from asyncua import Server, ua

from mes_adapters.opcua.ids import browse_name, number_id, text_id
from mes_adapters.opcua.job_control import model
from mes_adapters.opcua.job_control.types import DECIMAL_STRINGS, NAMESPACE, STRUCTURES
from mes_adapters.opcua.serving.nodes import HAS_COMPONENT, HAS_SUBTYPE, PROPERTY, Nodes
from mes_adapters.opcua.structures import Field, Structure

_IDS = ua.ObjectIds
_BUILT_IN: Mapping[str, int] = {
    "BaseDataType": _IDS.BaseDataType,
    "DateTime": _IDS.DateTime,
    "EUInformation": _IDS.EUInformation,
    "Int16": _IDS.Int16,
    "LocalizedText": _IDS.LocalizedText,
    "RelativePath": _IDS.RelativePath,
    "String": _IDS.String,
    "UInt16": _IDS.UInt16,
    "UInt32": _IDS.UInt32,
    "UInt64": _IDS.UInt64,
}
_HAS_ENCODING = number_id(_IDS.HasEncoding)
_STRUCTURE = number_id(_IDS.Structure)
_CURRENT_STATE = number_id(_IDS.FiniteStateVariableType)


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of one of the types, with what it has, by name."""

    node: ua.NodeId
    variables: Mapping[str, ua.NodeId]
    methods: Mapping[str, ua.NodeId]


class Space:
    """The specification's namespace in our server.

    Attributes:
        index: Of the specification's namespace.
        own: Of the one that our own objects are in.
    """

    def __init__(self, server: Server, *, index: int, own: int) -> None:
        self.index = index
        self.own = own
        self.nodes = Nodes(server)

    @classmethod
    async def build(cls, server: Server, own_uri: str) -> "Space":
        """Add the namespaces and all types of the specification."""
        index = await server.register_namespace(NAMESPACE)
        space = cls(server, index=index, own=await server.register_namespace(own_uri))
        for structure in STRUCTURES.values():
            await space._add_structure(structure)
        for structure in STRUCTURES.values():  # some have a field of a later one
            await space.nodes.define(
                space.id(structure.type_id), space._definition(structure)
            )
        for kind in model.OBJECT_TYPES:
            await space._add_type(kind)
        for kind in model.OBJECT_TYPES:
            await space._connect(kind)
        return space

    def id(self, number: int) -> ua.NodeId:
        """Return the id of a node of the specification."""
        return number_id(number, self.index)

    def name(self, text: str) -> ua.QualifiedName:
        """Return a browse name of the specification."""
        return browse_name(text, self.index)

    def kind(self, name: str) -> ua.NodeId:
        """Return the data type of that name: a built-in one, or the specification's."""
        if name in STRUCTURES:
            return self.id(STRUCTURES[name].type_id)
        return number_id(_BUILT_IN[name])

    async def instance(
        self, kind: model.ObjectType, name: str, *, parent: ua.NodeId, notifies: bool
    ) -> Instance:
        """Add an object of the type ``kind``, and of the types that it is one of."""
        node = self._own(name)
        attributes = ua.ObjectAttributes(EventNotifier=ua.Byte(1 if notifies else 0))
        await self.nodes.add(
            node,
            browse_name(name, self.own),
            attributes,
            parent=parent,
            by=HAS_COMPONENT,
            type_definition=self.id(kind.id),
        )
        variables: dict[str, ua.NodeId] = {}
        methods: dict[str, ua.NodeId] = {}
        for one in self._with_bases(kind):
            for variable in one.variables:
                place = self._own(f"{name}.{variable.name}")
                variables[variable.name] = await self._add_variable(
                    variable, place, node
                )
            for method in one.methods:
                place = self._own(f"{name}.{method.name}")
                ends = tuple(
                    self._own(f"{name}.{method.name}.{end}") for end in ("in", "out")
                )
                await self._add_method(method, place, ends, node)
                methods[method.name] = place
            for below in one.substates:
                place = self._own(f"{name}.{below.name}")
                await self._add_substates(below, place, node)
        if _is_state_machine(kind):
            await self._add_current_state(self._own(f"{name}.CurrentState"), node)
        return Instance(node=node, variables=variables, methods=methods)

    def _own(self, text: str) -> ua.NodeId:
        return text_id(text, self.own)

    def _with_bases(self, kind: model.ObjectType) -> list[model.ObjectType]:
        by_id = {one.id: one for one in model.OBJECT_TYPES}
        found = [kind]
        while isinstance(found[-1].base, int):
            found.append(by_id[found[-1].base])
        return found

    async def _add_structure(self, structure: Structure) -> None:
        node = self.id(structure.type_id)
        await self.nodes.add(
            node,
            self.name(structure.name),
            ua.DataTypeAttributes(IsAbstract=False),
            parent=_STRUCTURE,
            by=HAS_SUBTYPE,
        )
        await self.nodes.add(
            self.id(structure.encoding_id),
            browse_name("Default Binary"),
            ua.ObjectAttributes(),
            parent=node,
            by=_HAS_ENCODING,
            type_definition=number_id(_IDS.DataTypeEncodingType),
        )

    def _definition(self, structure: Structure) -> ua.StructureDefinition:
        kind = (
            ua.StructureType.StructureWithOptionalFields
            if structure.has_mask
            else ua.StructureType.Structure
        )
        return ua.StructureDefinition(
            DefaultEncodingId=self.id(structure.encoding_id),
            BaseDataType=_STRUCTURE,
            StructureType=kind,
            Fields=[self._field(one) for one in structure.fields],
        )

    def _field(self, field: Field) -> ua.StructureField:
        kind = self.kind(field.kind)
        if field.name in DECIMAL_STRINGS:
            kind = number_id(_IDS.DecimalString)
        return ua.StructureField(
            Name=field.name,
            DataType=kind,
            ValueRank=ua.Int32(1 if field.is_array else -1),
            ArrayDimensions=[ua.UInt32(0)] if field.is_array else [],
            IsOptional=field.is_optional,
        )

    async def _add_type(self, kind: model.ObjectType) -> None:
        base = kind.base if isinstance(kind.base, ua.NodeId) else self.id(kind.base)
        node = await self.nodes.add(
            self.id(kind.id),
            self.name(kind.name),
            ua.ObjectTypeAttributes(IsAbstract=kind.is_abstract),
            parent=base,
            by=HAS_SUBTYPE,
        )
        for variable in kind.variables:
            place = await self._add_variable(variable, self.id(variable.id), node)
            await self.nodes.rule(place, is_optional=variable.is_optional)
        for method in kind.methods:
            ends = (self.id(method.inputs_id), self.id(method.outputs_id))
            place = await self._add_method(method, self.id(method.id), ends, node)
            await self.nodes.rule(place, is_optional=method.is_optional)
            for end in ends:
                await self.nodes.rule(end, is_optional=False)
        for state in kind.states:
            await self._add_numbered(state, "StateNumber", _IDS.StateType, node)
        for way in kind.transitions:
            await self._add_numbered(way, "TransitionNumber", _IDS.TransitionType, node)

    async def _connect(self, kind: model.ObjectType) -> None:
        """Add the references between what is there by now."""
        for way in kind.transitions:
            refer = self.nodes.refer
            place = self.id(way.id)
            ends = ((_IDS.FromState, way.source), (_IDS.ToState, way.target))
            for kind_of_end, end in ends:
                await refer(place, number_id(kind_of_end), self.id(end), both=True)
            if way.cause is not None:
                cause = self.id(way.cause)
                await refer(place, number_id(_IDS.HasCause), cause, both=True)
            if way.has_effect:
                effect = self.id(model.STATUS_EVENT)
                await refer(place, number_id(_IDS.HasEffect), effect, both=True)
        for below in kind.substates:
            place, value = self.id(below.id), self.id(below.current_value_id)
            current = self.id(below.current_id)
            await self._add_substates(
                below, place, self.id(kind.id), current=current, value=value
            )
            await self.nodes.rule(place, is_optional=True)
            await self.nodes.rule(current, is_optional=False)
            await self.nodes.rule(value, is_optional=False)
            by = number_id(_IDS.HasSubStateMachine)
            await self.nodes.refer(self.id(below.of), by, place, both=True)
        if kind.generates is not None:
            by = number_id(_IDS.GeneratesEvent)
            event = self.id(kind.generates)
            await self.nodes.refer(self.id(kind.id), by, event, both=True)

    async def _add_variable(
        self, variable: model.Variable, node: ua.NodeId, parent: ua.NodeId
    ) -> ua.NodeId:
        return await self.nodes.variable(
            node,
            self.name(variable.name),
            self.kind(variable.kind),
            parent=parent,
            is_array=variable.is_array,
            is_property=variable.is_property,
        )

    async def _add_method(
        self,
        method: model.Method,
        node: ua.NodeId,
        ends: tuple[ua.NodeId, ...],
        parent: ua.NodeId,
    ) -> ua.NodeId:
        await self.nodes.add(
            node,
            self.name(method.name),
            ua.MethodAttributes(Executable=True, UserExecutable=True),
            parent=parent,
            by=HAS_COMPONENT,
        )
        told = (("InputArguments", method.inputs), ("OutputArguments", method.outputs))
        for end, (name, arguments) in zip(ends, told, strict=True):
            value = [
                ua.Argument(
                    Name=one.name,
                    DataType=self.kind(one.kind),
                    ValueRank=ua.Int32(1 if one.is_array else -1),
                    ArrayDimensions=[ua.UInt32(0)] if one.is_array else [],
                )
                for one in arguments
            ]
            await self.nodes.variable(
                end,
                browse_name(name),
                number_id(_IDS.Argument),
                parent=node,
                value=ua.Variant(value, ua.VariantType.ExtensionObject),
                is_array=True,
                is_property=True,
            )
        return node

    async def _add_numbered(
        self,
        one: model.State | model.Transition,
        property_name: str,
        type_id: int,
        parent: ua.NodeId,
    ) -> None:
        node = await self.nodes.add(
            self.id(one.id),
            self.name(one.name),
            ua.ObjectAttributes(),
            parent=parent,
            by=HAS_COMPONENT,
            type_definition=number_id(type_id),
        )
        place = await self.nodes.variable(
            self.id(one.number_id),
            browse_name(property_name),
            number_id(_IDS.UInt32),
            parent=node,
            value=ua.Variant(ua.UInt32(one.number), ua.VariantType.UInt32),
            is_property=True,
        )
        await self.nodes.rule(place, is_optional=False)

    async def _add_substates(
        self,
        below: model.Substates,
        node: ua.NodeId,
        parent: ua.NodeId,
        *,
        current: ua.NodeId | None = None,
        value: ua.NodeId | None = None,
    ) -> None:
        await self.nodes.add(
            node,
            self.name(below.name),
            ua.ObjectAttributes(),
            parent=parent,
            by=HAS_COMPONENT,
            type_definition=self.id(below.type_id),
        )
        if current is None:
            current = self._own(f"{node.Identifier!s}.CurrentState")
        await self._add_current_state(current, node, value=value)

    async def _add_current_state(
        self, node: ua.NodeId, parent: ua.NodeId, *, value: ua.NodeId | None = None
    ) -> None:
        """Add the state of a machine that only describes those of job orders."""
        await self.nodes.variable(
            node,
            browse_name("CurrentState"),
            number_id(_IDS.LocalizedText),
            parent=parent,
            type_definition=_CURRENT_STATE,
        )
        await self.nodes.variable(
            value or self._own(f"{node.Identifier!s}.Id"),
            browse_name("Id"),
            number_id(_IDS.NodeId),
            parent=node,
            is_property=True,
            type_definition=PROPERTY,
        )


def _is_state_machine(kind: model.ObjectType) -> bool:
    return bool(kind.states)
