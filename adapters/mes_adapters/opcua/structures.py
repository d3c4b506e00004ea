"""Structured values of OPC UA in its binary encoding, from and to plain mappings.

``asyncua`` keeps one registry of structures for the whole process, by a node id with
the index that one server happens to use. Two servers would fill each other's places, so
that what is structured stays raw there, and is read and written here, by a description.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import (
    Primitives,
    from_binary,
    to_binary,
    variant_from_binary,
    variant_to_binary,
)

from mes_adapters.opcua.ids import number_id

Value = Mapping[str, Any]
"""A structure's fields by name; an optional field that is not there is left out."""

MOST_ELEMENTS = 100_000
DEEPEST = 16

_PRIMITIVES = frozenset(
    {
        *("Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64"),
        *("UInt64", "Float", "Double", "String", "DateTime", "Guid", "ByteString"),
    }
)
_BUILT_IN = {
    "EUInformation": ua.EUInformation,
    "LocalizedText": ua.LocalizedText,
    "NodeId": ua.NodeId,
    "QualifiedName": ua.QualifiedName,
    "RelativePath": ua.RelativePath,
}
VARIANT = "BaseDataType"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its kind is a built-in type, or the name of another structure."""

    name: str
    kind: str
    is_array: bool = False
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """A structured data type.

    Attributes:
        type_id: The identifier of its node, within its namespace.
        encoding_id: Likewise of its binary encoding.
    """

    name: str
    type_id: int
    encoding_id: int
    fields: tuple[Field, ...]

    @property
    def has_mask(self) -> bool:
        """Whether a mask before the fields tells which of them are there."""
        return any(one.is_optional for one in self.fields)


Structures = Mapping[str, Structure]


def fields_of(text: str) -> tuple[Field, ...]:
    """Read fields as they are written in a table: ``Name?:Kind[]``."""
    found = []
    for word in text.split():
        name, kind = word.split(":")
        found.append(
            Field(
                name=name.removesuffix("?"),
                kind=kind.removesuffix("[]"),
                is_array=kind.endswith("[]"),
                is_optional=name.endswith("?"),
            )
        )
    return tuple(found)


def encode(known: Structures, name: str, value: Value) -> bytes:
    """Return the body of a structure.

    Raises:
        ValueError: The value has a field that the structure has not.
    """
    structure = known[name]
    strange = value.keys() - {one.name for one in structure.fields}
    if strange:
        raise ValueError(f"{name} has no {', '.join(sorted(strange))}")
    parts: list[bytes] = []
    if structure.has_mask:
        optional = [one for one in structure.fields if one.is_optional]
        mask = sum(1 << n for n, one in enumerate(optional) if one.name in value)
        parts.append(Primitives.UInt32.pack(mask))
    for one in structure.fields:
        if one.is_optional and one.name not in value:
            continue
        parts.append(_encode_field(known, one, value.get(one.name)))
    return b"".join(parts)


def decode(known: Structures, name: str, body: bytes) -> dict[str, Any]:
    """Return the fields that ``body`` has.

    Raises:
        Exception: One of ``asking.UNREADABLE``, of what is no such structure.
    """
    data = Buffer(body)
    value = _decode(known, name, data, 0)
    if len(data):
        raise ValueError(f"{name} has {len(data)} bytes too many")
    return value


def to_extension(
    known: Structures, name: str, value: Value, index: int
) -> ua.ExtensionObject:
    """Return what goes over the wire, for the namespace's ``index``."""
    body = ua.ByteString(encode(known, name, value))
    type_id = number_id(known[name].encoding_id, index)
    return ua.ExtensionObject(TypeId=type_id, Body=body)


def from_extension(
    known: Structures, name: str, found: object, index: int
) -> dict[str, Any]:
    """Return the fields of what came over the wire.

    Raises:
        ValueError: It is something else; or what :func:`decode` raises.
    """
    if not isinstance(found, ua.ExtensionObject) or found.Body is None:
        raise ValueError(f"{found!r} is no {name}")
    place = (found.TypeId.Identifier, found.TypeId.NamespaceIndex)
    if place != (known[name].encoding_id, index):
        raise ValueError(f"{found.TypeId.to_string()} is no {name}")
    return decode(known, name, found.Body)


def _encode_field(known: Structures, field: Field, value: Any) -> bytes:
    if not field.is_array:
        return _encode_one(known, field.kind, value)
    elements: Sequence[Any] = value or ()
    parts = [_encode_one(known, field.kind, one) for one in elements]
    return Primitives.Int32.pack(len(parts)) + b"".join(parts)


def _encode_one(known: Structures, kind: str, value: Any) -> bytes:
    if kind in known:
        return encode(known, kind, value or {})
    if kind == VARIANT:
        return bytes(variant_to_binary(_as_variant(value)))
    if kind in _PRIMITIVES:
        if value is None and kind not in {"String", "ByteString", "DateTime"}:
            value = 0
        return bytes(getattr(Primitives, kind).pack(value))
    built_in = _BUILT_IN[kind]
    return bytes(to_binary(built_in, built_in() if value is None else value))


def _as_variant(value: Any) -> ua.Variant:
    return value if isinstance(value, ua.Variant) else ua.Variant(value)


def _decode(known: Structures, name: str, data: Buffer, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise ValueError(f"{name} is nested deeper than {DEEPEST}")
    structure = known[name]
    mask = Primitives.UInt32.unpack(data) if structure.has_mask else 0
    value: dict[str, Any] = {}
    bit = 0
    for field in structure.fields:
        if field.is_optional:
            is_there, bit = mask >> bit & 1, bit + 1
            if not is_there:
                continue
        value[field.name] = _decode_field(known, field, data, depth)
    return value


def _decode_field(known: Structures, field: Field, data: Buffer, depth: int) -> Any:
    if not field.is_array:
        return _decode_one(known, field.kind, data, depth)
    length = Primitives.Int32.unpack(data)
    if length > MOST_ELEMENTS:
        raise ValueError(f"{field.name} has {length} elements")
    return [_decode_one(known, field.kind, data, depth) for _ in range(length)]


def _decode_one(known: Structures, kind: str, data: Buffer, depth: int) -> Any:
    if kind in known:
        return _decode(known, kind, data, depth + 1)
    if kind == VARIANT:
        return variant_from_binary(data)
    if kind in _PRIMITIVES:
        return getattr(Primitives, kind).unpack(data)
    return from_binary(_BUILT_IN[kind], data)
