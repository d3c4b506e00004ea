"""Who works on what."""

from mes_engine.core.labour import LabourInterval
from mes_engine.core.messages.command import BaseCommand


class SignOnPerson(BaseCommand, frozen=True, kw_only=True, tag="sign_on_person"):
    """Say that a person works on a run, or on whatever a work unit works on.

    Attributes:
        person: Who; the one who says so, if empty.
        run: Only this one; else every run on the active lane until the sign-off.
    """

    work_unit: str
    person: str = ""
    run: str | None = None


class SignOffPerson(BaseCommand, frozen=True, kw_only=True, tag="sign_off_person"):
    """Say that a person works there no more; on nothing at all, if no run is named.

    Attributes:
        known: The person's times that last longer than that, as the door has read them,
            if it is told late: those that are over the engine has forgotten.
        known_seq: The last fact that had been committed when those were read.
    """

    work_unit: str
    person: str = ""
    run: str | None = None
    known: tuple[LabourInterval, ...] = ()
    known_seq: int = 0


class BookLabour(BaseCommand, frozen=True, kw_only=True, tag="book_labour"):
    """Say late that a person had worked on a run, and for how long.

    Attributes:
        person: Who; the one who says so, if empty.
        known: The person's times that touch this one, on whatever run, as the door has
            read them: those that are over the engine has forgotten.
        known_seq: The last fact that had been committed when those were read.
    """

    run: str
    started_at: int
    ended_at: int
    reason: str
    person: str = ""
    known: tuple[LabourInterval, ...] = ()
    known_seq: int = 0


LabourCommand = SignOnPerson | SignOffPerson | BookLabour
