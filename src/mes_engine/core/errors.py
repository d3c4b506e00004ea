"""Every error the engine raises on purpose.

    MesError
    ├── Refused              understood, and not allowed now          (HTTP 409)
    │   └── KeyReused        an idempotency key with another body     (HTTP 422)
    ├── Malformed            a value that no state would allow        (HTTP 422)
    ├── NotFound             the thing named does not exist           (HTTP 404)
    ├── Overloaded           the inbox is full: try again later       (HTTP 503)
    ├── OutcomeUnknown       retry with the same key                  (HTTP 503)
    ├── SettingsError        config/ or routings/ is wrong            (exit 3)
    ├── SourceLost           a device or network failed; worth a retry
    ├── SourceRefused        it does not want us as we are; a retry is worth minutes
    └── SourceMisconfigured  a device answered "never"; a retry is useless

Anything else that escapes (``KeyError``, ``AssertionError`` ...) is a bug.
"""

from collections.abc import Sequence


class MesError(Exception):
    """Base of all deliberate errors: what went wrong, and what to do next.

    Args:
        message: One sentence a shift leader understands, naming the thing involved.
        hint: The next action, in the imperative. Empty only if there is none.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class Refused(MesError):
    """The message is well-formed but the present state does not allow it.

    Args:
        message: What is refused, and of which thing.
        hint: What to do about it.
        unmet: The conditions that do not hold, each as ``name: why``.
        allowed: The triggers that would be accepted instead.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        unmet: Sequence[str] = (),
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.unmet = tuple(unmet)
        self.allowed = tuple(allowed)


class KeyReused(Refused):
    """An idempotency key came back with another body, route or person."""


class Malformed(MesError):
    """A value that no state of the plant would make acceptable."""


class NotFound(MesError):
    """No job order, work unit, routing ... has the given identifier."""


class Overloaded(MesError):
    """The inbox is full; nothing was taken, and the sender should wait."""


class OutcomeUnknown(MesError):
    """The commit may or may not have happened; the same key finds out."""


class SettingsError(MesError):
    """The files under ``config/`` or ``routings/`` cannot be used as written."""


class SourceLost(MesError):
    """A device or network stopped answering; the supervisor reconnects."""


class SourceRefused(MesError):
    """A device refused user, password or certificate; asking often locks accounts."""


class SourceMisconfigured(MesError):
    """A device rejected how it was asked; a person has to change the settings."""
