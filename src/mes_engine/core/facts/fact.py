"""What all facts have in common."""

import msgspec


class BaseFact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every fact is: a frozen struct that knows its own name."""
