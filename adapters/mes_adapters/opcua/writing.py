"""Write to a node once, and read it back: see :class:`~mes_engine.ports.Writes`."""

import time

from asyncua import ua
from asyncua.ua.ua_binary import variant_to_binary

from mes_adapters.opcua.asking import UNREADABLE
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.mapping import to_sample
from mes_engine.core.errors import Malformed, OutcomeUnknown, Refused, SourceLost
from mes_engine.ports import WriteResult

Value = bool | int | float | str


async def write_once(
    connection: Connection,
    node: ua.NodeId,
    tag: str,
    value: Value,
    expect: Value | None,
) -> WriteResult:
    """Write ``value`` to ``node`` in the node's own type."""
    (before,) = await connection.read([node])
    if before.Value is None:
        raise Refused(f"{tag} has no value now, so its type is not known.")
    held = before.Value.Value
    if expect is not None and held != expect:
        raise Refused(f"{tag} holds {held}, and not {expect} as expected.")
    wanted = _variant(tag, value, before.Value.VariantType)
    is_answered = True
    try:
        (status,) = await connection.session.write_attributes(
            [node], [ua.DataValue(wanted)]
        )
    except ua.UaStatusCodeError as error:
        raise Refused(f"{tag} was not written: {error}.") from error
    except (OSError, *UNREADABLE):
        is_answered = False
    else:
        if not status.is_good():
            raise Refused(f"{tag} was not written: {status.name}.")
    try:
        (back,) = await connection.read([node])
    except SourceLost as lost:
        raise OutcomeUnknown(
            f"{tag} was written, and could not be read back.",
            hint="Look at the device before writing again.",
        ) from lost
    found = to_sample(tag, back, received_at=0).value
    is_verified = found == wanted.Value
    if not is_answered and not is_verified:
        raise OutcomeUnknown(
            f"{tag} was written and not answered, and holds {found} so far.",
            hint="Look at the device before writing again.",
        )
    return WriteResult(
        tag=tag, value=found, at=time.time_ns() // 1000, is_verified=is_verified
    )


def _variant(tag: str, value: Value, kind: ua.VariantType) -> ua.Variant:
    """Return ``value`` as a node of ``kind`` holds it.

    Raises:
        Malformed: It cannot.
    """
    is_text = kind is ua.VariantType.String
    is_truth = kind is ua.VariantType.Boolean
    if isinstance(value, str) != is_text or isinstance(value, bool) != is_truth:
        raise Malformed(f"{tag} is of type {kind.name}, and {value!r} is not.")
    wanted = ua.Variant(value, kind)
    try:
        variant_to_binary(wanted)
    except UNREADABLE as error:
        raise Malformed(f"{tag} of type {kind.name} cannot be {value!r}.") from error
    return wanted
