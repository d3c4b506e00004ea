"""Holds and dispatch."""

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.runs import HoldMode, HoldQuery, HoldScope, Lane


class OpenHold(BaseCommand, frozen=True, kw_only=True, tag="open_hold"):
    """Forbid work on a job order, a whole request or a lot.

    Attributes:
        target: Which one; none with mode ``future``, which has a ``query``.
        owner: Whose it is; who opens it, if empty.
        releaser: The person or role that may release it; anybody, if empty.
        opens_as: With mode ``future``, the mode of the holds on what gets there.
    """

    scope: HoldScope
    reason: str
    target: str = ""
    mode: HoldMode = HoldMode.STOP_NOW
    owner: str = ""
    releaser: str = ""
    query: HoldQuery | None = None
    opens_as: HoldMode = HoldMode.STOP_NOW


class ReleaseHold(BaseCommand, frozen=True, kw_only=True, tag="release_hold"):
    """Take a hold back; ``resumes`` lets what it interrupted go on at once."""

    hold: str
    resumes: bool = False


class DispatchWorkUnit(
    BaseCommand, frozen=True, kw_only=True, tag="dispatch_work_unit"
):
    """Load what the work center's rule puts first: one job order, or a run of them.

    Attributes:
        begins: Whether it is begun with the same word: loaded and begun, or neither.
    """

    work_unit: str
    lane: Lane | None = None
    begins: bool = False


class LoadTogether(BaseCommand, frozen=True, kw_only=True, tag="load_together"):
    """Load these job orders into one run on a work unit that takes several."""

    job_orders: tuple[str, ...]
    work_unit: str
    lane: Lane | None = None


class ChangeOver(BaseCommand, frozen=True, kw_only=True, tag="change_over"):
    """Begin what is staged at a work unit, in the place of what is active there."""

    work_unit: str


FloorCommand = OpenHold | ReleaseHold | DispatchWorkUnit | LoadTogether | ChangeOver
