"""Read a record of what links said again, through the same core, and tell its facts.

The record alone decides: the time of a message is its own, and what time alone brings
is told in between, when it is due. Two runs are the same, to the byte.
"""

from collections.abc import Iterable, Iterator

import msgspec

from mes_engine.core.decide import decide
from mes_engine.core.errors import SettingsError
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import (
    CommandHandled,
    Recorded,
    SourceAdvanced,
    fact_name,
    plain_of,
)
from mes_engine.core.messages import (
    ApplyPlant,
    CheckSignals,
    Command,
    Commanded,
    Message,
    Sensed,
)
from mes_engine.core.plant import Plant
from mes_engine.core.state import State
from mes_engine.runtime.signal_clock import next_due_at

OURS = CommandHandled | SourceAdvanced
"""What is of the messages, and not of the machines."""
TIMES = frozenset(
    {
        *("at", "since", "until", "raised_at", "cleared_at", "due_at", "pending_at"),
        *("link_since", "lost_at", "received_at", "source_at", "seq", "stretch"),
    }
)
"""The members that are another whenever the same happens again."""


def read_record(lines: Iterable[bytes], *, name: str) -> Iterator[Sensed]:
    """Yield what a record has; a last line that was cut short is left out.

    Raises:
        SettingsError: A line is no record of ours.
    """
    decoder = msgspec.json.Decoder(Sensed)
    for number, line in enumerate(lines, start=1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            if not line.endswith(b"\n"):
                return
            raise SettingsError(
                f"{name}:{number}: no record of what a link said: {error}.",
                hint="Record one with `mes gateway --record FILE`.",
            ) from error


def replay_signals(record: Iterable[Sensed], plant: Plant) -> Iterator[Recorded]:
    """Yield the facts that a record comes to at a plant without any work.

    What was recorded twice is heard once, as by the engine.
    """
    shop = _Shop()
    for message in record:
        at = message.report.at
        if not shop.state.has_plant:
            shop.command(ApplyPlant(plant=plant), at=at)
        while (due_at := next_due_at(shop.state)) is not None and due_at <= at:
            yield from shop.command(CheckSignals(), at=due_at)
        yield from shop.hear(message, now=at)


def told(recorded: Recorded, *, is_bare: bool = False) -> bytes:
    """Return a fact as a line of JSON.

    Args:
        recorded: The fact.
        is_bare: Without times and numbers: what happened, in this order. The same
            machine, recorded over two servers, is the same then.
    """
    body = plain_of(recorded.fact)
    line = {"fact": fact_name(recorded.fact), **(_bare(body) if is_bare else body)}
    if not is_bare:
        line = {
            "seq": recorded.seq,
            "occurred_at": recorded.occurred_at,
            "cause": recorded.cause,
            **line,
        }
    return msgspec.json.encode(line, order="sorted") + b"\n"


class _Shop:
    """State in memory, and the messages that change it."""

    def __init__(self) -> None:
        self.state = State()
        self._sent = 0

    def command(self, command: Command, *, at: int) -> list[Recorded]:
        self._sent += 1
        return self._decided(
            Commanded(
                origin="replay",
                key=str(self._sent),
                digest="",
                person="",
                at=at,
                command=command,
            ),
            now=at,
        )

    def hear(self, sensed: Sensed, *, now: int) -> list[Recorded]:
        mark = self.state.watermark.get(sensed.source)
        if mark is not None and (sensed.epoch, sensed.n) <= (mark.epoch, mark.n):
            return []
        found = self._decided(sensed, now=now)
        advanced = SourceAdvanced(source=sensed.source, epoch=sensed.epoch, n=sensed.n)
        evolve(
            self.state,
            Recorded(
                partition=self.state.partition,
                seq=self.state.seq + 1,
                occurred_at=now,
                recorded_at=now,
                cause="",
                person="",
                fact=advanced,
            ),
        )
        return found

    def _decided(self, message: Message, *, now: int) -> list[Recorded]:
        layer = self.state.layer()
        decision = decide(layer, message, now=now)
        layer.merge()
        self.state.handled.trim(0)
        return [one for one in decision.facts if not isinstance(one.fact, OURS)]


def _bare(value: object) -> dict[str, object]:
    stripped = _stripped(value)
    return stripped if isinstance(stripped, dict) else {}


def _stripped(value: object) -> object:
    if isinstance(value, dict):
        return {key: _stripped(one) for key, one in value.items() if key not in TIMES}
    if isinstance(value, list | tuple):
        return [_stripped(one) for one in value]
    return value
