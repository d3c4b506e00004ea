"""Listen for a machine's messages over one connection, and tell each of them once."""

import time
from collections.abc import Iterable, Mapping, Sequence

from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import UNREADABLE
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.events.choosing import FILTER_REFUSALS, Choosing
from mes_adapters.opcua.events.finding import NotThere, find_event
from mes_adapters.opcua.events.history import read_past_events
from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.mapping import to_micros
from mes_adapters.opcua.memory import HEARTBEAT, Held, Memory
from mes_adapters.opcua.messages import (
    NOTICES,
    OVERFLOWED,
    REFRESH_BEGINS,
    REFRESH_ENDS,
    REFRESH_WANTED,
    FoundEvent,
    event_id,
    filter_of,
    read_event,
    type_of,
)
from mes_adapters.opcua.publishing import News
from mes_adapters.opcua.settings import OpcUaSettings
from mes_engine.core.samples import DataGap, EventRefresh, Origin, Recovered
from mes_engine.ports import Emit

CONDITIONS = number_id(ua.ObjectIds.ConditionType)
REFRESH = number_id(ua.ObjectIds.ConditionType_ConditionRefresh)
STARTED = number_id(ua.ObjectIds.Server_ServerStatus_StartTime)
MARGIN_US = 10_000_000
"""Between when a message happened and when it is told; repeats are known as such."""
LONGEST_S = 600.0


def label(name: str) -> str:
    """Return how messages are named among tags."""
    return f"event {name}"


