"""Documents that work is done by: drawings and instructions, released or withdrawn."""

import msgspec


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The revision of a document that is the newest known here.

    Attributes:
        is_released: False once it is withdrawn: no work is done by it.
        since: When it was released or withdrawn.
        reason: Why it was withdrawn; empty for a released one.
    """

    id: str
    revision: str
    title: str
    is_released: bool
    since: int
    person: str
    reason: str = ""
