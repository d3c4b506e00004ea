"""What is measured of an engine at work, for whoever watches it (Prometheus).

Only durations are noted as they happen. What the parts count anyway is read when
somebody asks, on the event loop, so that a scrape sees one moment of the engine.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import structlog
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Histogram,
    ProcessCollector,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mes_engine.core.facts import PostingMoved, PostingRaised, Recorded
from mes_engine.core.postings import SETTLED, PostingState
from mes_engine.core.state import State
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.gateways import MICROSECONDS, Gateways
from mes_engine.runtime.pace import Clock, Monotonic

log = structlog.stdlib.get_logger()

LOOK_S = 0.05
STALL_S = 0.1
"""No part may keep the event loop to itself for longer."""
COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)


class Durations:
    """What the engine notes of each commit."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "mes_commit_seconds",
            "How long the store took for a commit that was made.",
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self._messages = Histogram(
            "mes_batch_messages",
            "How many messages shared a commit.",
            buckets=BATCH_BUCKETS,
            registry=registry,
        )

    def committed(self, *, messages: int, seconds: float) -> None:
        """Note a commit."""
        self._messages.observe(messages)
        self._seconds.observe(seconds)


class Outbox:
    """The postings that the ledger has not settled, by state, and how old they are."""

    def __init__(self, committed: State) -> None:
        self._waiting: dict[str, tuple[PostingState, int]] = {
            one.key: (one.state, one.occurred_at)
            for one in committed.posting.values()
            if one.state not in SETTLED
        }

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit (a tap of the feed)."""
        for recorded in records:
            fact = recorded.fact
            if isinstance(fact, PostingRaised):
                one = fact.posting
                self._set(one.key, one.state, one.occurred_at)
            elif isinstance(fact, PostingMoved):
                known = self._waiting.get(fact.posting)
                since = recorded.occurred_at if known is None else known[1]
                self._set(fact.posting, fact.state, since)

    def _set(self, key: str, state: PostingState, since: int) -> None:
        if state in SETTLED:
            self._waiting.pop(key, None)
        else:
            self._waiting[key] = (state, since)

    def by_state(self) -> Mapping[PostingState, int]:
        """Return how many wait, by state; every state that can wait is named."""
        found = Counter(state for state, _ in self._waiting.values())
        return {one: found[one] for one in PostingState if one not in SETTLED}

    def oldest(self) -> int | None:
        """Return since when the oldest waits, in microseconds of UTC."""
        return min((since for _, since in self._waiting.values()), default=None)


class EngineCollector(Collector):
    """What an engine and the parts beside it have counted, read when asked.

    Args:
        engine: The engine.
        feed: Whom it tells.
        gateways: Who brings it what machines say.
        outbox: What the ledger is still to settle.
        links: Tells the state of each link, by id.
        clock: Microseconds of UTC.
        database: The file of the database; None where it is none.
        version: Of the software.
    """

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        gateways: Gateways,
        outbox: Outbox,
        *,
        links: Callable[[], Mapping[str, str]],
        clock: Clock,
        database: Path | None,
        version: str,
    ) -> None:
        self._engine = engine
        self._feed = feed
        self._gateways = gateways
        self._outbox = outbox
        self._links = links
        self._clock = clock
        self._database = database
        self._version = version

    def collect(self) -> Iterable[Metric]:
        """Read everything, at one moment."""
        yield InfoMetricFamily(
            "mes_build", "The software.", value={"version": self._version}
        )
        yield from self._of_the_engine()
        yield from self._of_postings()
        yield from self._of_links()
        yield from self._of_files()

    def _of_the_engine(self) -> Iterator[Metric]:
        engine, inbox = self._engine, self._engine.inbox
        counts = engine.counts
        told = CounterMetricFamily(
            "mes_commands",
            "Commands answered, by what became of them.",
            labels=["outcome"],
        )
        for outcome, number in sorted(counts.outcomes.items()):
            told.add_metric([outcome], number)
        yield told
        for name, says, number in (
            ("messages", "Messages handled: commands and reports.", counts.messages),
            ("facts", "Facts committed.", counts.facts),
            ("commits", "Commits made.", counts.commits),
            ("repeats", "Messages that had been handled before.", counts.repeats),
            ("set_aside", "Messages that could not be handled.", counts.set_aside),
            ("failed_commits", "Commits that failed.", counts.failed_commits),
            ("store_outages", "Times that the store was lost.", counts.outages),
            ("inbox_refused", "Messages refused: no room.", inbox.overloads),
            ("streams_cut", "Streams cut: too slow.", self._feed.cuts),
        ):
            yield CounterMetricFamily(f"mes_{name}", says, value=number)
        for name, says, level in (
            ("inbox_messages", "Messages that wait for the engine.", len(inbox)),
            ("inbox_capacity", "How many may wait.", inbox.capacity),
            ("is_accepting", "1 while commands are taken.", engine.is_accepting),
            ("journal_seq", "The last fact's number.", engine.committed.seq),
            ("streams", "Who follows the feed.", len(self._feed)),
        ):
            yield GaugeMetricFamily(f"mes_{name}", says, value=float(level))
        rows = GaugeMetricFamily(
            "mes_state_rows", "What is kept in memory.", labels=["table"]
        )
        for name, table in engine.committed.tables.items():
            rows.add_metric([name], len(table.own))
        yield rows

    def _of_postings(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "mes_postings",
            "Postings that the ledger has not settled.",
            labels=["state"],
        )
        for state, number in self._outbox.by_state().items():
            waiting.add_metric([state], number)
        yield waiting
        oldest = self._outbox.oldest()
        age = 0.0 if oldest is None else self._since(oldest)
        yield GaugeMetricFamily(
            "mes_postings_oldest_seconds",
            "How long the oldest of them waits; 0 if none does.",
            value=age,
        )

    def _of_links(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "mes_link_up", "1 while the link is connected.", labels=["link"]
        )
        for link, state in sorted(self._links().items()):
            up.add_metric([link], state == "connected")
        yield up
        lag = GaugeMetricFamily(
            "mes_source_lag_seconds",
            "From hearing the last report of a link to its commit.",
            labels=["link"],
        )
        for link, seconds in sorted(self._gateways.lags.items()):
            lag.add_metric([link], seconds)
        yield lag
        heard, waiting, oldest, aside = (
            GaugeMetricFamily(f"mes_gateway_{name}", says, labels=["gateway"])
            for name, says in (
                ("up", "1 while the gateway is heard of."),
                ("spool_reports", "Reports that wait on its disk."),
                ("spool_oldest_seconds", "How long the oldest of them waits."),
                ("set_aside", "Reports that the engine will never take."),
            )
        )
        for one in self._gateways.views():
            heard.add_metric([one.id], one.is_heard)
            waiting.add_metric([one.id], one.spool.waiting)
            aside.add_metric([one.id], one.spool.set_aside)
            since = one.spool.oldest_at
            oldest.add_metric([one.id], self._since(since) if since else 0.0)
        yield from (heard, waiting, oldest, aside)

    def _of_files(self) -> Iterator[Metric]:
        if self._database is None:
            return
        size = GaugeMetricFamily(
            "mes_database_bytes", "What the database takes.", labels=["file"]
        )
        for name, path in (
            ("database", self._database),
            ("wal", self._database.with_name(f"{self._database.name}-wal")),
        ):
            size.add_metric([name], path.stat().st_size if path.exists() else 0)
        yield size

    def _since(self, at: int) -> float:
        return max(self._clock() - at, 0) / MICROSECONDS


def process_collectors(registry: CollectorRegistry) -> None:
    """Add what the process itself takes: memory, descriptors, time, collections."""
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)


async def watch_loop(
    registry: CollectorRegistry,
    *,
    look_s: float = LOOK_S,
    stall_s: float = STALL_S,
    monotonic: Monotonic = time.monotonic,
) -> None:
    """Note how late the event loop is, for as long as the task lives."""
    lag = Histogram(
        "mes_loop_lag_seconds",
        "How late the event loop comes to what is due.",
        buckets=LAG_BUCKETS,
        registry=registry,
    )
    while True:
        due = monotonic() + look_s
        await asyncio.sleep(look_s)
        late_s = max(monotonic() - due, 0.0)
        lag.observe(late_s)
        if late_s > stall_s:
            log.warning("loop_stalled", seconds=round(late_s, 3))
