"""The methods of the job order receiver and of the job response provider."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from itertools import count
from typing import Any

import msgspec
from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import UNREADABLE
from mes_adapters.opcua.job_control.orders import comment_of
from mes_adapters.opcua.job_control.states import read_state
from mes_adapters.opcua.job_control.types import (
    JOB_ORDER,
    STATE,
    STRUCTURES,
    ReturnStatus,
)
from mes_adapters.opcua.serving.asked import (
    NotAsked,
    status_of,
    to_move,
    to_store,
    to_update,
)
from mes_adapters.opcua.serving.lists import Lists
from mes_adapters.opcua.serving.settings import OpcUaServerSettings
from mes_adapters.opcua.serving.users import Users, caller
from mes_adapters.opcua.structures import from_extension
from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.job_control import find_served, is_served
from mes_engine.core.messages import Answer, Command, Commanded, Outcome
from mes_engine.ports import Floor

ORIGIN = "job-control"
STORES = frozenset({"Store", "StoreAndStart"})
STORING = STORES | {"Update"}
METHODS = (
    *("Store", "StoreAndStart", "Update", "Start", "RevokeStart", "Pause"),
    *("Resume", "Stop", "Abort", "Cancel", "Clear"),
)

Call = Callable[..., Awaitable[Any]]


class Receiver:
    """Takes calls, hands commands to the engine, and answers with its status.

    Args:
        floor: The engine.
        settings: Of the server.
        users: Who may do what.
        lists: What is served.
        index: Of the specification's namespace.
        refresh: Brings the lists up to date, as a client expects them after a call.
        log: Told of what is refused: a status has no room for a reason.
    """

    def __init__(
        self,
        floor: Floor,
        settings: OpcUaServerSettings,
        users: Users,
        lists: Lists,
        *,
        index: int,
        refresh: Callable[[], Awaitable[None]],
        log: BoundLogger,
    ) -> None:
        self._floor = floor
        self._settings = settings
        self._users = users
        self._lists = lists
        self._index = index
        self._refresh = refresh
        self._log = log
        self._numbers = count(1)

    def method(self, name: str) -> Call:
        """Return what is called for a method of the receiver."""

        async def called(_: ua.NodeId, *given: ua.Variant) -> Any:
            person = caller()
            if not self._users.may(person, name):
                self._log.warning("job_control_denied", method=name, user=person)
                return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadUserAccessDenied))
            try:
                status = await self._answer(name, person, *given)
            except (Overloaded, OutcomeUnknown) as error:
                self._log.warning("job_control_unanswered", method=name, why=str(error))
                return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadTimeout))
            return [_status(status)]

        return called

    async def by_id(self, _: ua.NodeId, *given: ua.Variant) -> Any:
        """Answer ``RequestJobResponseByJobOrderID``."""
        name = _value(given, 0)
        state = self._floor.committed
        job = find_served(state, name) if name else None
        if job is None or not is_served(state, job):
            null = ua.Variant(None, ua.VariantType.ExtensionObject)
            return [null, _status(ReturnStatus.UNKNOWN_JOB_ORDER_ID)]
        response = ua.Variant(self._lists.response(job), ua.VariantType.ExtensionObject)
        return [response, _status(ReturnStatus.NO_ERROR)]

    async def by_state(self, _: ua.NodeId, *given: ua.Variant) -> Any:
        """Answer ``RequestJobResponseByJobOrderState``."""
        found: list[ua.ExtensionObject] = []
        status = ReturnStatus.NO_ERROR
        try:
            entries = [
                from_extension(STRUCTURES, STATE, one, self._index)
                for one in _value(given, 0) or ()
            ]
            found = self._lists.in_state(read_state(entries))
        except UNREADABLE as error:
            self._log.info("job_control_refused", method="by state", why=str(error))
            status = ReturnStatus.INVALID_JOB_ORDER_STATUS
        array = ua.Variant(found, ua.VariantType.ExtensionObject, is_array=True)
        return [array, _status(status)]

    async def _answer(
        self, method: str, person: str, *given: ua.Variant
    ) -> ReturnStatus:
        try:
            commands = self._commands(method, person, *given)
        except NotAsked as known:
            self._log.info("job_control_refused", method=method, why=known.why)
            return known.status
        first = _value(given, 0)
        body = first.Body if isinstance(first, ua.ExtensionObject) else None
        for command in commands:
            answer = await self._submit(command, method, person, body or b"")
            if answer.outcome is not Outcome.ACCEPTED:
                why = "; ".join((answer.message, *answer.unmet))
                self._log.info("job_control_refused", method=method, why=why)
                return status_of(answer.outcome, stores=method in STORING)
            self._lists.look_at(answer.result.get("job_order", ""))
        await self._refresh()
        return ReturnStatus.NO_ERROR

    def _commands(self, method: str, person: str, *given: ua.Variant) -> list[Command]:
        state, first = self._floor.committed, _value(given, 0)
        if method not in STORING:
            return to_move(
                state,
                method,
                first if isinstance(first, str) else "",
                comment_of(_value(given, 1)),
                remainder=self._settings.remainder,
                person=person,
            )
        try:
            order = from_extension(STRUCTURES, JOB_ORDER, first, self._index)
        except UNREADABLE as error:
            raise NotAsked(ReturnStatus.INVALID_REQUEST, str(error)) from None
        if method == "Update":
            return to_update(state, order)
        is_started = method == "StoreAndStart"
        return to_store(state, order, now=self._floor.clock(), is_started=is_started)

    async def _submit(
        self, command: Command, method: str, person: str, body: bytes
    ) -> Answer:
        """Hand in a command under a key that tells a repeat from another call.

        A job order that is stored again is a repeat, whenever it comes: by what its
        client has sent, and not by what we make of it, which has our time in it.
        """
        said = body if method in STORES else msgspec.json.encode(command)
        kind = type(command).__name__
        digest = sha256(kind.encode() + said).hexdigest()
        key = f"{kind}/{digest}"
        if method not in STORES:
            key = f"{method}/{self._floor.committed.seq}/{next(self._numbers)}"
        return await self._floor.submit(
            Commanded(
                origin=ORIGIN,
                key=key,
                digest=digest,
                person=person or ORIGIN,
                at=self._floor.clock(),
                command=command,
            )
        )


def _value(given: tuple[ua.Variant, ...], place: int) -> Any:
    return given[place].Value if place < len(given) else None


def _status(status: ReturnStatus) -> ua.Variant:
    return ua.Variant(ua.UInt64(int(status)), ua.VariantType.UInt64)
