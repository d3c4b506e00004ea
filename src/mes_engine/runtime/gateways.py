"""The gateways as the engine sees them: who feeds which link, and what they deliver.

A link is fed by one gateway at a time. Which one is known by hearing of it: a gateway
that has said nothing for ``LEASE_S`` may be replaced by another, and an older start of
the same one is fenced off by its ``instance``.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog

from mes_engine.core.errors import Malformed, OutcomeUnknown, Refused
from mes_engine.core.messages import Sensed
from mes_engine.ports import GatewayView
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.pace import Clock, Monotonic
from mes_engine.wire import (
    Delivered,
    Delivery,
    Mark,
    RefusedReport,
    SpoolStatus,
    sensed_decoder,
)

log = structlog.stdlib.get_logger()

LEASE_S = 10.0
MICROSECONDS = 1_000_000
COMMIT_S = 15.0
"""How long a delivery waits for its commit before it is told to come again."""


@dataclass(slots=True)
class _Gateway:
    """What is known of a gateway that was heard of since the engine was started."""

    instance: int
    links: frozenset[str]
    heard: float
    heard_at: int
    plant: str
    status: SpoolStatus = field(default_factory=SpoolStatus)
    delivered: int = 0
    refused: int = 0
    left_alone: dict[str, int] = field(default_factory=dict)
    is_lost: bool = False


class Gateways:
    """:class:`~mes_engine.ports.Intake`, and the state of whoever uses it.

    Attributes:
        lags: Of each link, how long its last report took from hearing it to the commit,
            in seconds.

    Args:
        engine: Who takes the reports.
        links: Every link of the plant.
        plant: The digest of the ``plant.yaml`` that the engine has read.
        clock: Microseconds of UTC.
        monotonic: For leases.
        lease_s: How long a gateway may say nothing.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        links: Iterable[str],
        plant: str,
        clock: Clock,
        monotonic: Monotonic,
        lease_s: float = LEASE_S,
    ) -> None:
        self.links = frozenset(links)
        self.lags: dict[str, float] = {}
        self.plant = plant
        self._engine = engine
        self._clock = clock
        self._monotonic = monotonic
        self._lease_s = lease_s
        self._known: dict[str, _Gateway] = {}

    async def take(self, gateway: str, delivery: Delivery) -> Delivered:
        """Have a delivery committed; see `ports.Intake`."""
        known = self._admit(gateway, delivery)
        sensed, refused = self._read(gateway, delivery.reports)
        try:
            async with asyncio.timeout(COMMIT_S):
                await self._engine.deliver(sensed)
        except TimeoutError:
            raise OutcomeUnknown(
                f"The delivery was not committed within {COMMIT_S:g} s.",
                hint="Deliver it again: what was committed is known.",
            ) from None
        now = self._clock()
        for one in sensed:
            self.lags[one.source] = max(now - one.report.at, 0) / MICROSECONDS
        known.delivered += len(sensed)
        known.refused += len(refused)
        sources = {one.source for one in sensed} | set(delivery.links)
        marks = self._engine.committed.watermark
        committed = {
            source: Mark(mark.epoch, mark.n)
            for source in sorted(sources)
            if (mark := marks.get(source)) is not None
        }
        return Delivered(committed=committed, refused=refused, plant=self.plant)

    def hear(self, gateway: str, instance: int) -> None:
        """Take a sign of life.

        Raises:
            Refused: It is not the one that was heard of last.
        """
        known = self._known.get(gateway)
        if known is None or known.instance != instance:
            raise Refused(
                f"This start of gateway '{gateway}' is not known here.",
                hint="Deliver first.",
            )
        self._heard(known)

    def owner_of(self, link: str) -> str | None:
        """Return the gateway that feeds ``link`` now, if one is heard of."""
        for name, known in self._known.items():
            if link in known.links and self._is_live(known):
                return name
        return None

    def views(self) -> Sequence[GatewayView]:
        """Return how each gateway stands."""
        return [self._view(name, one) for name, one in sorted(self._known.items())]

    def look(self) -> None:
        """Say in the log, once, which gateway is not heard of any more."""
        for name, known in self._known.items():
            if not self._is_live(known) and not known.is_lost:
                known.is_lost = True
                log.warning("gateway_lost", gateway=name, links=sorted(known.links))

    def _view(self, name: str, known: _Gateway) -> GatewayView:
        return GatewayView(
            id=name,
            is_heard=self._is_live(known),
            heard_at=known.heard_at,
            links=tuple(sorted(known.links)),
            has_this_plant=known.plant == self.plant,
            delivered=known.delivered,
            refused=known.refused,
            spool=known.status,
            left_alone=known.left_alone,
        )

    def _is_live(self, known: _Gateway) -> bool:
        return self._monotonic() - known.heard < self._lease_s

    def _admit(self, gateway: str, delivery: Delivery) -> _Gateway:
        links = frozenset(delivery.links)
        if foreign := sorted(links - self.links):
            raise Malformed(
                f"Link '{foreign[0]}' is not of this plant.",
                hint=f"Its links: {', '.join(sorted(self.links)) or 'none'}.",
            )
        known = self._known.get(gateway)
        if known is not None and known.instance > delivery.instance:
            raise Refused(
                f"Gateway '{gateway}' was started again elsewhere.",
                hint="End this one, or give it a name of its own.",
            )
        for name, other in self._known.items():
            shared = sorted(links & other.links)
            if name != gateway and shared and self._is_live(other):
                raise Refused(
                    f"Link '{shared[0]}' is fed by gateway '{name}'.",
                    hint=f"End '{name}', or leave the link to it.",
                )
        if known is None or known.instance != delivery.instance:
            known = _Gateway(
                instance=delivery.instance,
                links=links,
                heard=self._monotonic(),
                heard_at=self._clock(),
                plant=delivery.plant,
            )
            self._known[gateway] = known
            log.info("gateway_connected", gateway=gateway, links=sorted(links))
        known.links = links
        known.plant = delivery.plant
        known.status = delivery.status
        known.left_alone = delivery.left_alone
        self._heard(known)
        return known

    def _heard(self, known: _Gateway) -> None:
        known.heard = self._monotonic()
        known.heard_at = self._clock()
        if known.is_lost:
            known.is_lost = False
            log.info("gateway_recovered", links=sorted(known.links))

    def _read(
        self, gateway: str, reports: Sequence[msgspec.Raw]
    ) -> tuple[list[Sensed], tuple[RefusedReport, ...]]:
        """Tell what can be read and may come from this gateway from the rest."""
        sensed: list[Sensed] = []
        refused: list[RefusedReport] = []
        for index, raw in enumerate(reports):
            try:
                one = sensed_decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                refused.append(RefusedReport(index=index, reason=str(error)))
                continue
            owner = self.owner_of(one.source)
            if one.source not in self.links:
                reason = f"there is no link '{one.source}' in the plant"
                refused.append(RefusedReport(index=index, reason=reason))
            elif owner not in (None, gateway):
                reason = f"link '{one.source}' is fed by gateway '{owner}'"
                refused.append(
                    RefusedReport(index=index, reason=reason, is_elsewhere=True)
                )
            else:
                sensed.append(one)
        if refused:
            log.warning(
                "reports_refused",
                gateway=gateway,
                reports=len(refused),
                reason=refused[0].reason,
            )
        return sensed, tuple(refused)
