"""Stand by: answer that another engine leads, until this one does."""

import asyncio
import socket
from pathlib import Path

import structlog
import uvicorn

from mes_engine.bootstrap.leading import Leading
from mes_engine.bootstrap.serving import Server, announce, end_with
from mes_engine.http.deadlines import PromptProtocol
from mes_engine.migrations import head
from mes_engine.web.standby import create_standby

log = structlog.stdlib.get_logger()

MOST_CONNECTIONS = 200
GRACE_S = 1


async def stand_by(
    leading: Leading,
    listener: socket.socket,
    stopping: asyncio.Event,
    *,
    ready_file: Path | None,
    parent: int | None,
) -> bool:
    """Wait until this engine leads; False if it was told to end before.

    Args:
        leading: Its way to lead.
        listener: Where its web will be, and where it says meanwhile that it waits.
        stopping: Set when the process is to end.
        ready_file: Written once the web answers.
        parent: The process that started this one, if it is to end with that.
    """
    await leading.prepare()
    if await leading.take():
        return True
    log.info("standing_by", leader=leading.leader)
    server = Server(
        uvicorn.Config(
            create_standby(lambda: leading.leader),
            http=PromptProtocol,
            log_config=None,
            access_log=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    await asyncio.to_thread(head)  # read once, and before there is any hurry
    own = listener.dup()  # it closes what it is given; ours goes on listening
    async with asyncio.TaskGroup() as tasks:
        others = [tasks.create_task(announce(server, listener, ready_file))]
        if parent is not None:
            others.append(tasks.create_task(end_with(parent, stopping)))
        serving = tasks.create_task(server.serve(sockets=[own]))
        told = tasks.create_task(stopping.wait())
        leads = tasks.create_task(leading.wait())
        await asyncio.wait({told, leads}, return_when=asyncio.FIRST_COMPLETED)
        is_leading = leads.done()
        for task in (told, leads, *others):
            task.cancel()
        await server.is_up.wait()
        server.should_exit = True
        await serving
    if is_leading:
        log.info("taking_over", leader_before=leading.leader)
    return is_leading
