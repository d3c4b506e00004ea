"""One connection to an OPC UA server, for one life of it.

A fresh client for each life: what a lost connection leaves in a client of ``asyncua``
(sessions, publish loops, node ids of a namespace table that has changed) has been seen
to end as *connected, and silent for ever*. So the library never reconnects by itself,
and a server that says nothing counts as lost, whatever its socket says.
"""

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Mapping

import structlog
from asyncua import ua

from mes_adapters.opcua.mapping import bad_sample, is_gone, to_sample
from mes_adapters.opcua.session import News, OpcUaSession
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.core.errors import SourceLost, SourceMisconfigured
from mes_engine.core.samples import LinkReport, LinkState, Quality, Sample
from mes_engine.ports import Emit

log = structlog.stdlib.get_logger()


class OpcUaLink:
    """A :class:`~mes_engine.ports.Link` to one OPC UA server."""

    def __init__(
        self, link_id: str, settings: OpcUaSettings, tags: Mapping[str, OpcUaTag]
    ) -> None:
        self._settings = settings
        self._tags = dict(tags)
        self._log = log.bind(link=link_id)
        self._has_worked = False

    async def run(self, emit: Emit) -> None:
        """Connect, subscribe, and emit values in the order in which they arrive."""
        async with OpcUaSession(self._settings, self._log) as session:
            await session.watch(self._tags)
            await self._pass_on(session, emit)

    async def _pass_on(self, session: OpcUaSession, emit: Emit) -> None:
        loop = asyncio.get_running_loop()
        began = heard = looked = checked = loop.time()
        told: dict[str, Sample] = {}
        differed: dict[str, Sample] = {}
        is_connected = False
        while True:
            look_at = looked + self._settings.retry_s if session.missing else math.inf
            check_at = checked + self._settings.check_s
            news = await session.next_news(
                until=min(heard + session.silence_s, look_at, check_at)
            )
            if news is not None and session.proves_life(news):
                heard = loop.time()
            if loop.time() >= heard + session.silence_s:
                raise SourceLost(
                    f"{self._settings.url} is connected but has said nothing for "
                    f"{session.silence_s:g} s."
                )
            if loop.time() >= look_at:
                await session.watch_missing()
                looked = loop.time()
            if loop.time() >= check_at:
                differed = await _differing(session, told, before=differed)
                checked = loop.time()
            if self._tags and not session.found and not is_connected:
                self._settle(began)
            elif news is not None:
                if not is_connected:
                    is_connected = self._has_worked = True
                    await emit(_connected(self._settings.url))
                for sample in (*_samples(news, session), *_bad(session.missing, told)):
                    told[sample.tag] = sample
                    await emit(sample)

    def _settle(self, began: float) -> None:
        if asyncio.get_running_loop().time() < began + self._settings.settle_s:
            return
        problem = f"{self._settings.url} has none of the {len(self._tags)} nodes."
        if self._has_worked:  # a server that is still starting, or is being loaded
            raise SourceLost(problem)
        raise SourceMisconfigured(problem, hint="Check 'ns' and 'id' of its tags.")


def _connected(url: str) -> LinkReport:
    return LinkReport(state=LinkState.CONNECTED, at=_now(), reason=f"{url} answers")


def _samples(news: News, session: OpcUaSession) -> Iterator[Sample]:
    for part in news.result.NotificationMessage.NotificationData or ():
        if isinstance(part, ua.StatusChangeNotification) and part.Status.is_bad():
            raise SourceLost(f"The server ended the subscription: {part.Status.name}.")
        if isinstance(part, ua.DataChangeNotification):
            for item in part.MonitoredItems:
                tag = session.tag_of(item.ClientHandle)
                if tag is None:
                    continue
                if is_gone(item.Value):
                    session.lose(tag, reason="the server removed the node")
                yield to_sample(tag, item.Value, received_at=news.received_at)


def _bad(missing: Iterable[str], told: Mapping[str, Sample]) -> Iterator[Sample]:
    for tag in sorted(missing):
        if tag not in told or told[tag].quality is not Quality.BAD:
            yield bad_sample(tag, received_at=_now())


async def _differing(
    session: OpcUaSession, told: Mapping[str, Sample], *, before: Mapping[str, Sample]
) -> dict[str, Sample]:
    """Return what was told last of tags that the server has another value of.

    A node that is removed and put back is silent for ever on servers that do not
    report it. A tag that differs twice with nothing told in between is such a one.
    """
    differing: dict[str, Sample] = {}
    for tag, data in await session.read(session.found & told.keys()):
        if is_gone(data):
            session.lose(tag, reason="the node is not there any more")
        elif to_sample(tag, data, received_at=0).value == told[tag].value:
            continue
        elif before.get(tag) is told[tag]:
            session.lose(tag, reason="its changes are not reported any more")
        else:
            differing[tag] = told[tag]
    return differing


def _now() -> int:
    return time.time_ns() // 1000
