"""What is committed to be called is called once, and its outcome told once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from mes_engine.core.errors import (
    Malformed,
    MesError,
    NotFound,
    OutcomeUnknown,
    Refused,
    SourceLost,
)
from mes_engine.core.facts import MachineCallAsked, Recorded
from mes_engine.core.machine_calls import CallOutcome, Given, MachineCall
from mes_engine.core.messages import Answer, Commanded, Outcome, RecordMachineCall
from mes_engine.core.state import State
from mes_engine.runtime.machine_calls import LATEST_US, MachineCalls
from tests.runtime.builders import NOW, clock


@dataclass
class Machine:
    """Machines that do as they are told, and an engine that takes what came of it."""

    ends: list[MesError] = field(default_factory=list)
    called: list[tuple[str, str]] = field(default_factory=list)
    told: list[RecordMachineCall] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def call_method(
        self, link: str, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        self.called.append((link, method))
        if self.ends:
            raise self.ends.pop(0)
        return dict(arguments)

    async def submit(self, commanded: Commanded) -> Answer:
        assert isinstance(commanded.command, RecordMachineCall)
        self.told.append(commanded.command)
        self.news.set()
        return Answer(outcome=Outcome.ACCEPTED)

    async def until_told(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                self.news.clear()
                await self.news.wait()


def a_call(seq: int, **changed: Any) -> MachineCall:
    fields: dict[str, Any] = {
        "seq": seq,
        "link": "plc",
        "method": f"m{seq}",
        "arguments": {"a": seq},
        "reason": "so",
        "person": "Maria",
        "at": NOW,
    }
    return MachineCall(**fields | changed)


def asked(*calls: MachineCall) -> list[Recorded]:
    return [
        Recorded(
            partition="main",
            seq=one.seq,
            occurred_at=NOW,
            recorded_at=NOW,
            cause="",
            person="",
            fact=MachineCallAsked(call=one),
        )
        for one in calls
    ]


@asynccontextmanager
async def calling(machine: Machine, *left: MachineCall) -> AsyncIterator[MachineCalls]:
    state = State()
    for one in left:
        state.machine_call.put(one)
    calls = MachineCalls(machine, committed=state, submit=machine.submit, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(calls.run())
        yield calls
        task.cancel()


async def test_calls_are_made_in_order_and_answered() -> None:
    machine = Machine()
    async with calling(machine) as calls:
        calls.hear(asked(a_call(1), a_call(2), a_call(3)))
        await machine.until_told(3)
    assert machine.called == [("plc", "m1"), ("plc", "m2"), ("plc", "m3")]
    assert [(one.call, one.results) for one in machine.told] == [
        (1, {"a": 1}),
        (2, {"a": 2}),
        (3, {"a": 3}),
    ]
    assert {one.outcome for one in machine.told} == {CallOutcome.ANSWERED}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OutcomeUnknown("Lost.", hint="Look."), CallOutcome.UNKNOWN),
        (SourceLost("Not connected."), CallOutcome.REFUSED),
        (Refused("No."), CallOutcome.REFUSED),
        (Malformed("Not so."), CallOutcome.REFUSED),
        (NotFound("Nothing."), CallOutcome.REFUSED),
    ],
)
async def test_what_fails_is_told_and_not_called_again(
    error: MesError, outcome: CallOutcome
) -> None:
    machine = Machine(ends=[error])
    async with calling(machine) as calls:
        calls.hear(asked(a_call(1), a_call(2)))
        await machine.until_told(2)
    assert machine.called == [("plc", "m1"), ("plc", "m2")]
    first = machine.told[0]
    assert (first.outcome, first.message, first.hint) == (
        outcome,
        error.message,
        error.hint,
    )


async def test_what_an_earlier_life_has_left_is_unknown_and_not_called() -> None:
    machine = Machine()
    async with calling(machine, a_call(1), a_call(2)):
        await machine.until_told(2)
    assert machine.called == []
    assert {one.outcome for one in machine.told} == {CallOutcome.UNKNOWN}


async def test_what_comes_to_its_turn_too_late_is_refused() -> None:
    machine = Machine()
    async with calling(machine) as calls:
        calls.hear(asked(a_call(1, at=NOW - LATEST_US - 1)))
        await machine.until_told(1)
    assert machine.called == []
    assert machine.told[0].outcome is CallOutcome.REFUSED


async def test_a_link_that_hangs_holds_up_no_other() -> None:
    machine = Machine()
    hangs = asyncio.Event()

    async def call_method(
        link: str, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        if link == "slow":
            await hangs.wait()
        return dict(arguments)

    machine.call_method = call_method  # type: ignore[method-assign]
    async with calling(machine) as calls:
        calls.hear(asked(a_call(1, link="slow"), a_call(2)))
        await machine.until_told(1)
        assert [one.call for one in machine.told] == [2]
        hangs.set()
        await machine.until_told(2)
