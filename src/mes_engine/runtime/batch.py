"""A batch: messages decided one upon the other, to be committed together or not at all.

Nothing here waits or writes. The batch has a layer of its own on the committed state;
each message is an attempt on it, taken back if its decision fails.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec
import structlog

from mes_engine.core.decide import Decision
from mes_engine.core.errors import MesError
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import Fact, MessageSetAside, Recorded, SourceAdvanced
from mes_engine.core.messages import Answer, Commanded, Outcome, Sensed
from mes_engine.core.state import State
from mes_engine.runtime.inbox import Waiting
from mes_engine.runtime.pace import Clock

log = structlog.stdlib.get_logger()


HEARD = Answer(outcome=Outcome.ACCEPTED)
"""Whoever waits for something sensed is told no more than that it is committed."""


class Decide(Protocol):
    """``core.decide``, or what a test puts in its place."""

    def __call__(
        self, layer: State, message: Commanded | Sensed, /, *, now: int
    ) -> Decision:
        """Decide ``message`` on ``layer``, which it evolves."""
        ...


class MessageFailed(MesError):
    """A bug of ours: the message did nothing, and was set aside."""


class Batch:
    """What a number of messages come to.

    Attributes:
        records: The facts, in order.
        outcomes: What to tell whom, once the batch is committed.
        messages: How many there were.
        repeats: How many of the messages had been handled before.
        set_aside: How many of them could not be handled.
    """

    def __init__(self, committed: State, *, decide: Decide, clock: Clock) -> None:
        self.layer = committed.layer()
        self.records: list[Recorded] = []
        self.outcomes: list[tuple[Waiting, Answer | MesError]] = []
        self.messages = 0
        self.repeats = 0
        self.set_aside = 0
        self._decide = decide
        self._clock = clock
        self._advanced: dict[str, Sensed] = {}

    def add(self, waiting: Waiting) -> None:
        """Decide one message upon those before it."""
        answer: Answer | None
        message = waiting.message
        self.messages += 1
        if isinstance(message, Commanded):
            known = self.layer.handled.get((message.origin, message.key))
            if known is not None:
                self.repeats += 1
                answer = answer_again(message, known.digest, known.answer)
                self.outcomes.append((waiting, answer))
                return
        elif self._is_repeat(message):
            self.repeats += 1
            self._tell_heard(waiting)
            return
        else:
            self._advanced[message.source] = message
        if waiting.failure is not None:
            self._put_aside(waiting, waiting.failure)
            return
        try:
            answer = self._decided(message)
        except Exception as error:
            log.exception(
                "message_failed",
                cause=cause_of(message),
                message=_as_json(message),
            )
            self._put_aside(waiting, error)
            return
        if answer is not None:
            self.outcomes.append((waiting, answer))
        else:
            self._tell_heard(waiting)

    def finish(self) -> None:
        """Add how far each source has come."""
        for sensed in self._advanced.values():
            fact = SourceAdvanced(source=sensed.source, epoch=sensed.epoch, n=sensed.n)
            self._record(fact, sensed)

    def told(self) -> Iterator[str]:
        """Go through what became of its commands."""
        for waiting, outcome in self.outcomes:
            if isinstance(outcome, Answer) and isinstance(waiting.message, Commanded):
                yield outcome.outcome.value

    def _tell_heard(self, waiting: Waiting) -> None:
        if waiting.answer is not None:
            self.outcomes.append((waiting, HEARD))

    def _is_repeat(self, sensed: Sensed) -> bool:
        mark = self._advanced.get(sensed.source)
        if mark is None:
            seen = self.layer.watermark.get(sensed.source)
            return seen is not None and (
                (sensed.epoch, sensed.n) <= (seen.epoch, seen.n)
            )
        return (sensed.epoch, sensed.n) <= (mark.epoch, mark.n)

    def _decided(self, message: Commanded | Sensed) -> Answer | None:
        with self.layer.attempt():
            decision = self._decide(self.layer, message, now=self._clock())
            if decision.answer is None and isinstance(message, Commanded):
                raise TypeError("a command was decided without an answer")
        self.records.extend(decision.facts)
        return decision.answer

    def _put_aside(self, waiting: Waiting, error: Exception) -> None:
        message = waiting.message
        self.set_aside += 1
        fact = MessageSetAside(
            message=_as_json(message), error=f"{type(error).__name__}: {error}"
        )
        self._record(fact, message)
        failed = MessageFailed(
            "The engine could not handle this; nothing was changed by it.",
            hint="It is kept for the people who look after the engine.",
        )
        self.outcomes.append((waiting, failed))

    def _record(self, fact: Fact, message: Commanded | Sensed) -> None:
        recorded = Recorded(
            partition=self.layer.partition,
            seq=self.layer.seq + 1,
            occurred_at=_at(message),
            recorded_at=self._clock(),
            cause=cause_of(message),
            person=message.person if isinstance(message, Commanded) else "",
            fact=fact,
        )
        evolve(self.layer, recorded)
        self.records.append(recorded)


def answer_again(message: Commanded, digest: str, answer: Answer) -> Answer:
    """Return the answer to a command whose key was used before, with ``digest``."""
    if message.digest == digest:
        return answer
    return Answer(
        outcome=Outcome.KEY_REUSED,
        message=f"The key '{message.key}' was used before, for something else.",
        hint="Use a key of its own for each thing that is asked for.",
    )


def cause_of(message: Commanded | Sensed) -> str:
    """Return the name of a message, as its facts have it."""
    if isinstance(message, Commanded):
        return f"{message.origin}:{message.key}"
    return f"{message.source}/{message.epoch}/{message.n}"


def _at(message: Commanded | Sensed) -> int:
    if isinstance(message, Commanded):
        return message.at
    return message.report.at


def _as_json(message: Commanded | Sensed) -> str:
    return msgspec.json.encode(message).decode()
