"""Labour: who is signed on to which work, and how long each has worked on what.

Apart from the states of job orders: a machine runs unattended, and one person may be on
many runs (ISO 22400: actual personnel work time).
"""

import msgspec


def closed_of(person: str) -> str:
    """Return the counter of the last fact that ended, or changed, a time of theirs.

    What is over the engine forgets: by this it knows whether a door has read it all.
    """
    return f"labour:{person}"


class SignOn(msgspec.Struct, frozen=True, kw_only=True):
    """That a person is on a run, or on whatever a work unit works on.

    Attributes:
        run: The only one; None for every run on its active lane, now and later.
        signed_on_by: Who said so.
        signed_off_at: None while it lasts.
    """

    id: str
    number: int
    person: str
    work_unit: str
    work_center: str
    run: str | None
    signed_on_at: int
    signed_on_by: str
    signed_off_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.signed_off_at is None


class LabourInterval(msgspec.Struct, frozen=True, kw_only=True):
    """A person's time on a run, from one moment to another.

    Attributes:
        sign_on: By which the person is on it; empty if it was told late.
        since: Up to when its time has been booked.
        labour_us: What was booked of it: the run's part of the person's time.
        ended_at: None while it lasts.
        reason: Why it was told late; empty if it was not.
    """

    id: str
    number: int
    sign_on: str
    person: str
    run: str
    work_unit: str
    work_center: str
    started_at: int
    since: int
    labour_us: int = 0
    ended_at: int | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the person is on the run."""
        return self.ended_at is None
