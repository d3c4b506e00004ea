"""The inbox: bounded, honest to people, patient with links."""

import asyncio

import pytest

from mes_engine.core.errors import Overloaded
from mes_engine.core.messages import Outcome
from mes_engine.runtime.inbox import Inbox
from tests.runtime.builders import a_command, sensed
from tests.runtime.stand_ins import Bench, until


async def test_a_full_inbox_refuses_commands_and_slows_links() -> None:
    bench = Bench(inbox=Inbox(capacity=4, kept_for_commands=2))
    async with asyncio.TaskGroup() as tasks:
        links = [tasks.create_task(bench.engine.sense(sensed(n))) for n in range(1, 6)]
        await until(lambda: len(bench.inbox) == 2)
        commands = [
            tasks.create_task(bench.engine.submit(a_command())) for _ in range(2)
        ]
        await until(lambda: len(bench.inbox) == 4)
        with pytest.raises(Overloaded):
            await bench.engine.submit(a_command())
        assert [link.done() for link in links] == [True, True, False, False, False]

        tasks.create_task(bench.engine.run())
        await asyncio.gather(*links, *commands)
        bench.engine.stop()

    assert [one for one in bench.decide.decided if one.startswith("plc")] == [
        f"plc/1/{n}" for n in range(1, 6)
    ]
    assert bench.inbox.overloads == 1


async def test_a_stopping_engine_finishes_what_it_took() -> None:
    bench = Bench()
    async with asyncio.TaskGroup() as tasks:
        taken = [tasks.create_task(bench.engine.submit(a_command())) for _ in range(9)]
        await until(lambda: len(bench.inbox) == 9)
        bench.engine.stop()
        with pytest.raises(Overloaded):
            await bench.engine.submit(a_command())
        await bench.engine.run()

    assert {task.result().outcome for task in taken} == {Outcome.ACCEPTED}
