"""What the engine wants done to devices whose links run in gateways.

A wish is handed to a gateway once, and its outcome comes back. What was not handed over
in time was not done; what was, and has no outcome, nobody knows.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec

from mes_engine.core.errors import (
    Malformed,
    MesError,
    NotFound,
    OutcomeUnknown,
    Refused,
    SourceLost,
)
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_calls import Given
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.ports import JobAnswer, WriteResult
from mes_engine.runtime.gateways import Gateways
from mes_engine.wire import (
    ASK_JOB,
    CALL_METHOD,
    Call,
    Called,
    Failed,
    Settled,
    Value,
    Wanted,
    Write,
    Written,
)

WITHIN_S = 10.0
"""How long a device may take, with the way to it."""
SLACK_S = 2.0
"""And how much longer its outcome may take to come back."""
MOST_WAIT_S = 25.0
MOST_WISHES = 1_000

ERROR_OF: Mapping[str, type[MesError]] = {
    kind.__name__: kind
    for kind in (Refused, Malformed, NotFound, SourceLost, OutcomeUnknown)
}
"""The errors that a device's write can end with, by the name that they travel under."""


@dataclass(slots=True, eq=False)
class _Wish:
    id: str
    link: str
    what: Write | Call
    due: float
    outcome: asyncio.Future[Written | Called | Failed]
    is_handed: bool = False


class GatewayDevices:
    """:class:`~mes_engine.ports.Devices` behind gateways, and their end of it.

    Args:
        gateways: Who tells which gateway feeds a link.
        started_at: Of this engine; part of each wish's id.
        within_s: How long a wish may take.
    """

    def __init__(
        self, gateways: Gateways, *, started_at: int, within_s: float = WITHIN_S
    ) -> None:
        self._gateways = gateways
        self._started_at = started_at
        self._within_s = within_s
        self._numbers = count(1)
        self._wishes: dict[str, _Wish] = {}
        self._news = asyncio.Event()
        self._polls: dict[str, object] = {}
        self._is_closed = False

    async def write(
        self, link: str, tag: str, value: Value, *, expect: Value | None = None
    ) -> WriteResult:
        """Write ``value`` once, and read it back; see `ports.Devices`."""
        what = Write(tag=tag, value=value, expect=expect)
        outcome = await self._done(link, what, f"{tag} was written")
        if not isinstance(outcome, Written):
            raise OutcomeUnknown(f"Link '{link}' has answered something else.")
        return WriteResult(
            tag=tag, value=outcome.value, at=outcome.at, is_verified=outcome.is_verified
        )

    async def call(self, link: str, method: str, arguments: Any) -> Any:
        """Call a method of the device once.

        Args:
            link: Over which link.
            method: One of what a gateway's ``Doing`` can do by name.
            arguments: Plain data, for that method.

        Raises:
            NotFound: There is no such link, or it can do no such thing.
            SourceLost: Nothing was done.
            OutcomeUnknown: It may have been done or not.
        """
        what = Call(method=method, arguments=arguments)
        outcome = await self._done(link, what, f"{method} was called")
        if not isinstance(outcome, Called):
            raise OutcomeUnknown(f"Link '{link}' has answered something else.")
        return outcome.result

    async def ask_job(self, link: str, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask a machine that runs job orders; see `ports.JobMachines`."""
        arguments = {"verb": verb.value, "order": msgspec.to_builtins(order)}
        found = await self.call(link, ASK_JOB, arguments)
        try:
            return JobAnswer(status=int(found["status"]), problem=found["problem"])
        except (KeyError, TypeError, ValueError) as error:
            raise OutcomeUnknown(f"Link '{link}' has answered {found!r}.") from error

    async def call_method(
        self, link: str, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        """Call a method of a device; see `ports.MachineMethods`."""
        asked = {"method": method, "arguments": dict(arguments)}
        found = await self.call(link, CALL_METHOD, asked)
        try:
            return msgspec.convert(found, dict[str, Given | None])
        except msgspec.ValidationError as error:
            raise OutcomeUnknown(
                f"{method} was called over '{link}', and its answer cannot be read."
            ) from error

    async def wanted(
        self, gateway: str, instance: int, wait_s: float
    ) -> tuple[Wanted, ...]:
        """Hand over what is wanted of a gateway's links; see `ports.Downlink`."""
        self._gateways.hear(gateway, instance)
        mine = self._polls[gateway] = object()
        loop = asyncio.get_running_loop()
        until = loop.time() + min(wait_s, MOST_WAIT_S)
        self._wake()  # an older poll of the same gateway ends
        while not self._is_closed and self._polls.get(gateway) is mine:
            if found := tuple(self._handed_to(gateway)):
                return found
            news = self._news
            try:
                async with asyncio.timeout_at(until):
                    await news.wait()
            except TimeoutError:
                break
        return ()

    def settle(self, gateway: str, wish: str, settled: Settled) -> None:
        """Take the outcome of a wish; see `ports.Downlink`."""
        self._gateways.hear(gateway, settled.instance)
        found = self._wishes.get(wish)
        if found is not None and not found.outcome.done():
            found.outcome.set_result(settled.outcome)

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._is_closed = True
        self._wake()

    def _handed_to(self, gateway: str) -> Iterator[Wanted]:
        now = asyncio.get_running_loop().time()
        for wish in self._wishes.values():
            is_theirs = self._gateways.owner_of(wish.link) == gateway
            if is_theirs and not wish.is_handed and wish.due > now:
                wish.is_handed = True
                yield Wanted(
                    id=wish.id,
                    link=wish.link,
                    what=wish.what,
                    within_s=wish.due - now,
                )

    async def _done(self, link: str, what: Write | Call, done: str) -> Written | Called:
        """Have a gateway do it, and return what came of it.

        Args:
            link: Over which link.
            what: Is wanted.
            done: Says so, as the begin of a sentence.
        """
        if link not in self._gateways.links:
            raise NotFound(
                f"There is no link '{link}'.",
                hint=f"Known: {', '.join(sorted(self._gateways.links)) or 'none'}.",
            )
        if self._gateways.owner_of(link) is None:
            raise SourceLost(f"No gateway runs link '{link}' now: nothing was done.")
        if self._is_closed or len(self._wishes) >= MOST_WISHES:
            raise SourceLost("Nothing more can be asked of devices now.")
        loop = asyncio.get_running_loop()
        wish = _Wish(
            id=f"{self._started_at}-{next(self._numbers)}",
            link=link,
            what=what,
            due=loop.time() + self._within_s,
            outcome=loop.create_future(),
        )
        self._wishes[wish.id] = wish
        self._wake()
        try:
            outcome = await self._outcome(wish, done)
        finally:
            del self._wishes[wish.id]
        if isinstance(outcome, Failed):
            kind = ERROR_OF.get(outcome.kind, OutcomeUnknown)
            raise kind(outcome.message, hint=outcome.hint)
        return outcome

    async def _outcome(self, wish: _Wish, done: str) -> Written | Called | Failed:
        await asyncio.wait([wish.outcome], timeout=self._within_s)
        if wish.is_handed:
            await asyncio.wait([wish.outcome], timeout=SLACK_S)
        if wish.outcome.done():
            return wish.outcome.result()
        if not wish.is_handed:
            raise SourceLost(
                f"The gateway of link '{wish.link}' did not ask in time: nothing was "
                "done."
            )
        raise OutcomeUnknown(
            f"It is not known whether {done} over link '{wish.link}'.",
            hint="Look at the device before doing it again.",
        )

    def _wake(self) -> None:
        """Have everyone who waits look again."""
        self._news.set()
        self._news = asyncio.Event()
