"""What became of messages."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.messages import Answer


class CommandHandled(BaseFact, frozen=True, kw_only=True, tag="command_handled"):
    """A command was answered so, for every delivery of it."""

    origin: str
    key: str
    digest: str
    answer: Answer
    at: int


class SourceAdvanced(BaseFact, frozen=True, kw_only=True, tag="source_advanced"):
    """Everything of a source up to (epoch, n) has been handled."""

    source: str
    epoch: int
    n: int


class MessageSetAside(BaseFact, frozen=True, kw_only=True, tag="message_set_aside"):
    """A message that could not be handled is kept for a person to look at."""

    message: str
    error: str


HandlingFact = CommandHandled | SourceAdvanced | MessageSetAside
