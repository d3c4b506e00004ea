"""A subscription on an OPC UA server: made or taken over, and what it publishes.

Messages are numbered by the server and acknowledged by us only when they are told, so
that it can publish again what a lost connection has swallowed (OPC UA Part 4, 5.13).
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua
from asyncua.ua.uaerrors import UaStructParsingError
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import UNREADABLE, NotKept
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.mapping import next_sequence, sequences_between
from mes_adapters.opcua.memory import Held
from mes_adapters.opcua.settings import OpcUaSettings

IN_FLIGHT = 2
"""Requests to publish that the server has at hand."""
MOST_REPUBLISHED = 10_000
MOST_PER_MESSAGE = 10_000
DROPPED = frozenset(
    {ua.StatusCodes.BadNoSubscription, ua.StatusCodes.BadSubscriptionIdInvalid}
)


@dataclass(frozen=True, slots=True)
class News:
    """What the server published, and when it reached us (UTC micros).

    Attributes:
        is_replay: It was published while we were away, or did not reach us at first.
        has_more: The server has more of what changed meanwhile.
    """

    message: ua.NotificationMessage
    received_at: int
    is_replay: bool = False
    has_more: bool = False

    @property
    def parts(self) -> Sequence[object]:
        """Its notifications; none in a keep-alive."""
        return self.message.NotificationData or ()


class Subscription:
    """The one subscription of a connection."""

    def __init__(
        self, connection: Connection, settings: OpcUaSettings, log: BoundLogger
    ) -> None:
        self.held = Held(0, settings.silence_s())
        self._connection = connection
        self._settings = settings
        self._log = log
        self._flight: deque[asyncio.Task[tuple[ua.PublishResult, int]]] = deque()
        self._in_flight = IN_FLIGHT
        self._ready: deque[News] = deque()
        self._received = 0
        self._acks: list[ua.SubscriptionAcknowledgement] = []

    async def create(self) -> Held:
        """Make a new one on the server."""
        settings = self._settings
        request = ua.CreateSubscriptionRequest()
        params = request.Parameters
        params.RequestedPublishingInterval = settings.publish_ms
        keep_alive = max(1, int(settings.keepalive_s * 1000 / settings.publish_ms))
        lifetime = int(settings.lifetime_s * 1000 / settings.publish_ms)
        params.RequestedMaxKeepAliveCount = keep_alive
        params.RequestedLifetimeCount = max(lifetime, 3 * keep_alive)
        params.MaxNotificationsPerPublish = MOST_PER_MESSAGE
        params.PublishingEnabled = True
        answer = await self._connection.ask(request, ua.CreateSubscriptionResponse)
        revised = answer.Parameters
        self.held = Held(
            subscription=revised.SubscriptionId,
            silence_s=settings.silence_s(revised.RevisedPublishingInterval),
        )
        self._received = 0
        self._ready.clear()
        self._acks.clear()
        self._log.info(
            "opcua_subscribed",
            publish_ms=revised.RevisedPublishingInterval,
            keepalive_count=revised.RevisedMaxKeepAliveCount,
            lifetime_count=revised.RevisedLifetimeCount,
            silence_s=self.held.silence_s,
        )
        return self.held

    async def take_over(self, held: Held) -> bool:
        """Have the server move ``held`` to this session, and ask for what we missed.

        Returns:
            False if it does not, or has dropped some of what we missed.
        """
        params = ua.TransferSubscriptionsParameters([held.subscription], False)  # noqa: FBT003
        try:
            (result,) = await self._connection.session.transfer_subscriptions(params)
            # node-opcua says so of one that this session has already.
            if result.StatusCode.value != ua.StatusCodes.BadNothingToDo:
                result.StatusCode.check()
        except ua.UaStatusCodeError as error:
            self._log.info("opcua_subscription_gone", reason=str(error))
            return False
        self.held = held
        self._received = held.sequence
        there = [int(number) for number in result.AvailableSequenceNumbers or ()]
        while (
            message := await self._republished(next_sequence(self._received))
        ) is not None:
            self._received = int(message.SequenceNumber)
            self._ready.append(News(message, _now(), is_replay=True))
        ahead = [
            number for number in there if 0 < (number - self._received) % 2**32 < 2**31
        ]
        if ahead:
            self._log.warning(
                "opcua_messages_dropped", after=self._received, kept=sorted(ahead)[:3]
            )
            await self._connection.session.delete_subscriptions([held.subscription])
            self._ready.clear()
            return False
        self._acks = [
            ua.SubscriptionAcknowledgement(held.subscription, ua.UInt32(number))
            for number in there
            if (held.sequence - number) % 2**32 < 2**31
        ]
        self._log.info("opcua_subscription_taken_over", republished=len(self._ready))
        return True

    async def next(self, *, until: float) -> News | None:
        """Return what the server published next, or None at ``until`` (loop time).

        Raises:
            NotKept: The server has dropped the subscription, or some of its messages.
            SourceLost: The connection broke.
        """
        if self._ready:
            return self._ready.popleft()
        while len(self._flight) < self._in_flight:
            self._flight.append(asyncio.create_task(self._publish()))
        oldest = self._flight[0]
        left_s = max(0, until - asyncio.get_running_loop().time())
        await asyncio.wait({oldest}, timeout=left_s)
        if not oldest.done():
            return None
        self._flight.popleft()
        async with self._connection.asking():
            result = await self._published(oldest)
            if result is not None:
                await self._take(result)
        return self._ready.popleft() if self._ready else None

    def tell_done(self, news: News) -> None:
        """Take note that all of ``news`` was told: the server may forget it."""
        if news.parts:
            number = news.message.SequenceNumber
            self.held.sequence = int(number)
            self._acks.append(
                ua.SubscriptionAcknowledgement(self.held.subscription, number)
            )

    def proves_life(self, news: News) -> bool:
        """Whether ``news`` shows that the server works, and not only its socket."""
        return bool(news.parts) or not self.held.has_heartbeat

    async def close(self) -> None:
        """Stop asking for more."""
        flight, self._flight = self._flight, deque()
        for task in flight:
            task.cancel()
        await asyncio.gather(*flight, return_exceptions=True)

    async def _publish(self) -> tuple[ua.PublishResult, int]:
        acks, self._acks = self._acks, []
        response = await self._connection.session.publish(acks)
        received_at = _now()
        response.ResponseHeader.ServiceResult.check()
        return response.Parameters, received_at

    async def _published(
        self, task: "asyncio.Task[tuple[ua.PublishResult, int]]"
    ) -> tuple[ua.PublishResult, int] | None:
        try:
            return await task
        except UaStructParsingError:
            return None  # the gap in the numbers gives it away
        except ua.UaStatusCodeError as error:
            if error.code in DROPPED:
                raise NotKept(
                    f"{self._connection.url} has dropped the subscription."
                ) from error
            if error.code == ua.StatusCodes.BadTooManyPublishRequests:
                self._in_flight = max(1, self._in_flight - 1)
                return None
            if error.code == ua.StatusCodes.BadTimeout:
                return None
            raise

    async def _take(self, published: tuple[ua.PublishResult, int]) -> None:
        result, received_at = published
        if result.SubscriptionId != self.held.subscription:
            return  # one that we have given up
        message = result.NotificationMessage
        sequence = int(message.SequenceNumber)
        between = sequences_between(self._received, sequence, most=MOST_REPUBLISHED)
        if between is None:
            raise NotKept(
                f"{self._connection.url} published number {sequence} after "
                f"{self._received}: it has begun anew."
            )
        for number in between:
            missed = await self._republished(number)
            if missed is None:
                raise NotKept(
                    f"{self._connection.url} published number {sequence} after "
                    f"{self._received}, and has not kept {number}."
                )
            self._ready.append(News(missed, _now(), is_replay=True))
        if between:
            self._log.warning("opcua_messages_missed", count=len(between))
        self._ready.append(
            News(message, received_at, has_more=bool(result.MoreNotifications))
        )
        # A keep-alive has the number of the next message, but does not use it up.
        self._received = sequence if message.NotificationData else _before(sequence)

    async def _republished(self, number: int) -> ua.NotificationMessage | None:
        """Return a message once more; None if the server has not kept it."""
        try:
            message = await self._connection.session.republish(
                self.held.subscription, number
            )
        except UNREADABLE as error:  # not there, or as unreadable as the first time
            self._log.debug("opcua_not_republished", number=number, reason=str(error))
            return None
        return message if int(message.SequenceNumber) == number else None


def _before(sequence: int) -> int:
    return sequence - 1 if sequence > 1 else 2**32 - 1


def _now() -> int:
    return time.time_ns() // 1000
