"""Call methods of machines that are committed to be called, each once.

What an earlier life of the engine has left without an answer is settled as unknown, and
not called: nobody knows how far it got. What comes to its turn too late is refused.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

import structlog

from mes_engine.core.errors import (
    Malformed,
    NotFound,
    OutcomeUnknown,
    Refused,
    SourceLost,
    SourceMisconfigured,
)
from mes_engine.core.facts import MachineCallAsked, Recorded
from mes_engine.core.machine_calls import CallOutcome, MachineCall
from mes_engine.core.messages import RecordMachineCall
from mes_engine.core.state import State
from mes_engine.ports import MachineMethods, Submit
from mes_engine.runtime.delivery import told
from mes_engine.runtime.pace import BackOff, Clock, engine_back_off

log = structlog.stdlib.get_logger()

ORIGIN = "machine-calls"
CALL_TIMEOUT_S = 30.0
LATEST_US = 60_000_000
"""So long a call may wait for its turn: nobody counts on it any more then."""


class MachineCalls:
    """Calls, one after the other over each link.

    Attributes:
        called: How many were answered.
    """

    def __init__(
        self,
        methods: MachineMethods,
        *,
        committed: State,
        submit: Submit,
        clock: Clock,
        patience: Callable[[], BackOff] = engine_back_off,
    ) -> None:
        self.called = 0
        self._methods = methods
        self._submit = submit
        self._clock = clock
        self._patience = patience
        self._left = tuple(committed.machine_call.values())
        self._due: defaultdict[str, deque[MachineCall]] = defaultdict(deque)
        self._busy: set[str] = set()
        self._woken = asyncio.Event()

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit (a tap of the feed)."""
        for recorded in records:
            if isinstance(recorded.fact, MachineCallAsked):
                call = recorded.fact.call
                self._due[call.link].append(call)
                self._woken.set()

    async def run(self) -> None:
        """Call for as long as the task lives."""
        async with asyncio.TaskGroup() as tasks:
            for call in self._left:
                if call.is_pending:
                    tasks.create_task(self._give_up(call))
            while True:
                self._woken.clear()
                waiting = {link for link, due in self._due.items() if due}
                for link in waiting - self._busy:
                    self._busy.add(link)
                    tasks.create_task(self._drain(link))
                await self._woken.wait()

    async def _drain(self, link: str) -> None:
        due = self._due[link]
        try:
            while due:
                call = due.popleft()
                with structlog.contextvars.bound_contextvars(link=link, call=call.seq):
                    await self._record(await self._outcome(call))
        finally:
            self._busy.discard(link)

    async def _give_up(self, call: MachineCall) -> None:
        log.warning("call_unknown", link=call.link, call=call.seq)
        await self._record(
            RecordMachineCall(
                call=call.seq,
                outcome=CallOutcome.UNKNOWN,
                message="The engine was started again before an answer was kept.",
                hint="Look at the machine before calling it again.",
            )
        )

    async def _outcome(self, call: MachineCall) -> RecordMachineCall:
        """Call once, and say what came of it."""
        outcome, message, hint = CallOutcome.REFUSED, "", ""
        if self._clock() - call.at > LATEST_US:
            message = "It was not called: it had waited for too long."
        else:
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    results = await self._methods.call_method(
                        call.link, call.method, call.arguments
                    )
            except OutcomeUnknown as lost:
                outcome, message, hint = CallOutcome.UNKNOWN, lost.message, lost.hint
            except TimeoutError:
                outcome = CallOutcome.UNKNOWN
                message = f"There was no answer within {CALL_TIMEOUT_S:g} s."
            except (
                Refused,
                Malformed,
                NotFound,
                SourceLost,
                SourceMisconfigured,
            ) as no:
                message, hint = no.message, no.hint
            else:
                self.called += 1
                return RecordMachineCall(
                    call=call.seq, outcome=CallOutcome.ANSWERED, results=results
                )
        log.warning("call_not_answered", outcome=outcome, reason=message)
        return RecordMachineCall(
            call=call.seq, outcome=outcome, message=message, hint=hint
        )

    async def _record(self, command: RecordMachineCall) -> None:
        await told(
            command,
            origin=ORIGIN,
            key=str(command.call),
            at=self._clock(),
            submit=self._submit,
            back_off=self._patience(),
        )
