"""Alarms: something about a machine that a person should know while it is so."""

import msgspec


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm: raised, and cleared when it is no longer so.

    Attributes:
        id: One for each thing that can be so: ``<work unit>.<rule>/<what>``.
        code: The machine's own, or ours.
        severity: 1 to 1000, as of OPC UA events.
        cleared_at: None while it is so.
    """

    id: str
    work_unit: str
    code: str
    severity: int
    text: str
    raised_at: int
    cleared_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is so now."""
        return self.cleared_at is None
