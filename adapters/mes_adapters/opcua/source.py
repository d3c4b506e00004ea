"""One connection to an OPC UA server, for one life of it.

A fresh client for each life: what a lost connection leaves in a client of ``asyncua``
(sessions, publish loops, node ids of a namespace table that has changed) has been seen
to end as *connected, and silent for ever*. So the library never reconnects by itself,
and a server that says nothing counts as lost, whatever its socket says. What was
published meanwhile is fetched: from the subscription that the server has kept for us,
or else from its history.
"""

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec
import structlog
from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import NotKept
from mes_adapters.opcua.calling import call_once
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.events.listening import Events
from mes_adapters.opcua.items import Items
from mes_adapters.opcua.machine import Machine
from mes_adapters.opcua.mapping import bad_sample, is_gone, to_sample
from mes_adapters.opcua.memory import Memory
from mes_adapters.opcua.messages import FoundEvent
from mes_adapters.opcua.publishing import News, Subscription
from mes_adapters.opcua.recovery import catch_up
from mes_adapters.opcua.sessions import close_left
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_adapters.opcua.together import Together
from mes_adapters.opcua.writing import Value, write_once
from mes_engine.core.errors import (
    Refused,
    SourceLost,
    SourceMisconfigured,
    SourceRefused,
)
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_calls import Given
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.core.samples import LinkReport, LinkState, Origin, Quality, Sample
from mes_engine.ports import Emit, JobAnswer, Pulse, TagGroup, WriteResult

log = structlog.stdlib.get_logger()
replace = msgspec.structs.replace
MOST_NAMED = 5
MOST_VAIN = 2
PATIENCE_S = 2.0
"""The server's clock, which we watch, changes every second."""


