"""What a line asks of the engine, and under which names."""

import hashlib
from enum import StrEnum

import msgspec

from mes_engine.core.messages import (
    CancelWorkRequest,
    Command,
    Commanded,
    CreateWorkRequest,
    ReleaseWorkRequest,
)
from mes_engine.modules.crm.model.documents import OrderLine

ORIGIN = "crm"


class Verb(StrEnum):
    """What a line asks of the engine, in this order."""

    CREATE = "create"
    RELEASE = "release"
    CANCEL = "cancel"


def work_request_id(order: str, line: int) -> str:
    """Return the id of the work request that a line becomes.

    Example:
        >>> work_request_id("SO-1001", 1)
        'SO-1001-1'
    """
    return f"{order}-{line}"


def demand_of(order: str, line: int) -> str:
    """Return how a work request names the line that asked for it."""
    return f"{order}/{line}"


def intent_key(order: str, line: int, attempt: int, verb: Verb) -> str:
    """Return the key of an intent; another attempt has another.

    Example:
        >>> intent_key("SO-1001", 1, 1, Verb.CREATE)
        'SO-1001/1/1/create'
    """
    return f"{order}/{line}/{attempt}/{verb}"


def intent_of(
    order: str,
    line: OrderLine,
    verb: Verb,
    *,
    attempt: int,
    routing: str,
    person: str,
    at: int,
) -> Commanded:
    """Return what a line asks of the engine, as a command.

    Args:
        order: The id of the line's order.
        line: The line.
        verb: What is asked.
        attempt: How often it is asked, with this time.
        routing: The routing that makes the line's material.
        person: Who decided it.
        at: When, in microseconds of UTC.
    """
    command = _command(verb, order, line, routing)
    return Commanded(
        origin=ORIGIN,
        key=intent_key(order, line.line, attempt, verb),
        digest=hashlib.sha256(msgspec.json.encode(command)).hexdigest(),
        person=person,
        at=at,
        command=command,
    )


def _command(verb: Verb, order: str, line: OrderLine, routing: str) -> Command:
    work_request = work_request_id(order, line.line)
    match verb:
        case Verb.CREATE:
            return CreateWorkRequest(
                work_request=work_request,
                routing=routing,
                quantity=line.quantity,
                due_at=line.promised_at,
                priority=line.priority,
                demand=demand_of(order, line.line),
            )
        case Verb.RELEASE:
            return ReleaseWorkRequest(work_request=work_request)
        case Verb.CANCEL:
            return CancelWorkRequest(
                work_request=work_request, reason=f"sales order {order} is cancelled"
            )
