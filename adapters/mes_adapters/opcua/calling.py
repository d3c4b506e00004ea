"""Call a method once, with arguments of the types that the server says it takes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from asyncua import ua
from asyncua.ua.ua_binary import variant_to_binary
from asyncua.ua.uaprotocol_auto import Argument as UaArgument

from mes_adapters.opcua.asking import UNREADABLE
from mes_adapters.opcua.browsing import HAS_SUBTYPE, children, find_node
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.messages import to_plain
from mes_adapters.opcua.settings import MethodSettings
from mes_engine.core.errors import Malformed, OutcomeUnknown, Refused, SourceLost
from mes_engine.core.machine_calls import Given, Single

HAS_PROPERTY = number_id(ua.ObjectIds.HasProperty)
ENUMERATION = 29
LAST_BUILT_IN = 25
DEEPEST = 20
SCALAR, SCALAR_OR_LIST, ANY, LIST = -1, -3, -2, 1
LISTS = frozenset({LIST, 0, SCALAR_OR_LIST, ANY})
SINGLES = frozenset({SCALAR, SCALAR_OR_LIST, ANY})

NOBODY_KNOWS = frozenset(
    {
        ua.StatusCodes.BadCommunicationError,
        ua.StatusCodes.BadConnectionClosed,
        ua.StatusCodes.BadInternalError,
        ua.StatusCodes.BadNoCommunication,
        ua.StatusCodes.BadRequestTimeout,
        ua.StatusCodes.BadShutdown,
        ua.StatusCodes.BadTimeout,
        ua.StatusCodes.BadUnexpectedError,
    }
)
"""Answers of a server that does not say how far the machine behind it has got."""

_V = ua.VariantType
_WHOLE = frozenset(
    {_V.SByte, _V.Byte, _V.Int16, _V.UInt16, _V.Int32, _V.UInt32, _V.Int64, _V.UInt64}
)
_FRACTIONS = frozenset({_V.Float, _V.Double})


@dataclass(frozen=True, slots=True)
class Argument:
    """What a method takes or returns, as its server says.

    Attributes:
        kind: The built-in type that it is encoded as; None if it is none of these.
        rank: As of OPC UA: -1 is a single value, 1 a list.
        length: How many a list has; 0 if any number.
    """

    name: str
    kind: ua.VariantType | None
    rank: int
    length: int = 0

    def __str__(self) -> str:
        kind = "structure" if self.kind is None else self.kind.name
        if self.rank in SINGLES:
            return f"{self.name}: {kind}"
        return f"{self.name}: {kind}[{self.length or ''}]"


@dataclass(frozen=True, slots=True)
class FoundMethod:
    """A method on a server."""

    object: ua.NodeId
    method: ua.NodeId
    takes: tuple[Argument, ...]
    returns: tuple[Argument, ...]


async def find_method(
    connection: Connection, name: str, settings: MethodSettings
) -> FoundMethod:
    """Look for a method, and for what it takes.

    Raises:
        Refused: It is not there, or may not be called now.
        SourceLost: There was no answer.
    """
    async with connection.asking():
        await connection.reread_namespaces()
    found = []
    for what, place in (("object", settings.object), ("method", settings.method)):
        node = await find_node(connection, place)
        if node is None:
            raise Refused(f"{name}: there is no {what} {place}.")
        found.append(node)
    node, method = found
    attributes = (ua.AttributeIds.NodeClass, ua.AttributeIds.UserExecutable)
    async with connection.asking():
        kind, may = [
            (await connection.session.read_attributes([method], one))[0].Value
            for one in attributes
        ]
    if kind is None or kind.Value != ua.NodeClass.Method:
        raise Refused(f"{name}: {settings.method} is no method.")
    if may is not None and may.Value is False:
        raise Refused(f"{name}: {settings.method} may not be called by us, or now.")
    parts = {
        str(one.name.Name): one.node
        for one in await children(connection, method, HAS_PROPERTY)
        if not one.name.NamespaceIndex
    }
    return FoundMethod(
        object=node,
        method=method,
        takes=await _arguments(connection, name, parts.get("InputArguments")),
        returns=await _arguments(connection, name, parts.get("OutputArguments")),
    )


async def call_once(
    connection: Connection,
    name: str,
    settings: MethodSettings,
    arguments: Mapping[str, Given],
) -> dict[str, Given | None]:
    """Call a method; see `ports.Calls`."""
    found = await find_method(connection, name, settings)
    request = ua.CallMethodRequest(
        ObjectId=found.object,
        MethodId=found.method,
        InputArguments=to_variants(name, found.takes, arguments),
    )
    try:
        async with connection.asking():
            (result,) = await connection.session.call([request])
    except SourceLost as lost:
        raise OutcomeUnknown(
            f"{name} was called, and not answered: {lost.message}",
            hint="Look at the machine before calling it again.",
        ) from lost
    if result.StatusCode.is_bad():
        _refuse(name, found, result)
    values = [one.Value for one in result.OutputArguments or ()]
    return {
        argument.name: _given(value, connection.namespaces)
        for argument, value in zip(found.returns, values, strict=False)
    }


def to_variants(
    method: str, takes: Sequence[Argument], arguments: Mapping[str, Given]
) -> list[ua.Variant]:
    """Return the arguments in the order and the types in which a method takes them.

    Raises:
        Malformed: One is missing, unknown, or of another type; it is named.
    """
    names = [one.name for one in takes]
    expected = ", ".join(map(str, takes)) or "nothing"
    for name in arguments:
        if name not in names:
            raise Malformed(
                f"{method} has no argument '{name}'.", hint=f"It takes {expected}."
            )
    variants = []
    for one in takes:
        if one.name not in arguments:
            raise Malformed(
                f"{method} needs the argument '{one.name}'.",
                hint=f"It takes {expected}.",
            )
        try:
            variants.append(_variant(one, arguments[one.name]))
        except (*UNREADABLE, InvalidOperation) as error:
            why = f": {error}" if isinstance(error, _Unfit) else ""
            raise Malformed(
                f"The argument '{one.name}' of {method} cannot be "
                f"{arguments[one.name]!r:.80}{why}.",
                hint=f"It takes {expected}.",
            ) from error
    return variants


class _Unfit(ValueError):
    """Why a value is not of an argument's type, as the end of a sentence."""