class Events:
    """The messages of one connection; ``held`` is what the server knows of them."""

    def __init__(
        self,
        connection: Connection,
        settings: OpcUaSettings,
        memory: Memory,
        *,
        emit: Emit,
        log: BoundLogger,
    ) -> None:
        self.missing = memory.events.missing
        self._connection = connection
        self._settings = settings
        self._memory = memory.events
        self._held = Held(0, 0)
        self._emit = emit
        self._log = log
        self._choosing = Choosing(connection)
        self._clock: int | None = None
        self._unrefreshed = ""

    def problems(self) -> dict[str, str]:
        """Return what cannot be heard, or not in full, by the names of tags."""
        told = {
            label(name): f"all that its notifier tells comes ({reason}), to be chosen"
            " from here"
            for name, reason in self._held.unfiltered.items()
        }
        told |= {label(name): reason for name, reason in self.missing.items()}
        if self._unrefreshed:
            reason = f"its conditions are not told anew: {self._unrefreshed}"
            told |= {label(name): reason for name in self._conditions()}
        return told

    async def find(self, names: Iterable[str]) -> dict[str, FoundEvent]:
        """Return where ``names`` are on this server; the others are missing."""
        there: dict[str, FoundEvent] = {}
        for name in names:
            found = await find_event(self._connection, self._settings.events[name])
            if isinstance(found, NotThere):
                self._miss(name, found.reason)
            else:
                there[name] = found
        return there

    def adopt(self, held: Held, there: Mapping[str, FoundEvent]) -> bool:
        """Go on with the items of ``held``, if they still are those of our messages."""
        if any(there.get(name) != found for name, found in held.events.items()):
            return False
        self._held = held
        return True

    async def listen(self, held: Held, there: Mapping[str, FoundEvent]) -> None:
        """Listen in a new subscription; what was told meanwhile is to be recovered."""
        self._held = held
        self._memory.refreshing.clear()
        for name, found in sorted(there.items()):
            await self._create(name, found)
        self._memory.to_recover |= held.events.keys() & self._memory.away_since.keys()

    async def listen_missing(self) -> None:
        """Look again for what was not there."""
        missing = sorted(self.missing)
        there = await self.find(missing)
        for name, found in there.items():
            await self._create(name, found)
        found_now = set(missing) & self._held.events.keys()
        self._memory.to_recover |= found_now & self._memory.away_since.keys()
        if found_now & set(self._conditions()):
            await self.ask_anew()

    async def ask_anew(self) -> None:
        """Have the server tell again which conditions are so."""
        if not self._conditions():
            return
        request = ua.CallMethodRequest(
            ObjectId=CONDITIONS,
            MethodId=REFRESH,
            InputArguments=[ua.Variant(self._held.subscription, ua.VariantType.UInt32)],
        )
        (result,) = await self._connection.session.call([request])
        status = result.StatusCode
        is_asked = (
            status.is_good() or status.value == ua.StatusCodes.BadRefreshInProgress
        )
        self._unrefreshed = "" if is_asked else status.name
        if not is_asked:
            self._log.warning("opcua_refresh_refused", reason=status.name)

    def leave(self) -> None:
        """Take note that nobody listens from now on."""
        since = _now() if self._clock is None else self._clock
        for name in self._held.events:
            self._memory.away_since[name] = since

    async def recover(self) -> None:
        """Bring in what was missed, and tell what could not be brought in."""
        names = sorted(self._memory.to_recover)
        self._memory.to_recover.clear()
        for name in names:
            await self._recover(name, "the connection was lost")

    async def hear(self, news: News, *, is_replay: bool) -> None:
        """Tell what the server has published."""
        origin = Origin.REPLAY if is_replay else Origin.LIVE
        for part in news.parts:
            if isinstance(part, ua.DataChangeNotification):
                for item in part.MonitoredItems:
                    if item.ClientHandle == HEARTBEAT and item.Value.Value is not None:
                        self._clock = to_micros(item.Value.Value.Value)
            elif isinstance(part, ua.EventNotificationList):
                await self._hear_all(part.Events, origin, news.received_at)

    async def _hear_all(
        self, events: Sequence[ua.EventFieldList], origin: Origin, at: int
    ) -> None:
        known = [
            (name, one.EventFields)
            for one in events
            if (name := self._held.event_of.get(one.ClientHandle)) is not None
            and await self._is_wanted(name, one.EventFields)
        ]
        # First: what was dropped came before what is left, wherever that is said.
        for name in {name for name, values in known if type_of(values) == OVERFLOWED}:
            await self._recover(name, "the server dropped messages")
        for name, values in known:
            await self._hear(name, values, origin, at)

    async def _is_wanted(self, name: str, values: Sequence[ua.Variant]) -> bool:
        """Whether a message is one of ``name``: the server has chosen, or we do."""
        if name not in self._held.unfiltered:
            return True
        severity_min = self._settings.events[name].severity_min
        found = self._held.events[name]
        return await self._choosing.is_wanted(found, severity_min, values)

    async def _hear(
        self, name: str, values: Sequence[ua.Variant], origin: Origin, at: int
    ) -> None:
        kind = type_of(values)
        refreshing = self._memory.refreshing
        if kind == REFRESH_BEGINS:
            refreshing[name] = {}
        elif kind == REFRESH_ENDS:
            standing = refreshing.pop(name, None)
            if standing is not None:
                told = tuple(standing.values())
                await self._emit(EventRefresh(kind=name, standing=told, at=at))
        elif kind == REFRESH_WANTED:
            async with self._connection.asking():
                await self.ask_anew()
        elif kind != OVERFLOWED:
            await self._tell(name, values, origin, at)

    async def _tell(
        self, name: str, values: Sequence[ua.Variant], origin: Origin, at: int
    ) -> bool:
        """Tell a message, or keep it for the end of a refresh; whether it was news."""
        try:
            told = read_event(
                name,
                self._settings.events[name],
                self._held.events[name],
                values,
                namespaces=self._connection.namespaces,
                received_at=at,
                origin=origin,
            )
        except UNREADABLE as error:
            self._log.warning("event_unreadable", kind=name, reason=repr(error))
            await self._tell_gap(name, at, at, Recovered.NONE, "it cannot be read")
            return False
        own_id, standing = event_id(values), self._memory.refreshing.get(name)
        if standing is not None and origin is not Origin.BACKFILL:
            standing.pop(told.sample.condition, None)
            if told.is_retained:
                standing[told.sample.condition] = told.sample
        is_news = not self._memory.is_repeat(name, own_id)
        if is_news:
            if standing is None or not told.is_retained:
                await self._emit(told.sample)
            self._memory.keep(name, own_id, told.sample.source_at)
        return is_news

    async def _recover(self, name: str, reason: str) -> None:
        """Read what the server has kept since the last message of this kind."""
        found = self._held.events.get(name)
        mark = self._memory.marks.get(name)
        if found is None:
            return
        away = self._memory.away_since.get(name, self._memory.began[name])
        since = away - MARGIN_US if mark is None else mark.at
        now = _now()
        past = None
        is_older = False
        if found.has_history and self._settings.history == "auto":
            async with self._connection.asking(within_s=LONGEST_S):
                past = await read_past_events(
                    self._connection,
                    found,
                    self._settings.events[name].severity_min,
                    since,
                    now=now,
                    is_of_all=name in self._held.unfiltered,
                    log=self._log,
                )
                is_older = await self._has_run_since(since)
        messages = [
            values
            for values in (() if past is None else past.events)
            if type_of(values) not in NOTICES and await self._is_wanted(name, values)
        ]
        count = 0
        for values in messages:
            count += await self._tell(name, values, Origin.BACKFILL, now)
        recovered = Recovered.PART if count else Recovered.NONE
        if past is not None and past.is_whole:
            # It begins with what was told last, or there was nothing to be told.
            begins = any(mark and event_id(one) == mark.id for one in messages)
            is_quiet = mark is None and not messages and is_older
            recovered = Recovered.ALL if begins or is_quiet else recovered
        await self._tell_gap(name, since, now, recovered, reason)
        self._log.info(
            "opcua_events_recovered",
            kind=name,
            reason=reason,
            count=count,
            recovered=recovered.value,
        )

    async def _has_run_since(self, since: int) -> bool:
        (data,) = await self._connection.read([STARTED])
        at = None if data.Value is None else to_micros(data.Value.Value)
        return at is not None and at <= since

    async def _tell_gap(
        self, name: str, since: int, until: int, recovered: Recovered, reason: str
    ) -> None:
        await self._emit(
            DataGap(
                tags=(label(name),),
                since=since,
                until=max(since, until),
                recovered=recovered,
                reason=reason,
            )
        )

    async def _create(self, name: str, found: FoundEvent) -> None:
        """Have the server listen for one kind of messages; choose here if it cannot."""
        held = self._held
        held.last_handle += 1
        # Known before we ask: the first message may come before the answer.
        held.event_of[held.last_handle] = name
        held.events[name] = found
        self._memory.began.setdefault(name, _now())
        result = await self._ask_for(name, found)
        if result.StatusCode.value in FILTER_REFUSALS:
            held.unfiltered[name] = result.StatusCode.name
            result = await self._ask_for(name, found)
        reason = _refusal(result, found, self._settings.events[name].fields)
        if reason:
            del held.events[name], held.event_of[held.last_handle]
            held.unfiltered.pop(name, None)
            self._miss(name, reason)
            if result.StatusCode.is_good():
                dead = ua.DeleteMonitoredItemsParameters(
                    held.subscription, [result.MonitoredItemId]
                )
                await self._connection.session.delete_monitored_items(dead)
            return
        if self.missing.pop(name, None) is not None:
            self._log.info("event_found", kind=name)
        self._log.info(
            "opcua_event_listened_for",
            kind=name,
            sampling_ms=result.RevisedSamplingInterval,
            queue=result.RevisedQueueSize,
            has_history=found.has_history,
        )
        if name in held.unfiltered:
            reason = held.unfiltered[name]
            self._log.warning("opcua_events_unfiltered", kind=name, reason=reason)

    async def _ask_for(
        self, name: str, found: FoundEvent
    ) -> ua.MonitoredItemCreateResult:
        """Ask for the messages under the newest handle."""
        held, settings = self._held, self._settings
        item = ua.MonitoredItemCreateRequest()
        item.ItemToMonitor.NodeId = found.notifier
        item.ItemToMonitor.AttributeId = ua.AttributeIds.EventNotifier
        item.MonitoringMode = ua.MonitoringMode.Reporting
        item.RequestedParameters.ClientHandle = held.last_handle
        item.RequestedParameters.SamplingInterval = 0
        item.RequestedParameters.QueueSize = settings.queue
        item.RequestedParameters.DiscardOldest = True
        item.RequestedParameters.Filter = filter_of(
            found,
            settings.events[name].severity_min,
            is_of_all=name in held.unfiltered,
        )
        params = ua.CreateMonitoredItemsParameters()
        params.SubscriptionId = held.subscription
        params.TimestampsToReturn = ua.TimestampsToReturn.Both
        params.ItemsToCreate = [item]
        (result,) = await self._connection.session.create_monitored_items(params)
        return result

    def _conditions(self) -> list[str]:
        return [name for name, one in self._held.events.items() if one.is_condition]

    def _miss(self, name: str, reason: str) -> None:
        if self.missing.get(name) != reason:
            self._log.warning("event_missing", kind=name, reason=reason)
        self.missing[name] = reason


def _refusal(
    result: ua.MonitoredItemCreateResult, found: FoundEvent, paths: dict[str, str]
) -> str:
    """Return why the server does not tell what it was asked for; empty if it does."""
    if not result.StatusCode.is_good():
        return str(result.StatusCode.name)
    of_columns = getattr(result.FilterResult, "SelectClauseResults", None) or ()
    first_of_ours = len(of_columns) - len(found.fields)
    for (name, _), status in zip(
        found.fields, of_columns[max(0, first_of_ours) :], strict=False
    ):
        if status.is_bad():
            return f"the field {paths[name]} is {status.name}"
    return ""


def _now() -> int:
    return time.time_ns() // 1000
