"""Write a value once, and read back what became of it."""

import asyncio
from collections.abc import Mapping, Sequence

from mes_adapters.modbus.line import Line, NoAnswer
from mes_adapters.modbus.mapping import Value, decode, encode
from mes_adapters.modbus.plan import unit_of
from mes_adapters.modbus.reading import Answer, Exchange
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.tags import ModbusTag, Table
from mes_adapters.modbus.wire import exception_of, setting_coil, setting_registers
from mes_engine.core.errors import Malformed, OutcomeUnknown, Refused, SourceLost
from mes_engine.ports import WriteResult

Words = Sequence[int | bool]


class Writer:
    """Writes to the tags that say so. One write at a time."""

    def __init__(
        self,
        line: Line,
        exchange: Exchange,
        settings: ModbusSettings,
        tags: Mapping[str, ModbusTag],
    ) -> None:
        self._line = line
        self._exchange = exchange
        self._settings = settings
        self._tags = tags
        self._lock = asyncio.Lock()

    async def write(self, name: str, value: Value, expect: Value | None) -> WriteResult:
        """Write as :class:`~mes_engine.ports.Writes` says.

        A tag that is some bits of a register is read, changed and written as a whole:
        if the device changes other bits of it in between, that change is lost.
        """
        tag = self._tags.get(name)
        if tag is None or not tag.writable:
            hint = "Say writable: true at the tag, if the device allows it."
            raise Refused(f"{name} is not a tag to be written.", hint=hint)
        async with self._lock:
            if not self._line.is_open:
                raise SourceLost(f"{self._line.name} is not connected.")
            before: Words = ()
            if expect is not None or tag.bit is not None:
                before = await self._before(name, tag, expect)
            try:
                words = encode(tag, value, before=[int(word) for word in before])
            except ValueError as error:
                raise Malformed(f"{name} cannot be written: {error}.") from error
            is_answered = await self._set(name, tag, words)
            back = await self._back(name, tag)
        found, _ = decode(tag, back.words)
        is_verified = list(back.words) == list(words) or (
            tag.bit is not None and found == value
        )
        if not is_answered and not is_verified:
            raise OutcomeUnknown(
                f"{name} was written and not answered, and holds {found} so far.",
                hint="Look at the device before writing again.",
            )
        return WriteResult(tag=name, value=found, at=back.at, is_verified=is_verified)

    async def _before(self, name: str, tag: ModbusTag, expect: Value | None) -> Words:
        try:
            answer = await self._read(tag)
        except NoAnswer as missed:
            raise SourceLost(f"{name} cannot be read: {missed}.") from missed
        if answer.exception:
            text = f"{name} cannot be read: modbus exception {answer.exception}."
            raise Refused(text)
        found, _ = decode(tag, answer.words)
        if expect is not None and found != expect:
            raise Refused(f"{name} holds {found}, and not {expect} as expected.")
        return answer.words

    async def _set(self, name: str, tag: ModbusTag, words: Sequence[int]) -> bool:
        """Send the write; return whether the device answered that it is done."""
        unit = unit_of(tag, self._settings)
        if tag.table is Table.COIL:
            question = setting_coil(unit, tag.address, is_on=bool(words[0]))
        else:
            question = setting_registers(unit, tag.address, words)
        await self._until_free(unit)
        try:
            pdu = await self._exchange.ask(question)
        except (NoAnswer, SourceLost):
            return False
        if exception := exception_of(pdu):
            text = f"{name} was not written: the device answers exception {exception}."
            raise Refused(text)
        return True

    async def _back(self, name: str, tag: ModbusTag) -> Answer:
        try:
            answer = await self._read(tag)
        except (NoAnswer, SourceLost) as missed:
            text = f"{name} was written and cannot be read back: {missed}."
            raise OutcomeUnknown(text) from missed
        if answer.exception:
            text = f"{name} was written and cannot be read back."
            raise OutcomeUnknown(text)
        return answer

    async def _read(self, tag: ModbusTag) -> Answer:
        unit = unit_of(tag, self._settings)
        await self._until_free(unit)
        return await self._exchange.read(unit, tag.table, tag.address, tag.width)

    async def _until_free(self, unit: int) -> None:
        """Wait while an answer to an earlier question may still come."""
        wait_s = self._exchange.free_at(unit) - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
