"""What a machine asks for, as the command that a person would have sent."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from mes_engine.core import messages as m
from mes_engine.core.decide.counting import active_jobs
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.machine_rules import (
    FIELDS,
    FieldKind,
    MachineAction,
    fields_of,
)
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import HoldScope

Value = bool | int | float | str | None
"""What a machine gives, or a plant's file: there all is text."""

MILLIONTH = Decimal("0.000001")
MOST_DIGITS = 20
TRUE, FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


class Given:
    """The values of an action's fields, read as what they should be.

    Args:
        action: Whose fields.
        values: By field; what is empty was not given.

    Raises:
        Malformed: A value is none of its field's kind, or one is missing.
    """

    def __init__(self, action: MachineAction, values: Mapping[str, Value]) -> None:
        self.told = {
            name: told
            for name, value in values.items()
            if (told := told_of(value)) != ""
        }
        for name in FIELDS[action].needs:
            if name not in self.told:
                raise Malformed(f"To {action} needs '{name}', which is empty.")
        self._read = {
            name: read_field(action, name, told) for name, told in self.told.items()
        }

    def text(self, name: str) -> str:
        """Return a text; empty if it was not given."""
        return self.told.get(name, "")

    def text_or_none(self, name: str) -> str | None:
        """Return a text; None if it was not given."""
        return self.told.get(name)

    def number(self, name: str) -> Decimal:
        """Return a number; 0 if it was not given."""
        return Decimal(self._read.get(name, ZERO))

    def truth(self, name: str) -> bool:
        """Return a truth value; false if it was not given."""
        return bool(self._read.get(name, False))


def read_field(action: MachineAction, name: str, told: str) -> str | Decimal | bool:
    """Return what a field of ``action`` is told as.

    Raises:
        Malformed: It is nothing of the kind.
    """
    match fields_of(action)[name]:
        case FieldKind.NUMBER:
            return _number(name, told)
        case FieldKind.TRUTH:
            return _truth(name, told)
        case _:
            return told


def told_of(value: Value) -> str:
    """Return a value as text: numbers in digits, without what machines pad with."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            number = Decimal(repr(value))
            if number.is_finite() and abs(number.adjusted()) < MOST_DIGITS:
                rounded = number.quantize(MILLIONTH).normalize()
                return f"{rounded:f}"
            return str(value)
        case _:
            return str(value).strip(" \0")


def _number(name: str, told: str) -> Decimal:
    try:
        number = Decimal(told)
    except InvalidOperation:
        raise Malformed(f"'{told:.40}' is no number, as '{name}' should be.") from None
    if not number.is_finite() or abs(number.adjusted()) >= MOST_DIGITS:
        raise Malformed(f"'{told:.40}' is no number, as '{name}' should be.")
    return number


def _truth(name: str, told: str) -> bool:
    word = told.lower()
    if word not in TRUE | FALSE:
        raise Malformed(f"'{told:.40}' is neither true nor false, as '{name}' is.")
    return word in TRUE


def command_of(
    draft: Draft, action: MachineAction, work_unit: str, given: Given
) -> m.Command:
    """Return the command that ``action`` at ``work_unit`` comes to.

    Raises:
        Refused: It is about a job order, and none is active there, or several.
    """
    if action is MachineAction.DISPATCH:
        return m.DispatchWorkUnit(work_unit=work_unit, begins=given.truth("begins"))
    if action is MachineAction.CHANGEOVER:
        return m.ChangeOver(work_unit=work_unit)
    job_order = given.text("job_order") or _active(draft, work_unit)
    if action is MachineAction.LOAD:
        return m.LoadJobOrder(job_order=job_order, work_unit=work_unit)
    return _MAKERS[action](job_order, given)


def _active(draft: Draft, work_unit: str) -> str:
    jobs = active_jobs(draft, draft.state.site.work_unit(work_unit))
    if not jobs:
        raise Refused(
            f"No job order is on {work_unit}.",
            hint="Load one there first.",
            unmet=[f"active_run: {work_unit} has none"],
        )
    if len(jobs) > 1:
        names = ", ".join(one.id for one in jobs)
        raise Refused(
            f"{work_unit} has several job orders in its run: {names}.",
            hint="Let the machine say which: job_order.",
            unmet=[f"active_run: {names} are in one run"],
        )
    return jobs[0].id


def _begin(job_order: str, given: Given) -> m.Command:
    return m.BeginJobOrder(job_order=job_order, in_process=given.number("in_process"))


def _report(job_order: str, given: Given) -> m.Command:
    reason = given.text("reason")
    scrap = given.number("scrap")
    scrapped = m.Scrapped(quantity=scrap, reason=reason or "reported by the machine")
    return m.ReportQuantity(
        job_order=job_order,
        good=given.number("good"),
        scrap=(scrapped,) if scrap else (),
        suspect=given.number("suspect"),
        lost=given.number("lost"),
        tested=given.number("tested"),
        reason=reason,
        lot=given.text_or_none("lot"),
        completes=given.truth("completes"),
    )


def _complete(job_order: str, given: Given) -> m.Command:
    return m.AssertTrigger(
        job_order=job_order,
        trigger=JobOrderTrigger.COMPLETE,
        reason=given.text("reason"),
    )


def _pause(job_order: str, given: Given) -> m.Command:
    return m.PauseJobOrder(job_order=job_order, reason=given.text("reason"))


def _resume(job_order: str, _given: Given) -> m.Command:
    return m.ResumeJobOrder(job_order=job_order)


def _hold(job_order: str, given: Given) -> m.Command:
    return m.OpenHold(
        scope=HoldScope.JOB_ORDER, target=job_order, reason=given.text("reason")
    )


def _measure(job_order: str, given: Given) -> m.Command:
    return m.RecordMeasurement(
        job_order=job_order,
        characteristic=given.text("characteristic"),
        value=given.text("value"),
        lot=given.text_or_none("lot"),
        gauge=given.text_or_none("gauge"),
    )


def _consume(job_order: str, given: Given) -> m.Command:
    return m.ConsumeMaterial(
        job_order=job_order,
        lot=given.text("lot"),
        quantity=given.number("quantity"),
        into=given.text_or_none("into"),
        reason=given.text("reason"),
    )


_MAKERS: dict[MachineAction, Callable[[str, Given], m.Command]] = {
    MachineAction.BEGIN: _begin,
    MachineAction.REPORT: _report,
    MachineAction.COMPLETE: _complete,
    MachineAction.PAUSE: _pause,
    MachineAction.RESUME: _resume,
    MachineAction.HOLD: _hold,
    MachineAction.MEASURE: _measure,
    MachineAction.CONSUME: _consume,
}
