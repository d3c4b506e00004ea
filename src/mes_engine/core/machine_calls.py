"""Methods of machines that are called: each once, or nobody knows.

That it is wanted is committed before anything is called, and what came of it after. A
call is never repeated by itself: where its answer was lost, that is all that is known.
"""

from enum import StrEnum

import msgspec

MOST_PENDING = 20
"""Over one link. A machine that does not keep up is not given ever more to do."""
MOST_ARGUMENTS = 50
LONGEST_TEXT = 4096
MOST_ELEMENTS = 1_000

Single = bool | int | str
Given = bool | int | str | tuple[bool | int | str, ...]
"""A value of an argument or a result; a number that is not whole is text in digits."""


class CallOutcome(StrEnum):
    """What became of a call.

    ``refused`` means that the machine has done nothing, or has said no; ``unknown``
    that it may have done it or not.
    """

    PENDING = "pending"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class MachineCall(msgspec.Struct, frozen=True, kw_only=True):
    """A method of a machine that a person had called.

    Attributes:
        seq: The fact that it was asked for by; its id.
        method: As the link's settings name it.
        arguments: By the names that the machine gives them.
        reason: Why it was called.
        results: What it answered, by name; null for what is no single value or list.
        message: Why there is no answer; empty if there is.
        at: When it was asked for; ``settled_at`` when its outcome was known.
    """

    seq: int
    link: str
    method: str
    arguments: dict[str, Given]
    reason: str
    person: str
    at: int
    outcome: CallOutcome = CallOutcome.PENDING
    results: dict[str, Given | None] = msgspec.field(default_factory=dict)
    message: str = ""
    hint: str = ""
    settled_at: int | None = None

    @property
    def is_pending(self) -> bool:
        """Whether nothing is known of its outcome yet."""
        return self.outcome is CallOutcome.PENDING
