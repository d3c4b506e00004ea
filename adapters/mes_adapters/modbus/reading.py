"""One exchange with a unit, and when it was."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mes_adapters.modbus.line import Line
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.tags import Table
from mes_adapters.modbus.wire import Question, asking, exception_of, words_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What a unit said, in the middle between asking and hearing (UTC micros).

    Attributes:
        words: One register or bit for each address; empty with an ``exception``.
        exception: The Modbus exception code, or 0.
    """

    words: Sequence[int | bool]
    at: int
    exception: int = 0


class Exchange:
    """Asks over a line, with the patience and the rests that the settings name."""

    def __init__(self, line: Line, settings: ModbusSettings) -> None:
        self._line = line
        self._settings = settings

    async def read(self, unit: int, table: Table, start: int, count: int) -> Answer:
        """Read ``count`` addresses from ``start``.

        Raises:
            NoAnswer: There was none that can be believed.
            SourceLost: The line is of no more use.
        """
        asked = time.time_ns()
        pdu = await self.ask(asking(unit, table, start, count))
        at = (asked + time.time_ns()) // 2000
        if exception := exception_of(pdu):
            return Answer(words=(), at=at, exception=exception)
        return Answer(words_of(pdu, count=count, has_bits=table.has_bits), at)

    async def ask(self, question: Question) -> bytes:
        """Ask, and rest as long as the device needs it. Raises as :meth:`read`."""
        timeout_s = self._settings.of_unit(question.unit).timeout_s
        pdu = await self._line.ask(
            question, timeout_s=timeout_s or self._settings.timeout_s
        )
        if self._settings.pause_s:
            await asyncio.sleep(self._settings.pause_s)
        return pdu

    def free_at(self, unit: int) -> float:
        """Return when ``unit`` may be asked, by the loop's clock."""
        return self._line.free_at(unit)
