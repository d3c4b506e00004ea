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
    """Say that a person works there no more; on nothing at all, if no run is named."""

    work_unit: str
    person: str = ""
    run: str | None = None


class BookLabour(BaseCommand, frozen=True, kw_only=True, tag="book_labour"):
    """Say late that a person had worked on a run, and for how long.

    Attributes:
        person: Who; the one who says so, if empty.
        known: The person's times on the run that are booked already, as the door has
            read them: those that are over the engine has forgotten.
    """

    run: str
    started_at: int
    ended_at: int
    reason: str
    person: str = ""
    known: tuple[LabourInterval, ...] = ()


LabourCommand = SignOnPerson | SignOffPerson | BookLabour
