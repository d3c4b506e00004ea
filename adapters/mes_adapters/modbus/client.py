"""A connection to a Modbus TCP device: the only user of ``pymodbus``.

Its interface is ours, because pymodbus changes its own in minor releases.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from mes_adapters.modbus.mapping import Block
from mes_adapters.modbus.settings import ModbusSettings, Table
from mes_engine.core.errors import SourceLost

T = TypeVar("T")

SLACK_S = 0.5
BITS_PER_BYTE = 8

ILLEGAL = frozenset({1, 2, 3})
"""Function, address or value: this request will never be answered."""
BUSY = frozenset({5, 6})
"""Acknowledged and still at it, or busy: the same request may be answered soon."""
NO_PATH = frozenset({10, 11})
"""A gateway has no path to the unit, or the unit does not answer it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device said, in the middle between asking and hearing (UTC micros).

    Attributes:
        words: One register or bit for each address; empty with an ``exception``.
        exception: The Modbus exception code, or 0.
    """

    words: Sequence[int | bool]
    at: int
    exception: int = 0


class ModbusClient:
    """Opened and closed as a context. One request at a time, none repeated."""

    def __init__(self, settings: ModbusSettings) -> None:
        self._settings = settings
        self._name = f"{settings.host}:{settings.port}"
        # It dumps bytes at each outage, of which we tell in our own words.
        if logging.getLogger("pymodbus").level == logging.NOTSET:
            logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        self._client = AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            timeout=settings.timeout_s + SLACK_S,  # ours is first
            retries=0,
            reconnect_delay=0,
        )

    async def __aenter__(self) -> Self:
        try:
            is_open = await self._within_time(self._client.connect)
        except BaseException:
            self._client.close()
            raise
        if not is_open:
            self._client.close()
            raise SourceLost(f"{self._name} cannot be reached.")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()

    async def read(self, block: Block) -> Answer:
        """Ask for ``block`` and return the answer, which may be an exception.

        Raises:
            SourceLost: There is no answer in time, or it does not fit the question.
        """
        asked = time.time_ns()
        pdu = await self._within_time(lambda: self._ask(block))
        at = (asked + time.time_ns()) // 2000
        if pdu.isError():
            return Answer(words=(), at=at, exception=int(pdu.exception_code))
        words: Sequence[int | bool] = (
            pdu.bits if block.table.has_bits else pdu.registers
        )
        # Bits come in whole bytes.
        expected = block.count
        if block.table.has_bits:
            expected += -expected % BITS_PER_BYTE
        if len(words) != expected:
            raise SourceLost(
                f"{self._name} answers {len(words)} values of {block.table} where "
                f"{expected} were asked for, from {block.start} of unit {block.unit}."
            )
        return Answer(words=words[: block.count], at=at)

    def _ask(self, block: Block) -> Awaitable[ModbusPDU]:
        ask = {
            Table.COIL: self._client.read_coils,
            Table.DISCRETE: self._client.read_discrete_inputs,
            Table.HOLDING: self._client.read_holding_registers,
            Table.INPUT: self._client.read_input_registers,
        }[block.table]
        return ask(block.start, count=block.count, device_id=block.unit)

    async def _within_time(self, work: Callable[[], Awaitable[T]]) -> T:
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                result = await work()
        except TimeoutError as error:
            raise SourceLost(
                f"{self._name} does not answer within {self._settings.timeout_s:g} s."
            ) from error
        except ConnectionException as error:
            raise SourceLost(f"{self._name} closed the connection.") from error
        except (ModbusException, OSError, ValueError) as error:
            raise SourceLost(f"{self._name} is lost: {error}.") from error
        # pymodbus uses wait_for, which on Python 3.11 can swallow a cancellation.
        if task and task.cancelling() > cancelled_before:
            raise asyncio.CancelledError
        return result
