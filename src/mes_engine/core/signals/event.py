"""Messages of machines: each is done once, however often it is told."""

import msgspec


class MachineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was dealt with, so that it is known when it comes again.

    Attributes:
        rule: By which it was dealt with.
        key: What tells it from others of the rule.
        at: When it happened, by its source.
    """

    rule: str
    key: str
    at: int
