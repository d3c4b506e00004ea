"""Time windows between steps."""

from mes_engine.core.messages.command import BaseCommand


class CheckTimeWindows(
    BaseCommand, frozen=True, kw_only=True, tag="check_time_windows"
):
    """The clock: see what time alone has brought, up to the command's own time."""


class WaiveTimeWindow(BaseCommand, frozen=True, kw_only=True, tag="waive_time_window"):
    """Let the lot go on in spite of a time window that is violated or not over yet."""

    window: str
    reason: str


WindowsCommand = CheckTimeWindows | WaiveTimeWindow