class OpcUaLink:
    """A :class:`~mes_engine.ports.Link` to one OPC UA server."""

    def __init__(
        self, link_id: str, settings: OpcUaSettings, tags: Mapping[str, OpcUaTag]
    ) -> None:
        self._settings = settings
        self._tags = dict(tags)
        self._memory = Memory()
        self._log = log.bind(link=link_id)
        self._connection: Connection | None = None
        self._is_writing = asyncio.Lock()
        self._is_calling = asyncio.Lock()
        self._machine: Machine | None = None
        self._groups: Sequence[TagGroup] = ()
        self._pulses: Sequence[Pulse] = ()

    def look_for(self, pulses: Sequence[Pulse]) -> None:
        """Have the server look often enough; see `ports.SeesPulses`."""
        self._pulses = tuple(pulses)

    def keep_together(self, groups: Sequence[TagGroup]) -> None:
        """Tell these as one; see `ports.ReadsTogether`."""
        self._groups = tuple(groups)

    def resume_from(self, at: int) -> None:
        """Fetch what the machine told since ``at``; see `ports.Resumes`."""
        known = self._memory.events.away_since
        known |= dict.fromkeys(self._settings.events, at)

    def recall(self, told: Sequence[Sample]) -> None:
        """Fetch what came after these; see `ports.Recalls`."""
        for sample in told:
            if sample.tag in self._tags:
                self._memory.recall(sample)

    async def write(
        self, tag: str, value: Value, *, expect: Value | None = None
    ) -> WriteResult:
        """Write ``value`` once, and read it back; see `ports.Writes`."""
        known = self._tags.get(tag)
        if known is None or not known.writable:
            hint = "Say writable: true at the tag, if the device allows it."
            raise Refused(f"{tag} is not a tag to be written.", hint=hint)
        async with self._is_writing:
            connection, held = self._connection, self._memory.held
            if connection is None or held is None or tag not in held.node_of:
                raise SourceLost(f"{tag} is not connected.")
            return await write_once(connection, held.node_of[tag], tag, value, expect)

    async def ask_job(self, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask the machine for a job order; see `ports.RunsJobs`."""
        if self._settings.jobs is None:
            hint = "Say jobs: {} at the link, if it does."
            raise Refused(f"{self._settings.url} runs no job orders.", hint=hint)
        async with self._is_writing:
            if self._machine is None:
                raise SourceLost(f"{self._settings.url} is not connected.")
            return await self._machine.ask(verb, order)

    async def call(
        self, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        """Call a method once; see `ports.Calls`."""
        known = self._settings.methods.get(method)
        if known is None:
            hint = "Say so under methods: of the link, if the machine is to be told."
            raise Refused(f"{method} is no method that may be called.", hint=hint)
        async with self._is_calling:
            if self._connection is None:
                raise SourceLost(f"{self._settings.url} is not connected.")
            return await call_once(self._connection, method, known, arguments)

    async def run(self, emit: Emit) -> None:
        """Connect, subscribe, and emit values in the order in which they arrive."""
        memory = self._memory
        memory.spare_account(self._settings.url, now=time.monotonic())
        try:
            await self._live(memory, emit)
        except SourceRefused:
            memory.refused_at.append(time.monotonic())
            raise

    async def _live(self, memory: Memory, emit: Emit) -> None:
        async with Connection(self._settings, self._log, memory.left) as connection:
            life = _Life(
                connection,
                self._settings,
                self._tags,
                memory,
                groups=self._groups,
                pulses=self._pulses,
                emit=emit,
                log=self._log,
            )
            try:
                has_moved = await life.begin()
                self._connection = connection
                await self._close_left(connection, has_moved=has_moved)
                await self._go_on(life, connection, emit)
            except NotKept:
                memory.held = None
                raise
            except SourceLost:
                life.count_vain_transfer()
                raise
            finally:
                self._connection = self._machine = None
                connection.is_kept = memory.held is not None
                await life.end()

    async def _close_left(self, connection: Connection, *, has_moved: bool) -> None:
        """End what was left on the server, if it is the same that it was left on."""
        memory, began_at = self._memory, connection.began_at
        is_the_same = began_at is not None and began_at == memory.began_at
        memory.began_at = began_at
        if not is_the_same:
            # What it calls by those names now is somebody else's, or our own.
            memory.left.clear()
            return
        with suppress(SourceLost):
            await close_left(
                self._settings,
                memory.left,
                self._log,
                within_s=2 * self._settings.request_timeout_s,
                has_moved=has_moved,
            )

    async def _go_on(self, life: "_Life", connection: Connection, emit: Emit) -> None:
        """Pass on what is published, and the job orders, until one of them ends."""
        if self._settings.jobs is None:
            await life.go_on()
            return
        machine = Machine(connection, self._settings.jobs, self._log)
        self._machine = machine
        loop = asyncio.get_running_loop()
        parts = [
            loop.create_task(life.go_on()),
            loop.create_task(machine.follow(emit)),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in parts:
                one.cancel()
            await asyncio.wait(parts)


class _Life:
    """What happens between the begin of a session and its end."""

    def __init__(
        self,
        connection: Connection,
        settings: OpcUaSettings,
        tags: Mapping[str, OpcUaTag],
        memory: Memory,
        *,
        groups: Sequence[TagGroup],
        pulses: Sequence[Pulse],
        emit: Emit,
        log: BoundLogger,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._tags = tags
        self._memory = memory
        self._emit = emit
        self._log = log
        self._items = Items(connection, settings, tags, memory, log, pulses=pulses)
        self._together = Together(groups, connection, self._items, log)
        self._events = Events(connection, settings, memory, emit=emit, log=log)
        self._subscription = Subscription(connection, settings, log)
        self._now_told: set[str] = set()
        self._reported: LinkReport | None = None
        self._is_away = False
        self._is_catching_up = False

    async def begin(self) -> bool:
        """Take over the subscription that the server has kept for us, or make one.

        Returns:
            Whether it was taken over.
        """
        memory = self._memory
        async with self._connection.asking():
            nodes = await self._items.resolve(self._tags)
            there = await self._events.find(self._settings.events)
            held, memory.held = memory.held, None
            if (
                held is not None
                and memory.vain_transfers < MOST_VAIN
                and self._items.adopt(held, nodes)
                and self._events.adopt(held, there)
                and await self._subscription.take_over(held)
            ):
                memory.held = held
                self._is_away = self._is_catching_up = True
                if memory.missing:
                    memory.to_recover |= await self._items.watch_missing()
                await self._events.listen_missing()
                await self._events.ask_anew()
                return True
            await self._subscribe(nodes, there)
            return False

    async def _subscribe(
        self, nodes: Mapping[str, ua.NodeId], there: Mapping[str, FoundEvent]
    ) -> None:
        memory = self._memory
        memory.to_recover |= memory.told.keys()
        memory.held = await self._subscription.create()
        await self._items.watch(memory.held, nodes)
        await self._events.listen(memory.held, there)
        await self._events.ask_anew()

    async def go_on(self) -> None:
        """Pass on what is published, until the connection is lost."""
        loop = asyncio.get_running_loop()
        silence_s = self._subscription.held.silence_s
        began = heard = looked = checked = loop.time()
        differed: dict[str, Sample] = {}
        while True:
            trust_until = began + self._patience_s() if self._is_away else math.inf
            is_missing = bool(self._memory.missing or self._events.missing)
            look_at = looked + self._settings.retry_s if is_missing else math.inf
            check_at = checked + self._settings.check_s
            read_at = self._read_at()
            news = await self._subscription.next(
                until=min(heard + silence_s, look_at, check_at, trust_until, read_at)
            )
            if news is not None and self._subscription.proves_life(news):
                heard = loop.time()
                if self._is_away and not news.is_replay:
                    self._is_away = False
                    self._memory.vain_transfers = 0
            if self._is_away and loop.time() >= trust_until:
                await self._distrust()
                heard = loop.time()
            if loop.time() >= heard + silence_s:
                raise SourceLost(
                    f"{self._settings.url} is connected but has said nothing for "
                    f"{silence_s:g} s."
                )
            if loop.time() >= look_at:
                async with self._connection.asking():
                    self._memory.to_recover |= await self._items.watch_missing()
                    await self._events.listen_missing()
                looked = loop.time()
            if loop.time() >= check_at:
                differed = await self._differing(before=differed)
                checked = loop.time()
            if self._tags and not self._items.found and self._reported is None:
                self._settle(began)
            elif news is not None:
                await self._tell(news)
            await self._tell_groups()

    def count_vain_transfer(self) -> None:
        """Take note that nothing came of what was taken over: maybe nothing ever does.

        asyncua's own server answers then to the connection that is gone.
        """
        if self._is_away:
            self._memory.vain_transfers += 1

    async def end(self) -> None:
        """Ask for nothing more."""
        self._events.leave()
        await self._subscription.close()

    def _patience_s(self) -> float:
        """Return how long the subscription that was taken over may be silent."""
        publish_s = self._settings.publish_ms / 1000
        return min(self._settings.silence_s(), max(PATIENCE_S, 4 * publish_s))

    async def _distrust(self) -> None:
        """Subscribe anew: the server has handed over, and publishes to nobody."""
        self._log.warning("opcua_transfer_vain")
        self._is_away = self._is_catching_up = False
        self._memory.vain_transfers = MOST_VAIN
        async with self._connection.asking():
            old = [self._subscription.held.subscription]
            await self._connection.session.delete_subscriptions(old)
            nodes = await self._items.resolve(self._tags)
            there = await self._events.find(self._settings.events)
            self._events.leave()
            await self._subscribe(nodes, there)

    def _settle(self, began: float) -> None:
        if asyncio.get_running_loop().time() < began + self._settings.settle_s:
            return
        problem = f"{self._settings.url} has none of the {len(self._tags)} nodes."
        if self._memory.has_worked:  # a server that is still starting, or being loaded
            raise NotKept(problem)
        raise SourceMisconfigured(problem, hint="Check 'ns' and 'id' of its tags.")

    async def _tell(self, news: News) -> None:
        await self._report()
        if self._memory.to_recover:
            await self._recover(self._memory.to_recover, "the connection was lost")
            self._memory.to_recover.clear()
        await self._events.recover()
        is_replay = news.is_replay or self._is_catching_up
        for sample in _samples(news, self._items, is_replay=is_replay):
            if sample.tag in self._together.tags:
                self._together.hear(sample)
                continue
            if sample.overflow and sample.tag not in self._memory.brought:
                await self._recover({sample.tag}, "the server dropped values")
            if not self._memory.is_repeat(sample):
                await self._pass_on(self._first(sample))
        for sample in self._bad():
            await self._pass_on(sample)
        await self._events.hear(news, is_replay=is_replay)
        self._subscription.tell_done(news)
        if not (news.is_replay or news.has_more):
            await self._tell_again()

    def _read_at(self) -> float:
        return math.inf if self._reported is None else self._together.due

    async def _tell_groups(self) -> None:
        """Tell what belongs together and was read together."""
        if self._reported is None:
            return
        for group in await self._together.read():
            self._now_told -= {one.tag for one in group.samples}
            await self._emit(group)
        if self._together.unreadable:
            await self._report()

    def _first(self, sample: Sample) -> Sample:
        is_first = sample.tag not in self._now_told and sample.origin is Origin.LIVE
        return replace(sample, origin=Origin.INITIAL) if is_first else sample

    async def _pass_on(self, sample: Sample) -> None:
        self._now_told.add(sample.tag)
        await self._emit(sample)
        self._memory.keep(sample)

    async def _report(self) -> None:
        """Say that the link is up, and what of it is not."""
        unseen = {
            **self._items.unseen(),
            **self._not_told(),
            **self._events.problems(),
        }
        missing = tuple(sorted(unseen))
        if self._reported is not None and self._reported.missing == missing:
            return
        self._memory.has_worked = True
        reason = f"{self._settings.url} answers"
        if missing:
            named = "; ".join(f"{tag}: {unseen[tag]}" for tag in missing[:MOST_NAMED])
            rest = len(missing) - MOST_NAMED
            reason += f", but not with {named}" + (f"; {rest} more" if rest > 0 else "")
        self._reported = LinkReport(
            state=LinkState.CONNECTED, at=_now(), reason=reason, missing=missing
        )
        await self._emit(self._reported)

    async def _recover(self, tags: Iterable[str], reason: str) -> None:
        caught_up = await catch_up(
            self._connection,
            self._settings,
            self._items,
            self._memory,
            set(tags) & self._items.found - self._together.tags,
            now=_now(),
            reason=reason,
            log=self._log,
        )
        for sample in caught_up.samples:
            await self._pass_on(sample)
        for gap in caught_up.gaps:
            await self._emit(gap)

    async def _tell_again(self) -> None:
        """Confirm what did not change while we were away."""
        self._is_catching_up = False
        own = self._items.found - self._together.tags
        for tag in sorted(own - self._now_told):
            told = self._memory.told.get(tag)
            if told is not None:
                await self._pass_on(
                    replace(told, origin=Origin.INITIAL, received_at=_now())
                )

    def _bad(self) -> Iterator[Sample]:
        told = self._memory.told
        for tag in sorted(self._not_told()):
            is_told = tag in self._now_told and told[tag].quality is Quality.BAD
            if not is_told:
                yield bad_sample(tag, received_at=_now())

    def _not_told(self) -> dict[str, str]:
        """Return the tags of which there is nothing to tell, and why."""
        return {**self._together.unreadable, **self._memory.missing}

    async def _differing(self, *, before: Mapping[str, Sample]) -> dict[str, Sample]:
        """Return what was told last of tags that the server has another value of.

        A node that is removed and put back is silent for ever on servers that do not
        report it. A tag that differs twice with nothing told in between is such a one.
        """
        differing: dict[str, Sample] = {}
        told = self._memory.told
        own = self._items.found - self._together.tags
        for tag, data in await self._items.read(own & self._now_told):
            if is_gone(data):
                self._items.lose(tag, reason="the node is not there any more")
            elif to_sample(tag, data, received_at=0).value == told[tag].value:
                continue
            elif before.get(tag) is told[tag]:
                self._items.lose(tag, reason="its changes are not reported any more")
            else:
                differing[tag] = told[tag]
        return differing


def _samples(news: News, items: Items, *, is_replay: bool) -> Iterator[Sample]:
    origin = Origin.REPLAY if is_replay else Origin.LIVE
    for part in news.parts:
        if isinstance(part, ua.StatusChangeNotification) and part.Status.is_bad():
            raise NotKept(f"The server ended the subscription: {part.Status.name}.")
        if isinstance(part, ua.DataChangeNotification):
            for item in part.MonitoredItems:
                tag = items.tag_of(item.ClientHandle)
                if tag is None:
                    continue
                if is_gone(item.Value):
                    items.lose(tag, reason="the server removed the node")
                yield to_sample(
                    tag, item.Value, received_at=news.received_at, origin=origin
                )


def _now() -> int:
    return time.time_ns() // 1000
