"""What a plant declares of its machines' words: handshakes, and what they do.

A machine does what a person could do: each :class:`MachineAction` is a command, decided
as if a person had sent it. Where its values come from is plant data.
"""

from enum import StrEnum

import msgspec


class MachineAction(StrEnum):
    """What a machine may do by itself."""

    LOAD = "load"
    DISPATCH = "dispatch"
    BEGIN = "begin"
    REPORT = "report"
    COMPLETE = "complete"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    MEASURE = "measure"
    CONSUME = "consume"
    CHANGEOVER = "changeover"
    ALARM = "alarm"


class FieldKind(StrEnum):
    """What a field of an action takes."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    ANY = "any"


class ActionFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an action, besides those that all have.

    Attributes:
        takes: By name; in a plant's file they are named so.
        needs: Of these, what has to be given.
    """

    takes: dict[str, FieldKind] = msgspec.field(default_factory=dict)
    needs: tuple[str, ...] = ()


OF_ALL: dict[str, FieldKind] = {
    "job_order": FieldKind.TEXT,
    "person": FieldKind.TEXT,
}
"""Which job order, if not the one of the active run; who did it, if it knows."""

_NUMBER, _TEXT = FieldKind.NUMBER, FieldKind.TEXT

FIELDS: dict[MachineAction, ActionFields] = {
    MachineAction.LOAD: ActionFields(needs=("job_order",)),
    MachineAction.DISPATCH: ActionFields(takes={"begins": FieldKind.TRUTH}),
    MachineAction.BEGIN: ActionFields(takes={"in_process": _NUMBER}),
    MachineAction.REPORT: ActionFields(
        takes={
            "good": _NUMBER,
            "scrap": _NUMBER,
            "suspect": _NUMBER,
            "lost": _NUMBER,
            "tested": _NUMBER,
            "reason": _TEXT,
            "lot": _TEXT,
            "completes": FieldKind.TRUTH,
        }
    ),
    MachineAction.COMPLETE: ActionFields(takes={"reason": _TEXT}),
    MachineAction.PAUSE: ActionFields(takes={"reason": _TEXT}, needs=("reason",)),
    MachineAction.RESUME: ActionFields(),
    MachineAction.HOLD: ActionFields(takes={"reason": _TEXT}, needs=("reason",)),
    MachineAction.MEASURE: ActionFields(
        takes={
            "characteristic": _TEXT,
            "value": FieldKind.ANY,
            "lot": _TEXT,
            "gauge": _TEXT,
        },
        needs=("characteristic", "value"),
    ),
    MachineAction.CONSUME: ActionFields(
        takes={"lot": _TEXT, "quantity": _NUMBER, "into": _TEXT, "reason": _TEXT},
        needs=("lot", "quantity"),
    ),
    MachineAction.CHANGEOVER: ActionFields(),
    MachineAction.ALARM: ActionFields(takes={"code": _TEXT, "text": _TEXT}),
}
"""What each action takes, in the words of a plant's file."""

REPORTED = frozenset({"good", "scrap", "suspect", "lost", "tested"})
"""Of these a report gives at least one."""


def fields_of(action: MachineAction) -> dict[str, FieldKind]:
    """Return all that ``action`` takes, by name."""
    return {**OF_ALL, **FIELDS[action].takes}


class HandshakeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A four-phase handshake: the machine requests, we do it, commit, and acknowledge.

    Attributes:
        id: ``<work unit>.<name>``.
        request: The tag that the machine raises, and lets fall after the ack.
        ack: The tag that we raise once it is committed.
        key: The tag of the machine's transaction number.
        boot: The tag that is another after the machine was started; numbers may come
            again then. None if it has none.
        payload: By field of the action, the tag that brings it.
        given: By field of the action, what is always so.
        result: The tag that we write ``done`` or ``refused`` to, before the ack. None:
            what is refused is not acknowledged.
        ack_on: What is written to acknowledge; ``ack_off`` to take it back.
        debounce_us: How long the request has to be as it is before it counts.
        clear_us: How long after the ack the request may stay up.
    """

    id: str
    work_unit: str
    link: str
    request: str
    ack: str
    key: str
    does: MachineAction
    boot: str | None = None
    payload: dict[str, str] = msgspec.field(default_factory=dict)
    given: dict[str, str] = msgspec.field(default_factory=dict)
    result: str | None = None
    done: int = 1
    refused: int = 2
    ack_on: bool | int = True
    ack_off: bool | int = False
    debounce_us: int = 0
    clear_us: int = 10_000_000

    @property
    def read_together(self) -> tuple[str, ...]:
        """The tags whose values have to be of one moment."""
        others = (self.key, *([self.boot] if self.boot else ()), *self.payload.values())
        return tuple(dict.fromkeys((self.request, *others)))


class EdgeDirection(StrEnum):
    """Which change of a level is meant."""

    RISING = "rising"
    FALLING = "falling"
    BOTH = "both"


class EdgeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A level of the machine that does something when it rises or falls.

    Attributes:
        id: ``<work unit>.<name>``.
        does: What comes of it; an ``alarm`` is up while the level is, others are done
            at each edge.
        payload: By field of the action, the tag whose last value is taken.
        given: By field of the action, what is always so.
        debounce_us: How long a level has to last before its edge counts.
        min_high_us: The same of the upper level only.
        severity: Of an alarm, 1 to 1000.
    """

    id: str
    work_unit: str
    link: str
    tag: str
    does: MachineAction
    on: EdgeDirection = EdgeDirection.RISING
    payload: dict[str, str] = msgspec.field(default_factory=dict)
    given: dict[str, str] = msgspec.field(default_factory=dict)
    debounce_us: int = 0
    min_high_us: int = 0
    severity: int = 500


class EventRule(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a machine that does something, once for each key.

    Attributes:
        id: ``<work unit>.<name>``.
        event: The type of the message, as the link tells it.
        key: The field that tells one from another; empty for the message's own id.
        where: Fields that have to hold a value: which machine it is of.
        fields: By field of the action, the field of the message that brings it.
        given: By field of the action, what is always so.
        active: For an alarm, the field that says whether it is so; empty: it is.
    """

    id: str
    work_unit: str
    link: str
    event: str
    does: MachineAction
    key: str = ""
    where: dict[str, str] = msgspec.field(default_factory=dict)
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    given: dict[str, str] = msgspec.field(default_factory=dict)
    active: str = ""


Rule = HandshakeRule | EdgeRule | EventRule
"""By which a machine does something."""
