"""What an entry of the ledger is, and which postings become one. Pure."""

from datetime import date
from decimal import Decimal

import msgspec

from mes_engine.core.postings import Posting, PostingKind
from mes_engine.core.quantity import (
    MAX_QUANTITY,
    UNITS,
    ZERO,
    from_millionths,
    to_millionths,
)

REFERENCE = "WCL-"
"""What the reference of every entry begins with."""


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces and times; as a sum, what was confirmed less what was reversed.

    Attributes:
        good: Pieces in the material's unit; ``scrap`` likewise.
        repeated: Of ``good``, what had been confirmed as good in an earlier pass.
        setup_s: Seconds of setup; ``processing_s`` of machine time, ``labour_s`` of
            people's.
    """

    good: Decimal = ZERO
    repeated: Decimal = ZERO
    scrap: Decimal = ZERO
    setup_s: Decimal = ZERO
    processing_s: Decimal = ZERO
    labour_s: Decimal = ZERO

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(**{name: one + other.of(name) for name, one in self.by_name()})

    def __neg__(self) -> "Amounts":
        return Amounts(**{name: -one for name, one in self.by_name()})

    def of(self, measure: str) -> Decimal:
        """Return one of the amounts."""
        amount: Decimal = getattr(self, measure)
        return amount

    def by_name(self) -> list[tuple[str, Decimal]]:
        """Return each amount with its name."""
        return [(name, self.of(name)) for name in MEASURES]

    @property
    def yielded(self) -> Decimal:
        """What an operation has given, each piece once: its yield."""
        return self.good - self.repeated


MEASURES: tuple[str, ...] = Amounts.__struct_fields__
"""The names of the amounts."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A posting as it was booked: for ever, under a number of the ledger's own.

    Attributes:
        number: Counts from 1 without a gap, over all streams.
        amounts: Signed: a reversal takes away what its original brought.
        content: The posting in its canonical form, to recognise a repeat.
    """

    number: int
    key: str
    stream: str
    stream_seq: int
    kind: PostingKind
    job_order: str
    step: str
    work_center: str
    material: str
    unit: str
    amounts: Amounts
    is_final: bool
    occurred_at: int
    business_date: str
    reverses: str | None
    pass_number: int
    content: str
    booked_at: int

    @property
    def reference(self) -> str:
        """What the ledger calls the entry."""
        return f"{REFERENCE}{self.number}"


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of the entries that have ``group`` in common.

    Attributes:
        group: By name what they have in common, such as the work center and the unit.
    """

    group: dict[str, str]
    entries: int
    amounts: Amounts


class StreamTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What of a stream is booked, to reconcile with what was raised (law L5).

    Attributes:
        last_seq: The highest ``stream_seq`` that is booked.
    """

    stream: str
    last_seq: int
    entries: int
    amounts: Amounts


_HOW_FAR = frozenset({"state", "reference", "reason"})
_SAME_IN_A_REVERSAL = (
    "stream",
    "job_order",
    "step",
    "pass_number",
    "work_center",
    "material",
    "unit",
)


def canonical(posting: Posting) -> str:
    """Return ``posting`` as the same text however often, and from where, it is sent.

    Without how far it has come; ``1.50`` and ``1.5`` are the same amount.
    """
    fields = {
        name: from_millionths(to_millionths(value))
        if isinstance(value, Decimal)
        else value
        for name, value in msgspec.structs.asdict(posting).items()
        if name not in _HOW_FAR
    }
    return msgspec.json.encode(fields, order="sorted").decode()


def number_of(reference: str) -> int:
    """Return the number of the entry that ``reference`` names."""
    return int(reference.removeprefix(REFERENCE))


def amounts_of(posting: Posting) -> Amounts:
    """Return what ``posting`` brings to the balances, negative for a reversal."""
    amounts = Amounts(**{name: getattr(posting, name) for name in MEASURES})
    return -amounts if posting.kind is PostingKind.REVERSE else amounts


def entry_of(posting: Posting, *, number: int, booked_at: int) -> Entry:
    """Return the entry that ``posting`` becomes."""
    return Entry(
        number=number,
        key=posting.key,
        stream=posting.stream,
        stream_seq=posting.stream_seq,
        kind=posting.kind,
        job_order=posting.job_order,
        step=posting.step,
        work_center=posting.work_center,
        material=posting.material,
        unit=posting.unit,
        amounts=amounts_of(posting),
        is_final=posting.is_final,
        occurred_at=posting.occurred_at,
        business_date=posting.business_date,
        reverses=posting.reverses,
        pass_number=posting.pass_number,
        content=canonical(posting),
        booked_at=booked_at,
    )


def posting_problems(posting: Posting) -> list[str]:
    """Say what makes ``posting`` unfit for any ledger, whatever is booked already."""
    problems = [
        f"'{name}' is {amount}: at least 0, at most {MAX_QUANTITY:,}, "
        "at most 6 decimals"
        for name in MEASURES
        if not _is_bookable(amount := getattr(posting, name))
    ]
    if posting.repeated > posting.good:
        problems.append(f"'repeated' is {posting.repeated}, of {posting.good} good")
    if posting.pass_number < 1:
        problems.append(f"pass {posting.pass_number}: the first is 1")
    if posting.unit not in UNITS:
        problems.append(f"the unit '{posting.unit}' is unknown")
    if posting.stream_seq < 1:
        problems.append(f"number {posting.stream_seq} in a stream that begins with 1")
    try:
        date.fromisoformat(posting.business_date)
    except ValueError:
        problems.append(f"the business date '{posting.business_date}' is no date")
    is_reversal = posting.kind is PostingKind.REVERSE
    if is_reversal and posting.reverses is None:
        problems.append("a reversal that names no posting")
    if not is_reversal and posting.reverses is not None:
        problems.append("a confirmation that names a posting to reverse")
    return problems


def reversal_problems(
    posting: Posting, original: Entry | None, *, is_reversed: bool
) -> list[str]:
    """Say why ``posting`` cannot undo ``original``.

    Args:
        posting: The reversal.
        original: What is booked under the key that it names.
        is_reversed: Whether another posting has undone it.
    """
    if original is None:
        return [f"posting {posting.reverses}, which it reverses, is not booked"]
    problems = []
    if original.kind is PostingKind.REVERSE:
        problems.append(f"posting {original.key} is a reversal itself: confirm afresh")
    if is_reversed:
        problems.append(f"posting {original.key} is reversed already")
    problems += [
        f"it has {name} {theirs!r}, and the original {ours!r}"
        for name in _SAME_IN_A_REVERSAL
        if (theirs := getattr(posting, name)) != (ours := getattr(original, name))
    ]
    if amounts_of(posting) != -original.amounts:
        problems.append("its amounts are not those of the original")
    return problems


def _is_bookable(amount: Decimal) -> bool:
    return (
        amount.is_finite()
        and ZERO <= amount <= MAX_QUANTITY
        and from_millionths(to_millionths(amount)) == amount
    )
