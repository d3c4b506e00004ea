"""Our address space is the specification's: node by node, against its NodeSet."""

import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio
from asyncua import Server, ua

from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.job_control import model
from mes_adapters.opcua.job_control.types import NAMESPACE, STRUCTURES
from mes_adapters.opcua.serving.space import Instance, Space
from tests.adapters.opcua.nodeset import TYPES, UA, Said, job_control_nodes

NOT_OURS = ("Default XML", "Default JSON", "TypeDictionary", NAMESPACE)
"""Encodings that we do not speak, and the old way of describing types, deprecated."""

ATTRIBUTE = ua.AttributeIds
IS_OF, RULE = "i=40", "i=37"
"""HasTypeDefinition, which a type knows nothing of, and HasModellingRule."""
Reference = tuple[str, bool, str]


@dataclass
class Ours:
    """Our server, and an instance of the two types that it serves."""

    server: Server
    space: Space
    receiver: Instance
    responses: Instance

    def read(self, node: ua.NodeId, attribute: ua.AttributeIds) -> object:
        """What a client would read; None for what is not there."""
        found = self.server.iserver.aspace.read_attribute_value(node, attribute)
        return None if found.Value is None else found.Value.Value

    def text(self, node: ua.NodeId) -> str:
        """A node id as the NodeSet writes it."""
        if node.NamespaceIndex == self.space.index:
            return f"ns=1;i={node.Identifier!s}"
        return f"i={node.Identifier!s}"

    def references(self, node: ua.NodeId) -> set[Reference]:
        """Those of a node of the specification, to nodes that are not instances."""
        return {
            (self.text(one.ReferenceTypeId), one.IsForward, self.text(one.NodeId))
            for one in self.server.iserver.aspace[node].references
            if one.NodeId.NamespaceIndex != self.space.own
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours() -> AsyncIterator[Ours]:
    gc.disable()
    server = Server()
    await server.init()
    gc.enable()
    space = await Space.build(server, "urn:test:job-control")
    kinds = {one.id: one for one in model.OBJECT_TYPES}
    parent = number_id(ua.ObjectIds.ObjectsFolder)
    made = [
        await space.instance(kinds[kind], name, parent=parent, notifies=True)
        for kind, name in (
            (model.RECEIVER_WITH_SUBSTATES, "Control"),
            (model.RESPONSE_PROVIDER, "Results"),
        )
    ]
    yield Ours(server, space, *made)
    server.iserver.method_service.stop()


def spoken() -> dict[str, Said]:
    """The nodes that we are to have."""
    nodes = job_control_nodes()
    left_out = {
        name
        for name, said in nodes.items()
        if said.name.split(":", 1)[-1] in NOT_OURS or said.name in NOT_OURS
    }
    left_out |= {name for name, said in nodes.items() if _parent(said) in left_out}
    left_out |= {
        name  # a description of a structure in an old dictionary
        for name, said in nodes.items()
        if said.kind == "UAVariable" and _parent(said) in left_out
    }
    return {name: said for name, said in nodes.items() if name not in left_out}


def _parent(said: Said) -> str:
    return said.element.get("ParentNodeId", "")


def _our_id(ours: Ours, name: str) -> ua.NodeId:
    return ours.space.id(int(name.removeprefix("ns=1;i=")))


async def test_every_node_is_there_under_its_name_and_of_its_kind(ours: Ours) -> None:
    nodes = spoken()
    assert len(nodes) > 200
    for name, said in nodes.items():
        node = _our_id(ours, name)
        found = ours.read(node, ATTRIBUTE.BrowseName)
        assert isinstance(found, ua.QualifiedName), (name, said.name)
        prefix = "1:" if found.NamespaceIndex == ours.space.index else ""
        assert f"{prefix}{found.Name}" == said.name, name
        kind = ours.read(node, ATTRIBUTE.NodeClass)
        assert f"UA{ua.NodeClass(kind).name}" == said.kind, name  # type: ignore[arg-type]


async def test_every_reference_is_there_and_no_other(ours: Ours) -> None:
    nodes = spoken()
    everything: set[tuple[str, Reference]] = set()
    for name, said in nodes.items():
        for kind, is_forward, target in said.references():
            if target.startswith("ns=1;") and target not in nodes:
                continue
            everything.add((name, (kind, is_forward, target)))
            if target in nodes and kind != IS_OF:  # said at one end, meant at both
                everything.add((target, (kind, not is_forward, name)))
    found = {
        (name, reference)
        for name in nodes
        for reference in ours.references(_our_id(ours, name))
    }
    there = {one for one in everything if one[1][0] != RULE}
    assert there - found == set()
    assert {
        one for one in found if one[1][2].startswith("ns=1;") and one not in there
    } == set()
    rules = {one for one in everything if one[1][0] == RULE}
    assert {one for one in found if one[1][0] == RULE} == rules


async def test_every_structure_has_the_specifications_fields(ours: Ours) -> None:
    nodes = spoken()
    structures = {
        said.name.removeprefix("1:"): said
        for said in nodes.values()
        if said.kind == "UADataType"
    }
    assert structures.keys() == STRUCTURES.keys()
    for name, said in structures.items():
        node = _our_id(ours, said.id)
        definition = ours.read(node, ATTRIBUTE.DataTypeDefinition)
        assert isinstance(definition, ua.StructureDefinition)
        written = [
            (
                one.get("Name"),
                said.resolved(one.get("DataType")) or "i=24",
                int(one.get("ValueRank", "-1")),
                one.get("IsOptional") == "true",
            )
            for one in said.element.iter(f"{UA}Field")
        ]
        ours_has = [
            (
                one.Name,
                ours.text(one.DataType),
                int(one.ValueRank),
                bool(one.IsOptional),
            )
            for one in definition.Fields
        ]
        assert ours_has == written, name


async def test_every_method_has_the_specifications_arguments(ours: Ours) -> None:
    nodes = spoken()
    ends = [one for one in nodes.values() if one.name.endswith("putArguments")]
    assert len(ends) == 28
    for said in ends:
        written = [
            (
                one.findtext(f"{TYPES}Name"),
                one.findtext(f"{TYPES}DataType/{TYPES}Identifier"),
                one.findtext(f"{TYPES}ValueRank"),
            )
            for one in said.element.iter(f"{TYPES}Argument")
        ]
        value = ours.read(_our_id(ours, said.id), ATTRIBUTE.Value)
        assert isinstance(value, list)
        found = [(a.Name, ours.text(a.DataType), str(int(a.ValueRank))) for a in value]
        assert found == written, said.id


async def test_variables_and_state_numbers_are_of_their_types(ours: Ours) -> None:
    for name, said in spoken().items():
        if said.kind != "UAVariable":
            continue
        node = _our_id(ours, name)
        kind = ours.read(node, ATTRIBUTE.DataType)
        assert isinstance(kind, ua.NodeId)
        assert ours.text(kind) == said.resolved(said.element.get("DataType")), name
        rank = ours.read(node, ATTRIBUTE.ValueRank)
        assert rank == int(said.element.get("ValueRank", "-1")), name
        number = said.element.find(f"{UA}Value/")
        if number is not None and said.name.endswith("Number"):
            assert ours.read(node, ATTRIBUTE.Value) == int(number.text or "")


async def test_an_instance_has_all_that_its_type_makes_mandatory(ours: Ours) -> None:
    nodes = job_control_nodes()
    for instance, kinds in (
        (ours.receiver, ("ns=1;i=1002", "ns=1;i=1008")),
        (ours.responses, ("ns=1;i=1003",)),
    ):
        wanted = {
            said.name.removeprefix("1:")
            for said in nodes.values()
            if _parent(said) in kinds and said.kind in {"UAVariable", "UAMethod"}
        }
        assert instance.variables.keys() | instance.methods.keys() == wanted
