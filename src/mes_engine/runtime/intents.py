"""Take the modules' intents to the engine, in order of each, and keep the answers.

An intent is a command that a module wrote in the same transaction as its own rows.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from mes_engine.core.errors import MesError
from mes_engine.core.messages import Answer, Commanded, Outcome
from mes_engine.ports import StoreUnavailable, Submit
from mes_engine.runtime.batch import MessageFailed
from mes_engine.runtime.delivery import deliver
from mes_engine.runtime.pace import BackOff, engine_back_off
from mes_engine.storage.database import Database
from mes_engine.storage.intents import pending_intents, settle_intent

log = structlog.stdlib.get_logger()

AT_A_TIME = 100
POLL_S = 0.2


class IntentRelay:
    """Submits what the modules want done."""

    def __init__(
        self,
        database: Database,
        submit: Submit,
        *,
        poll_s: float = POLL_S,
        back_off: BackOff | None = None,
        patience: Callable[[], BackOff] = engine_back_off,
    ) -> None:
        self._database = database
        self._submit = submit
        self._poll_s = poll_s
        self._back_off = back_off or BackOff(first_s=0.2, longest_s=10.0)
        self._patience = patience
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to relay; otherwise it is found by polling."""
        self._woken.set()

    async def run(self) -> None:
        """Relay for as long as the task lives."""
        while True:
            self._woken.clear()
            try:
                is_finished = await self._relay_some()
            except (MesError, StoreUnavailable) as down:
                log.warning("intents_held_up", reason=str(down))
                await self._back_off.wait()
            except Exception:
                # A row that cannot be read, or a bug: no reason for the engine to end.
                log.exception("intents_failed")
                await self._back_off.wait()
            else:
                self._back_off.reset()
                if is_finished:
                    await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _relay_some(self) -> bool:
        """Relay what there is; whether there was nothing."""
        pending = await self._database.read(
            lambda connection: pending_intents(connection, AT_A_TIME)
        )
        by_origin: defaultdict[str, list[Commanded]] = defaultdict(list)
        for commanded in pending:
            by_origin[commanded.origin].append(commanded)
        async with asyncio.TaskGroup() as tasks:
            relaying = [
                tasks.create_task(self._in_order(some)) for some in by_origin.values()
            ]
        answered = [one for task in relaying for one in task.result()]
        if answered:
            await self._database.write(lambda connection: _settle(connection, answered))
        return not pending

    async def _in_order(
        self, intents: Sequence[Commanded]
    ) -> list[tuple[Commanded, Answer]]:
        """Submit one after the other."""
        return [(one, await self._answer(one)) for one in intents]

    async def _answer(self, intent: Commanded) -> Answer:
        try:
            return await deliver(intent, self._submit, self._patience())
        except MessageFailed as failed:
            # It is set aside in the journal; the intents after it must not wait.
            log.error("intent_failed", origin=intent.origin, key=intent.key)
            return Answer(
                outcome=Outcome.MALFORMED, message=failed.message, hint=failed.hint
            )


def _settle(
    connection: Connection, answered: Sequence[tuple[Commanded, Answer]]
) -> None:
    for intent, answer in answered:
        settle_intent(connection, intent.origin, intent.key, answer)
