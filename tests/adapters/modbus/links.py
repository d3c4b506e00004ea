"""Links as the tests of this folder open them: quick, with tags in short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mes_adapters.modbus import ADAPTER
from mes_engine.ports import Link
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.supervise import supervise
from tests.adapters.heard import Heard

QUICK = {"poll_s": 0.03, "timeout_s": 0.3, "quiet_s": 0.3, "busy_wait_s": 0.01}


def open_link(url: str, tags: dict[str, dict[str, Any]], **settings: Any) -> Link:
    """Return a quick link; tags are holding u16 unless they say."""
    return ADAPTER.open(
        "press",
        ADAPTER.settings.model_validate({"url": url, **QUICK, **settings}),
        {
            tag: ADAPTER.tag.model_validate({"table": "holding", "type": "u16", **at})
            for tag, at in tags.items()
        },
    )


@asynccontextmanager
async def supervised(link: Link, *, longest_s: float = 0.2) -> AsyncIterator[Heard]:
    """Run ``link`` as the engine does, life after life, with short pauses."""
    heard = Heard()

    async def sense(sensed: Any) -> None:
        await heard.add(sensed.report)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(
            supervise(
                "press",
                link,
                sense,
                epoch=1,
                clock=lambda: 0,
                back_off=BackOff(first_s=0.05, longest_s=longest_s),
            )
        )
        try:
            yield heard
        finally:
            task.cancel()
