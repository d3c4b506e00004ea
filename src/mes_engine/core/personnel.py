"""People and what they are qualified for (ISA-95 Person, Qualification).

A login is another thing: a person is known by the name under which he or she acts.
"""

import msgspec

CLOCK = "clock"
"""Under which people are found who have a qualification that will expire."""


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may do, up to which level, and until when.

    Attributes:
        level: A higher one includes the lower ones.
        valid_until: Microseconds of UTC; None does not expire.
        has_expired: Whether that time was noticed to have come.
    """

    name: str
    level: int
    valid_until: int | None = None
    has_expired: bool = False

    def is_over(self, at: int) -> bool:
        """Whether it is no longer valid at a time."""
        return self.valid_until is not None and self.valid_until <= at


class QualificationNeed(msgspec.Struct, frozen=True, kw_only=True):
    """What a step asks of whoever loads and begins it: at least this level."""

    name: str
    level: int = 1


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who works here.

    Attributes:
        id: The name under which the person acts.
        roles: What else holds may name as their releaser, such as ``quality``.
        qualifications: At most one of each name.
    """

    id: str
    name: str
    roles: tuple[str, ...] = ()
    qualifications: tuple[Qualification, ...] = ()

    @property
    def expires_at(self) -> int | None:
        """When the next of the qualifications expires; None if none ever does."""
        times = (one.valid_until for one in self.qualifications if not one.has_expired)
        return min((at for at in times if at is not None), default=None)

    def qualification(self, name: str) -> Qualification | None:
        """Return the qualification of this name, if the person has it."""
        return next((one for one in self.qualifications if one.name == name), None)

    def lacks(self, need: QualificationNeed, at: int | None) -> str:
        """Say why the person does not meet ``need``; empty if it is met.

        Args:
            need: What is asked for.
            at: When, in microseconds of UTC; None leaves expiry out.
        """
        known = self.qualification(need.name)
        if known is None:
            return f"{self.id} has no qualification '{need.name}'"
        if known.level < need.level:
            return (
                f"{self.id} has '{need.name}' at level {known.level}, "
                f"and level {need.level} is needed"
            )
        if known.has_expired or (at is not None and known.is_over(at)):
            return f"'{need.name}' of {self.id} has expired"
        return ""
