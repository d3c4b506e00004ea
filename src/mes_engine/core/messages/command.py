"""What all commands have in common."""

import msgspec


class BaseCommand(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every command is: a frozen struct that knows its own name."""
