"""Read the blocks of a link when they are due, and go on around what fails.

A question without an answer is asked again; a unit that stays silent is probed now and
then, and the others keep their beat; if none answers, the link is lost.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from structlog.stdlib import BoundLogger

from mes_adapters.modbus.line import NoAnswer
from mes_adapters.modbus.plan import Block, plan
from mes_adapters.modbus.reading import Answer, Exchange
from mes_adapters.modbus.refusals import ILLEGAL, Refusals
from mes_adapters.modbus.settings import BlockSettings, ModbusSettings
from mes_adapters.modbus.tags import ModbusTag
from mes_adapters.modbus.telling import Teller
from mes_adapters.modbus.units import Unit
from mes_adapters.modbus.whole import Verdict, Wholeness
from mes_engine.core.errors import SourceLost, SourceMisconfigured

BUSY = frozenset({5, 6})
"""Acknowledged and still at it, or busy: the same request may be answered soon."""
NO_PATH = frozenset({10, 11})
"""A gateway has no path to the unit, or the unit does not answer it."""
SILENT_TCP, SILENT_SERIAL = 2, 3
"""Questions in a row that nobody answered: then the link is lost."""
FIRST_PAUSE_S = 1.0
"""How long a block is left alone that alone fails in its unit; doubling."""
START_S = 1.0
"""A device that is starting is asked so often."""


@dataclass(slots=True)
class Turn:
    """A block, and when it is read next."""

    block: Block
    due: float
    wholeness: Wholeness
    was_busy: int = 0
    failures: int = 0


class Known:
    """What is known of a device for longer than one connection to it."""

    def __init__(self, tags: Mapping[str, ModbusTag], settings: ModbusSettings) -> None:
        self.tags = tags
        self.has_worked = False
        self.refusals = Refusals()
        self.good_at: dict[str, int] = {}
        self.units = {
            block.unit: Unit(settings.of_unit(block.unit))
            for block in plan(tags, settings)
        }


class Poller:
    """Polls over one connection."""

    def __init__(
        self,
        exchange: Exchange,
        settings: ModbusSettings,
        known: Known,
        teller: Teller,
        log: BoundLogger,
        *,
        name: str,
    ) -> None:
        self._exchange = exchange
        self._settings = settings
        self._known = known
        self._teller = teller
        self._log = log
        self._name = name
        self._began = self._now()
        self._turns: list[Turn] = []
        self._gone: set[int] = set()
        self._unanswered = 0
        is_serial = settings.address.framing.is_serial
        self._most_unanswered = SILENT_SERIAL if is_serial else SILENT_TCP

    async def run(self) -> None:
        """Poll until the connection is lost.

        Raises:
            SourceLost: Nothing answers any more.
            SourceMisconfigured: The device has none of the addresses.
        """
        for unit in self._known.units.values():
            unit.retried()
        self._plan()
        while True:
            turn = self._next()
            await asyncio.sleep(max(self._earliest(turn) - self._now(), 0))
            refusals = self._known.refusals
            if refusals.tags and self._now() >= refusals.again_at:
                refusals.tags.clear()
                self._plan()
            else:
                await self._take(turn)

    def _next(self) -> Turn:
        """What can be read now comes by how long it is due; the rest by when it can."""
        now = self._now()
        return min(
            self._turns, key=lambda turn: (max(self._earliest(turn), now), turn.due)
        )

    def _earliest(self, turn: Turn) -> float:
        unit = turn.block.unit
        free_at = self._known.units[unit].free_at
        return max(turn.due, free_at, self._exchange.free_at(unit))

    def _plan(self) -> None:
        """Make turns for all that is not refused; blocks that stay keep their turn."""
        refusals = self._known.refusals
        tags = {n: t for n, t in self._known.tags.items() if n not in refusals.tags}
        before = {turn.block: turn for turn in self._turns}
        now = self._now()
        self._turns = []
        for block in plan(tags, self._settings, forbid=refusals.holes):
            said = self._settings.blocks.get(block.name, BlockSettings())
            is_slow = self._known.units[block.unit].is_down  # the others go first
            due = now + self._settings.timeout_s if is_slow else now
            new = Turn(block, due, Wholeness(block, said))
            self._turns.append(before.get(block, new))
            if not block.is_apart:
                self._log.warning("block_not_told_apart", block=str(block))

    async def _take(self, turn: Turn) -> None:
        block = turn.block
        try:
            answer = await self._exchange.read(
                block.unit, block.table, block.start, block.count
            )
            if answer.exception in ILLEGAL:
                self._answered(block.unit)
                await self._refused(turn)
                return
        except NoAnswer as missed:
            await self._failed(turn, str(missed))
            return
        if answer.exception in NO_PATH:
            await self._teller.bad(self._tags_of(block.unit))
            await self._failed(turn, f"the gateway has no path ({answer.exception})")
            return
        self._answered(block.unit)
        if answer.exception in BUSY and turn.was_busy < self._settings.busy_retries:
            turn.due = self._now() + self._settings.busy_wait_s * 2**turn.was_busy
            turn.was_busy += 1
            return
        turn.was_busy = 0
        if answer.exception:
            await self._teller.bad(name for name, _ in block.tags)
            self._next_beat(turn)
        else:
            await self._heard(turn, answer)

    async def _heard(self, turn: Turn, answer: Answer) -> None:
        block = turn.block
        verdict = turn.wholeness.judge(answer.words)
        if verdict is Verdict.FOREIGN:
            await self._set_back(turn, "it has another sentinel")
            return
        turn.failures = 0
        self._known.has_worked = True
        await self._found(name for name, _ in block.tags)
        if verdict is Verdict.WHOLE:
            await self._teller.good(block, answer)
            self._next_beat(turn)
            return
        guarded = turn.wholeness.guarded
        await self._teller.good(block, answer, leave_out=guarded)
        if verdict is Verdict.TORN:
            self._log.warning("values_torn", block=str(block), tags=sorted(guarded))
            await self._teller.bad(sorted(guarded))
            self._next_beat(turn)
        else:
            turn.due = self._now() + self._settings.torn_s

    async def _found(self, names: Iterable[str]) -> None:
        """Tell of tags that were missing until now."""
        if found := self._teller.missing.intersection(names):
            self._log.info("tags_found", tags=sorted(found))
            await self._teller.now_missing(self._teller.missing - found)

    async def _refused(self, turn: Turn) -> None:
        """Find out what of a block is refused, and read the rest without it."""
        refusals, known = self._known.refusals, self._known
        again_s = self._settings.refused_s
        if not await refusals.find(turn.block, self._exchange, again_s=again_s):
            self._next_beat(turn)
            return
        if refusals.tags >= known.tags.keys():
            self._give_up_if_settled()
            refusals.tags.clear()
            self._next_beat(turn, within_s=START_S)
            return
        for name in sorted(refusals.tags - self._teller.missing):
            self._log.warning("tag_missing", tag=name, block=str(turn.block))
        await self._teller.now_missing(self._teller.missing | refusals.tags)
        await self._teller.bad(sorted(refusals.tags))
        self._plan()

    def _give_up_if_settled(self) -> None:
        if self._now() - self._began < self._settings.settle_s:
            return
        problem = f"{self._name} refuses every address it is asked for."
        if self._known.has_worked:  # a device that is still starting, or being loaded
            raise SourceLost(problem)
        hint = "Check unit, table, address of its tags."
        raise SourceMisconfigured(problem, hint=hint)

    async def _failed(self, turn: Turn, reason: str) -> None:
        unit = turn.block.unit
        self._gone.add(unit)
        self._unanswered += 1
        is_news = self._known.units[unit].failed(self._now())
        if self._known.units[unit].is_down:
            self._next_beat(turn)
        else:
            await self._set_back(turn, reason)
        if is_news:
            self._log.warning("unit_lost", unit=unit, reason=reason)
            await self._teller.bad(self._tags_of(unit))
        units = self._known.units
        if all(units[other].is_down for other in units.keys() - self._gone):
            if self._unanswered >= self._most_unanswered:
                raise SourceLost(f"{self._name} does not answer: {reason}.")
            units[unit].retried()  # nobody else is there to be slowed

    async def _set_back(self, turn: Turn, reason: str) -> None:
        """Read a block again; later, if only this one of its unit keeps failing."""
        breaker = self._settings.of_unit(turn.block.unit).breaker
        turn.failures += 1
        if turn.failures < breaker.after:
            turn.due = self._now()
            return
        if turn.failures == breaker.after:
            self._log.warning("block_lost", block=str(turn.block), reason=reason)
        pause_s = FIRST_PAUSE_S * 2.0 ** min(turn.failures - breaker.after, 10)
        turn.due = self._now() + min(pause_s, breaker.probe_s)
        await self._teller.bad(name for name, _ in turn.block.tags)

    def _answered(self, unit: int) -> None:
        self._gone.clear()
        self._unanswered = 0
        if self._known.units[unit].answered(self._now()):
            self._log.info("unit_recovered", unit=unit)
            for turn in self._turns:
                if turn.block.unit == unit:
                    turn.due = min(turn.due, self._now())

    def _tags_of(self, unit: int) -> list[str]:
        turns = [turn for turn in self._turns if turn.block.unit == unit]
        return [name for turn in turns for name, _ in turn.block.tags]

    def _next_beat(self, turn: Turn, *, within_s: float | None = None) -> None:
        """Set the next turn: on the beat, and without those that were missed."""
        period_s = min(turn.block.period_s, within_s or turn.block.period_s)
        missed = max((self._now() - turn.due) // period_s, 0)
        turn.due += (missed + 1) * period_s

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
