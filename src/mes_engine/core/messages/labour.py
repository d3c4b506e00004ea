"""Who works on what."""

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


LabourCommand = SignOnPerson | SignOffPerson
