"""Hand a command of our own to the engine, until there is an answer."""

import hashlib

import msgspec
import structlog

from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.messages import Answer, Command, Commanded
from mes_engine.ports import Submit
from mes_engine.runtime.batch import MessageFailed
from mes_engine.runtime.pace import BackOff

log = structlog.stdlib.get_logger()


async def deliver(commanded: Commanded, submit: Submit, back_off: BackOff) -> Answer:
    """Submit ``commanded`` until it is answered: the same key finds the same answer.

    Raises:
        MessageFailed: A bug: it did nothing and was set aside.
    """
    while True:
        try:
            answer = await submit(commanded)
        except (Overloaded, OutcomeUnknown):
            await back_off.wait()
        else:
            back_off.reset()
            return answer


async def told(
    command: Command,
    *,
    origin: str,
    key: str,
    at: int,
    submit: Submit,
    back_off: BackOff,
) -> Answer | None:
    """Deliver what a part of the runtime has to say, under its own ``origin``.

    Returns:
        None if the message failed: it did nothing and was set aside.
    """
    commanded = Commanded(
        origin=origin,
        key=key,
        digest=digest_of(command),
        person="",
        at=at,
        command=command,
    )
    try:
        return await deliver(commanded, submit, back_off)
    except MessageFailed:
        return None


def digest_of(command: Command) -> str:
    """Return what tells this command from another under the same key."""
    return hashlib.sha256(msgspec.json.encode(command)).hexdigest()