async def _arguments(
    connection: Connection, name: str, node: ua.NodeId | None
) -> tuple[Argument, ...]:
    if node is None:
        return ()
    (data,) = await connection.read([node])
    told = None if data.Value is None else data.Value.Value
    found = []
    for one in told or ():
        if not isinstance(one, UaArgument):
            raise Refused(f"{name}: what it takes cannot be read.")
        lengths = [int(each) for each in one.ArrayDimensions or ()]
        found.append(
            Argument(
                name=str(one.Name),
                kind=await _built_in(connection, one.DataType),
                rank=int(one.ValueRank),
                length=lengths[0] if len(lengths) == 1 else 0,
            )
        )
    return tuple(found)


async def _built_in(
    connection: Connection, data_type: ua.NodeId
) -> ua.VariantType | None:
    """Return as which built-in type values of a data type are encoded."""
    node = data_type
    for _ in range(DEEPEST):
        if not node.NamespaceIndex and isinstance(node.Identifier, int):
            if node.Identifier == ENUMERATION:
                return _V.Int32
            if 1 <= node.Identifier < LAST_BUILT_IN:
                kind = _V(node.Identifier)
                return None if kind is _V.ExtensionObject else kind
        above = ua.BrowseDescription(
            NodeId=node,
            BrowseDirection=ua.BrowseDirection.Inverse,
            ReferenceTypeId=HAS_SUBTYPE,
            IncludeSubtypes=True,
            NodeClassMask=ua.UInt32(0),
            ResultMask=ua.UInt32(ua.BrowseResultMask.All),
        )
        asked = ua.BrowseParameters(NodesToBrowse=[above])
        async with connection.asking():
            (result,) = await connection.session.browse(asked)
        if not result.References:
            return None
        node = result.References[0].NodeId
    return None


def _refuse(name: str, found: FoundMethod, result: ua.CallMethodResult) -> None:
    """Say why a call was not carried out.

    Raises:
        Malformed: The server names an argument.
        OutcomeUnknown: It does not say how far it got.
        Refused: It says no.
    """
    status = result.StatusCode
    for argument, of_argument in zip(
        found.takes, result.InputArgumentResults or (), strict=False
    ):
        if of_argument.is_bad():
            raise Malformed(
                f"The machine does not take the argument '{argument.name}' of {name}:"
                f" {of_argument.name}."
            )
    if status.value in NOBODY_KNOWS:
        raise OutcomeUnknown(
            f"{name} was called, and the server answers {status.name}.",
            hint="Look at the machine before calling it again.",
        )
    raise Refused(f"{name} was refused: {status.name}.", hint=str(status.doc))


def _variant(argument: Argument, value: Given) -> ua.Variant:
    kind = argument.kind
    if kind is None:
        raise _Unfit("structures cannot be given")
    if isinstance(value, tuple):
        if argument.rank not in LISTS:
            raise _Unfit("it is a single value" if argument.rank < 0 else "no matrix")
        if argument.length and len(value) != argument.length:
            raise _Unfit(f"it has {argument.length} elements")
        several = [_of_kind(kind, one) for one in value]
        wanted = ua.Variant(several, kind, is_array=True)
    else:
        if argument.rank not in SINGLES:
            raise _Unfit("it is a list")
        wanted = ua.Variant(_of_kind(kind, value), kind)
    variant_to_binary(wanted)
    return wanted


def _of_kind(kind: ua.VariantType, value: Single) -> Any:
    """Return a value as one of a built-in type.

    Raises:
        ValueError: It is none.
    """
    read = _READ.get(kind)
    if read is None:
        raise _Unfit(f"values of type {kind.name} cannot be given")
    return read(value)


def _truth(value: Single) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit("it is true or false")


def _whole(value: Single) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _Unfit("it is a whole number")


def _number(value: Single) -> float:
    number = math.nan if isinstance(value, bool) else float(Decimal(value))
    if math.isfinite(number):
        return number
    raise _Unfit("it is a number")


def _text(value: Single) -> str:
    if isinstance(value, str):
        return value
    raise _Unfit("it is a text")


def _time(value: Single) -> datetime:
    at = datetime.fromisoformat(_text(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_READ: dict[ua.VariantType, Callable[[Single], Any]] = {
    _V.Boolean: _truth,
    **dict.fromkeys(_WHOLE, _whole),
    **dict.fromkeys(_FRACTIONS, _number),
    _V.String: _text,
    _V.LocalizedText: lambda value: ua.LocalizedText(_text(value)),
    _V.DateTime: _time,
    _V.Guid: lambda value: UUID(_text(value)),
    _V.ByteString: lambda value: bytes.fromhex(_text(value)),
}


def _given(value: object, namespaces: Sequence[str]) -> Given | None:
    """Return a result as it is kept: fractions in digits, times and bytes as text."""
    if isinstance(value, list):
        several = [_given(one, namespaces) for one in value]
        plain = tuple(one for one in several if isinstance(one, bool | int | str))
        return plain if len(plain) == len(several) else None
    plain_one = to_plain(value, namespaces)
    if isinstance(plain_one, float):
        return f"{Decimal(repr(plain_one)):f}"
    return plain_one
