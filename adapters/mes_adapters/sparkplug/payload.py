"""Sparkplug B payloads: bytes to metrics, and back. Pure.

The messages are those of the specification's ``sparkplug_b.proto`` (Sparkplug 3.0.0,
chapter 6.4): only the fields that carry what a tag can be. Whatever else a payload has
(data sets, templates, files) is passed over as unknown.
"""

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from mes_engine.core.errors import Malformed
from mes_engine.core.samples import Quality

Value = bool | int | float | str

LARGEST = 4 * 2**20
"""Bytes that a payload may have, unpacked too: no machine's tags need more."""
COMPRESSED = "SPBV1.0_COMPRESSED"
LONGEST_TEXT = 4096


class DataType(IntEnum):
    """The types of metrics that are single values (chapter 6.4.16)."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15


SIGNED = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
UNSIGNED = {
    DataType.UINT8: 8,
    DataType.UINT16: 16,
    DataType.UINT32: 32,
    DataType.UINT64: 64,
    DataType.DATETIME: 64,
}
TEXTS = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
LONG_BITS = 64

QUALITIES = {192: Quality.GOOD, 500: Quality.UNCERTAIN, 0: Quality.BAD}
"""The property ``Quality``: good, stale, bad (chapter 6.4.10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of a payload.

    Attributes:
        name: Empty where it comes by its alias alone.
        at: In microseconds of UTC; None without a timestamp.
        value: None if it is null, or no single value. Without a type, whole numbers
            have no sign yet.
    """

    name: str
    alias: int | None = None
    type: DataType | None = None
    at: int | None = None
    value: Value | None = None
    quality: Quality = Quality.GOOD
    is_historical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What one message says. ``at`` is in microseconds of UTC."""

    metrics: tuple[Metric, ...] = ()
    seq: int | None = None
    at: int | None = None

    def number(self, name: str) -> int | None:
        """Return the whole number that the metric ``name`` is; None without one."""
        for metric in self.metrics:
            if metric.name == name and type(metric.value) is int:
                return metric.value
        return None


def decode(raw: bytes) -> Payload:
    """Read a payload.

    Raises:
        Malformed: It is none, or larger than ``LARGEST``.
    """
    found = _parsed(raw)
    if found.uuid == COMPRESSED:
        found = _parsed(_unpacked(found))
    at = found.timestamp if found.HasField("timestamp") else None
    return Payload(
        metrics=tuple(_metric(one, at) for one in found.metrics),
        seq=int(found.seq) if found.HasField("seq") else None,
        at=_micros(at),
    )


class Types:
    """What a birth said of its metrics: their names and types, by alias and name."""

    def __init__(self, metrics: Iterable[Metric] = ()) -> None:
        self._by_alias: dict[int, Metric] = {}
        self._by_name: dict[str, Metric] = {}
        for metric in metrics:
            if metric.alias is not None:
                self._by_alias[metric.alias] = metric
            self._by_name[metric.name] = metric

    def of(self, name: str, alias: int | None) -> Metric | None:
        """Return the metric as it was born; None for one that was not."""
        if name:
            return self._by_name.get(name)
        return None if alias is None else self._by_alias.get(alias)


def as_born(metric: Metric, born: Metric) -> Metric:
    """Return a metric of a later message, with the name and type of its birth."""
    if metric.type is not None:
        return replace(metric, name=born.name)
    value = _of_type(metric.value, born.type)
    quality = Quality.BAD if value is None else metric.quality
    return replace(metric, name=born.name, type=born.type, value=value, quality=quality)


def encode(metrics: Sequence[Metric], *, at: int) -> bytes:
    """Return a payload of metrics that have a type and a value, stamped ``at``.

    Raises:
        Malformed: A value does not fit its type.
    """
    made = _PAYLOAD(timestamp=at // 1000)
    for metric in metrics:
        one = made.metrics.add(timestamp=at // 1000)
        if metric.alias is not None:
            one.alias = metric.alias
        if metric.name:
            one.name = metric.name
        _set(one, metric)
    return bytes(made.SerializeToString())


def _parsed(raw: bytes) -> Any:
    if len(raw) > LARGEST:
        raise Malformed(f"A payload has {len(raw)} bytes; {LARGEST} are the most.")
    found = _PAYLOAD()
    try:
        found.ParseFromString(raw)
    except DecodeError as error:
        raise Malformed("A payload is not one of Sparkplug B.") from error
    return found


def _unpacked(found: Any) -> bytes:
    """What is compressed may grow a thousandfold: no more than ``LARGEST`` is made."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib's own header, or gzip's
    try:
        raw = unpacking.decompress(found.body, LARGEST)
    except zlib.error as error:
        raise Malformed("A compressed payload cannot be unpacked.") from error
    if not unpacking.eof:
        raise Malformed(f"A payload unpacks to more than {LARGEST} bytes, or is cut.")
    return raw


def _metric(one: Any, stamped: int | None) -> Metric:
    kind = _type(one.datatype) if one.HasField("datatype") else None
    value = None if one.is_null else _value(one)
    if one.HasField("datatype"):
        value = _of_type(value, kind)
    quality = _quality(one) if value is not None else Quality.BAD
    return Metric(
        name=one.name,
        alias=one.alias if one.HasField("alias") else None,
        type=kind,
        at=_micros(one.timestamp if one.HasField("timestamp") else stamped),
        value=None if quality is Quality.BAD else value,
        quality=quality,
        is_historical=one.is_historical,
    )


def _type(number: int) -> DataType | None:
    try:
        return DataType(number)
    except ValueError:
        return None


def _value(one: Any) -> Value | None:
    match one.WhichOneof("value"):
        case "int_value" | "long_value" as field:
            return int(getattr(one, field))
        case "float_value" | "double_value" as field:
            real = float(getattr(one, field))
            return real if math.isfinite(real) else None
        case "boolean_value":
            return bool(one.boolean_value)
        case "string_value":
            text = str(one.string_value)
            return text if len(text) <= LONGEST_TEXT else None
    return None


def _of_type(value: Value | None, kind: DataType | None) -> Value | None:
    """Integers come in fields without a sign; their type says how many bits count."""
    match value:
        case bool():
            return value if kind is DataType.BOOLEAN else None
        case int() if kind in SIGNED:
            bits = SIGNED[kind]
            value &= (1 << bits) - 1
            return value - (1 << bits) if value >> (bits - 1) else value
        case int():
            return value if kind in UNSIGNED else None
        case float():
            return value if kind in (DataType.FLOAT, DataType.DOUBLE) else None
        case str():
            return value if kind in TEXTS else None
    return None


def _quality(one: Any) -> Quality:
    for key, given in zip(one.properties.keys, one.properties.values, strict=False):
        if key == "Quality" and given.HasField("int_value"):
            return QUALITIES.get(given.int_value, Quality.UNCERTAIN)
    return Quality.GOOD


def _micros(millis: int | None) -> int | None:
    """Zero is no time: a device without a clock says so."""
    return int(millis) * 1000 if millis else None


def _set(one: Any, metric: Metric) -> None:
    """Put a value into the field that its type asks for."""
    kind, value = metric.type, metric.value
    if kind is None:
        raise Malformed(f"'{metric.name}' has no type.")
    one.datatype = int(kind)
    match value:
        case bool() if kind is DataType.BOOLEAN:
            one.boolean_value = value
        case int() if not isinstance(value, bool) and kind in (SIGNED | UNSIGNED):
            bits = (SIGNED | UNSIGNED)[kind]
            low = -(1 << (bits - 1)) if kind in SIGNED else 0
            if not low <= value < low + (1 << bits):
                raise Malformed(f"{value} does not fit {kind.name}.")
            if bits == LONG_BITS:
                one.long_value = value % (1 << LONG_BITS)
            else:
                one.int_value = value % (1 << 32)
        case int() | float() if not isinstance(value, bool) and kind is DataType.FLOAT:
            one.float_value = _single(float(value))
        case int() | float() if not isinstance(value, bool) and kind is DataType.DOUBLE:
            one.double_value = float(value)
        case str() if kind in TEXTS:
            one.string_value = value
        case _:
            raise Malformed(f"'{value}' does not fit {kind.name}.")


def _single(real: float) -> float:
    try:
        struct.pack("<f", real)
    except OverflowError as error:
        raise Malformed(f"{real} does not fit FLOAT.") from error
    return real


_FIELD = descriptor_pb2.FieldDescriptorProto
_U32, _U64 = _FIELD.TYPE_UINT32, _FIELD.TYPE_UINT64
_TEXT, _BYTES, _BOOL = _FIELD.TYPE_STRING, _FIELD.TYPE_BYTES, _FIELD.TYPE_BOOL
_FLOAT, _DOUBLE = _FIELD.TYPE_FLOAT, _FIELD.TYPE_DOUBLE
_PACKAGE = "mes_engine.sparkplug"

_Kind = int | str
"""A scalar type; or a message's name, with ``*`` if there are many."""

_MESSAGES: dict[str, tuple[tuple[str, int, _Kind], ...]] = {
    "PropertyValue": (
        ("type", 1, _U32),
        ("is_null", 2, _BOOL),
        ("int_value", 3, _U32),
    ),
    "PropertySet": (("keys", 1, "string*"), ("values", 2, "PropertyValue*")),
    "Metric": (
        ("name", 1, _TEXT),
        ("alias", 2, _U64),
        ("timestamp", 3, _U64),
        ("datatype", 4, _U32),
        ("is_historical", 5, _BOOL),
        ("is_transient", 6, _BOOL),
        ("is_null", 7, _BOOL),
        ("properties", 9, "PropertySet"),
        ("int_value", 10, _U32),
        ("long_value", 11, _U64),
        ("float_value", 12, _FLOAT),
        ("double_value", 13, _DOUBLE),
        ("boolean_value", 14, _BOOL),
        ("string_value", 15, _TEXT),
    ),
    "Payload": (
        ("timestamp", 1, _U64),
        ("metrics", 2, "Metric*"),
        ("seq", 3, _U64),
        ("uuid", 4, _TEXT),
        ("body", 5, _BYTES),
    ),
}


def _payload_class() -> Any:
    """Make the messages' classes; their numbers are the specification's."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        values = [field for field, _, _ in fields if field.endswith("_value")]
        if len(values) > 1:
            message.oneof_decl.add(name="value")
        for field, number, kind in fields:
            made = message.field.add(
                name=field, number=number, label=_FIELD.LABEL_OPTIONAL
            )
            if field in values and len(values) > 1:
                made.oneof_index = 0
            if isinstance(kind, int):
                made.type = kind  # type: ignore[assignment]
                continue
            if kind.endswith("*"):
                made.label = _FIELD.LABEL_REPEATED
            if kind == "string*":
                made.type = _TEXT
            else:
                made.type = _FIELD.TYPE_MESSAGE
                made.type_name = f".{_PACKAGE}.{kind.rstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.Payload")
    return message_factory.GetMessageClass(found)


_PAYLOAD = _payload_class()
