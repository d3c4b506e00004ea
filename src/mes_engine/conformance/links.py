"""What every link has to keep, played against a running device and a faulty network."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import ClassVar, cast

import pytest
from structlog.testing import capture_logs

from mes_engine.conformance.bench import Bench, Machine
from mes_engine.conformance.hearing import Heard, life, listening, supervised
from mes_engine.conformance.network import Relay, relaying
from mes_engine.core.errors import Malformed, Refused, SourceLost
from mes_engine.core.samples import LinkState, Quality
from mes_engine.ports import Writes

EVERY_S = 0.03
WITHIN_S = 30.0
MANY = 20

Fault = Callable[[Relay], None]
CUTS: dict[str, Fault] = {"closed": Relay.cut, "reset": Relay.reset}


class LinkConformance:
    """Tests of a link at one device. A subclass names the ``bench``."""

    bench: ClassVar[Bench]

    @pytest.mark.asyncio
    async def test_tells_the_truth_connected_first_then_every_tag(self) -> None:
        """Nothing is told before the device has answered."""
        async with self._heard() as (heard, _, _):
            await heard.until(lambda one: self._tags_of(one) == {*self.bench.tags})

            assert heard.all[0] == heard.reports[0]
            assert heard.reports[0].state is LinkState.CONNECTED
            for sample in heard.samples:
                assert sample.quality is Quality.GOOD
                assert sample.received_at > 0

    @pytest.mark.asyncio
    async def test_tells_the_truth_absolute_and_in_order(self) -> None:
        """A counter's position is told as it is; it never goes back by itself."""
        async with self._heard() as (heard, machine, _):
            await self._counts(heard, machine, values=10)

            truth = await self._final(heard, machine)
            assert self._is_true(heard, truth)

    @pytest.mark.asyncio
    async def test_tells_the_truth_when_bytes_come_one_by_one(self) -> None:
        """A message has no length that the network would keep."""
        async with self._heard() as (heard, machine, relay):
            relay.most = 1
            await self._counts(heard, machine, values=5)

            truth = await self._final(heard, machine)
            assert self._is_true(heard, truth)

    @pytest.mark.asyncio
    async def test_ends_what_it_began_when_it_is_cancelled(self) -> None:
        """The engine that stops leaves no connection behind."""
        async with self.bench.machine() as machine, relaying(machine.port) as relay:
            async with listening(self.bench.link(relay.port, self.bench.tags)) as heard:
                await heard.until(lambda one: one.reports)

            await relay.until_unused()

    @pytest.mark.asyncio
    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    async def test_ends_what_it_began_when_the_connection_goes(
        self, fault: Fault
    ) -> None:
        """One connection is one life: it is the supervisor that begins another."""
        async with self._heard() as (heard, _, relay):
            await heard.until(lambda one: self._tags_of(one) == {*self.bench.tags})
            fault(relay)
            await heard.until(lambda one: one.end, within_s=WITHIN_S)

            assert isinstance(heard.end, SourceLost)
            await relay.until_unused()

    @pytest.mark.asyncio
    async def test_ends_what_it_began_when_nobody_is_there(self) -> None:
        """The device may come later: that is no mistake of the settings."""
        async with self.bench.machine() as machine, relaying(machine.port) as relay:
            port = relay.port

        _, end = await life(self.bench.link(port, self.bench.tags))

        assert isinstance(end, SourceLost)

    @pytest.mark.asyncio
    async def test_notices_loss_of_a_network_that_swallows_all(self) -> None:
        """A connection that nobody has closed is not one that lives."""
        async with self._heard() as (heard, _, relay):
            await heard.until(lambda one: self._tags_of(one) == {*self.bench.tags})
            began = time.monotonic()
            relay.part()
            await heard.until(lambda one: one.end, within_s=WITHIN_S)

            assert isinstance(heard.end, SourceLost)
            assert time.monotonic() - began < 2 * self.bench.notices_s

    @pytest.mark.asyncio
    async def test_notices_loss_of_a_device_that_is_frozen(self) -> None:
        """Its sockets are open, and it will never answer."""
        async with self._heard() as (heard, machine, _):
            await heard.until(lambda one: self._tags_of(one) == {*self.bench.tags})
            machine.freeze()
            try:
                await heard.until(lambda one: one.end, within_s=WITHIN_S)
            finally:
                machine.thaw()

            assert isinstance(heard.end, SourceLost)

    @pytest.mark.asyncio
    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    async def test_reconnects_after_a_cut(self, fault: Fault) -> None:
        """What was counted meanwhile is in the next value."""
        async with self._supervised() as (heard, machine, relay):
            for _ in range(3):
                await self._counts(heard, machine, values=3)
                fault(relay)
                await heard.until(_is_down, within_s=WITHIN_S)
                await heard.until(_is_up, within_s=WITHIN_S)

            truth = await self._final(heard, machine)
            assert self._is_true(heard, truth)

    @pytest.mark.asyncio
    async def test_reconnects_after_a_partition(self) -> None:
        """An outage is shown as one while it lasts, and is over when it is."""
        async with self._supervised() as (heard, machine, relay):
            await self._counts(heard, machine, values=3)
            relay.part()
            await heard.until(_is_down, within_s=WITHIN_S)
            relay.join_again()
            await heard.until(_is_up, within_s=WITHIN_S)

            truth = await self._final(heard, machine)
            assert self._is_true(heard, truth)

    @pytest.mark.asyncio
    async def test_logs_once_an_outage(self) -> None:
        """A log that says the same a thousand times is read by nobody."""
        with capture_logs() as logs:
            async with self._supervised() as (heard, _, relay):
                await heard.until(_is_up, within_s=WITHIN_S)
                relay.part()
                await heard.until(_is_down, within_s=WITHIN_S)
                tries = relay.accepted + 2
                await relay.until_accepted(tries, within_s=2 * WITHIN_S)
                relay.join_again()
                await heard.until(_is_up, within_s=WITHIN_S)

        lost = [one for one in logs if one["event"] == "link_lost"]
        assert len(lost) == 1
        assert [one["event"] for one in logs].count("link_recovered") == 1

    @pytest.mark.asyncio
    async def test_names_missing_tags_and_tells_the_others(self) -> None:
        """One wrong address must not cost a machine."""
        tags = (*self.bench.tags, self.bench.absent)
        async with self._heard(tags) as (heard, machine, _):
            await heard.until(
                lambda one: one.reports and one.reports[-1].missing, within_s=WITHIN_S
            )

            assert heard.reports[-1].missing == (self.bench.absent,)
            assert heard.reports[-1].state is LinkState.CONNECTED
            absent = [one.quality for one in heard.of(self.bench.absent)]
            assert {*absent} <= {Quality.BAD}
            await self._counts(heard, machine, values=3)

    @pytest.mark.asyncio
    async def test_waits_for_the_engine_and_loses_nothing_unseen(self) -> None:
        """A slow engine slows the link; what then is lost is told as a gap."""
        async with self._heard(emit_delay_s=0.05) as (heard, machine, _):
            await machine.count(EVERY_S)
            await heard.until(
                lambda one: len(one.counts(self.bench.counter)) > MANY,
                within_s=WITHIN_S,
            )

            truth = await self._final(heard, machine)
            assert self._is_true(heard, truth)

    @pytest.mark.asyncio
    async def test_survives_the_network_that_stalls(self) -> None:
        """What was held back comes late, and must not be taken for news."""
        async with self._supervised() as (heard, machine, relay):
            await self._counts(heard, machine, values=3)
            relay.hold()
            await heard.until(_is_down, within_s=WITHIN_S)
            relay.release()
            await heard.until(_is_up, within_s=WITHIN_S)

            truth = await self._final(heard, machine)
            assert self._is_true(heard, truth)

    @pytest.mark.asyncio
    async def test_tells_gaps_after_an_outage(self) -> None:
        """All of it is recovered in order, or what is not is told."""
        async with self._supervised() as (heard, machine, relay):
            await self._counts(heard, machine, values=3)
            before = len(heard.all)
            relay.part()
            await heard.until(_is_down, within_s=WITHIN_S)
            relay.join_again()
            await heard.until(_is_up, within_s=WITHIN_S)
            truth = await self._final(heard, machine)

            counted = heard.counts(self.bench.counter)
            has_all = {*range(counted[0], truth + 1)} <= {*counted}
            later = [one for one in heard.gaps if one in heard.all[before:]]
            assert has_all or later

    @pytest.mark.asyncio
    async def test_writes_and_reads_back(self) -> None:
        """A write that nobody has seen arrive is not one that was done."""
        writable = self.bench.writable
        if writable is None:
            pytest.skip("the adapter does not write")
        async with self.bench.machine() as machine, relaying(machine.port) as relay:
            link = self.bench.link(relay.port, self.bench.tags)
            writes = cast("Writes", link)
            with pytest.raises(SourceLost):
                await writes.write(writable.tag, writable.first)
            async with listening(link) as heard:
                await heard.until(lambda one: self._tags_of(one) == {*self.bench.tags})
                for value, before in (
                    (writable.first, None),
                    (writable.second, writable.first),
                ):
                    result = await writes.write(writable.tag, value, expect=before)
                    assert (result.value, result.is_verified) == (value, True)
                with pytest.raises(Refused):
                    await writes.write(
                        writable.tag, writable.first, expect=writable.first
                    )
                with pytest.raises(Refused):
                    await writes.write(self.bench.counter, 1)
                if writable.wrong is not None:
                    with pytest.raises(Malformed):
                        await writes.write(writable.tag, writable.wrong)

    @staticmethod
    def _tags_of(heard: Heard) -> set[str]:
        return {one.tag for one in heard.samples}

    @asynccontextmanager
    async def _heard(
        self, tags: tuple[str, ...] = (), *, emit_delay_s: float = 0
    ) -> AsyncIterator[tuple[Heard, Machine, Relay]]:
        """One life of a link, through a network that can do what networks do."""
        async with self.bench.machine() as machine, relaying(machine.port) as relay:
            link = self.bench.link(relay.port, tags or self.bench.tags)
            async with listening(link, emit_delay_s=emit_delay_s) as heard:
                yield heard, machine, relay

    @asynccontextmanager
    async def _supervised(self) -> AsyncIterator[tuple[Heard, Machine, Relay]]:
        """A link as the engine runs it: life after life."""
        async with self.bench.machine() as machine, relaying(machine.port) as relay:
            link = self.bench.link(relay.port, self.bench.tags)
            async with supervised(link) as heard:
                yield heard, machine, relay

    async def _counts(self, heard: Heard, machine: Machine, *, values: int) -> None:
        """Have the machine count, until so many more values of it were told."""
        before = len({*heard.counts(self.bench.counter)})
        await machine.count(EVERY_S)
        await heard.until(
            lambda one: len({*one.counts(self.bench.counter)}) >= before + values,
            within_s=WITHIN_S,
        )

    async def _final(self, heard: Heard, machine: Machine) -> int:
        """Return the truth, once it was told."""
        truth = await machine.halt()
        await heard.until(
            lambda one: one.last(self.bench.counter) == truth, within_s=WITHIN_S
        )
        return truth

    def _is_true(self, heard: Heard, truth: int) -> bool:
        """Whether no value was told that the counter did not have, or out of order."""
        counts = heard.counts(self.bench.counter)
        is_in_order = all(one <= other for one, other in pairwise(counts))
        return is_in_order and counts[-1] == truth


def _states(heard: Heard) -> Iterator[LinkState]:
    yield from (one.state for one in reversed(heard.reports))


def _is_up(heard: Heard) -> bool:
    return next(_states(heard), None) is LinkState.CONNECTED


def _is_down(heard: Heard) -> bool:
    return next(_states(heard), None) is LinkState.DISCONNECTED
