"""What a replay came to: by machine, by reason, and whether it all adds up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from mes_engine.core.quantity import ZERO
from mes_engine.replay.amounts import Amounts
from mes_engine.replay.drive import Fate, Told
from mes_engine.replay.rows import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineReport:
    """One machine: what its rows say, by what became of them.

    Attributes:
        in_file: Summed straight from the file, past the reader of the replay.
        booked: By the engine's own facts.
    """

    machine: str
    in_file: Amounts
    accepted: Amounts
    refused: Amounts
    repeated: Amounts
    booked: Amounts

    def plain(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "machine": self.machine,
            "in_file": self.in_file.plain(),
            "accepted": self.accepted.plain(),
            "refused": self.refused.plain(),
            "repeated": self.repeated.plain(),
            "booked": self.booked.plain(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that was not accepted, and why."""

    line: int
    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay came to.

    Attributes:
        total: Over all machines.
        presence: Rows among the accepted that report neither pieces nor time.
        reasons: How many rows were refused, by the reason's name.
        differences: What does not add up, one sentence each; ``is_reconciled`` if none.
        laws_broken: Of the engine's books, among the differences too.
    """

    file: str
    machines: tuple[MachineReport, ...]
    total: MachineReport
    presence: int
    reasons: Mapping[str, int]
    refusals: tuple[Refusal, ...]
    laws_broken: tuple[str, ...]
    differences: tuple[str, ...]
    is_reconciled: bool

    @property
    def accepted_share(self) -> Decimal:
        """Rows accepted, of all in the file; 1 of an empty one."""
        rows = self.total.in_file.rows
        return Decimal(self.total.accepted.rows) / rows if rows else Decimal(1)

    def plain(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "file": self.file,
            "is_reconciled": self.is_reconciled,
            "accepted_share": str(self.accepted_share.quantize(Decimal("0.0001"))),
            "presence": self.presence,
            "total": self.total.plain(),
            "machines": [one.plain() for one in self.machines],
            "reasons": dict(self.reasons),
            "refusals": [
                {"line": one.line, "reason": one.reason, "why": one.why}
                for one in self.refusals
            ],
            "laws_broken": list(self.laws_broken),
            "differences": list(self.differences),
        }


def report_of(
    file: str,
    log: Log,
    told: Iterable[Told],
    *,
    in_file: Mapping[str, Amounts],
    booked: Mapping[str, Amounts],
    gained: Amounts,
    laws_broken: Iterable[str],
) -> ReplayReport:
    """Put together what became of a log, and compare.

    Args:
        file: Its name.
        log: As it was read.
        told: What became of each of its rows.
        in_file: By machine, straight from the file.
        booked: By machine, by the facts that the engine committed meanwhile.
        gained: By how much the job orders' and positions' own totals grew.
        laws_broken: Of the ledger, in sentences.
    """
    told = list(told)
    by_fate: dict[Fate, dict[str, Amounts]] = {
        fate: defaultdict(Amounts) for fate in Fate
    }
    for one in told:
        by_fate[one.fate][one.row.resource] += one.row.amounts
    for bad in log.bad:
        by_fate[Fate.REFUSED][bad.resource] += bad.amounts
    names = sorted({*in_file, *booked, *(n for one in by_fate.values() for n in one)})
    machines = tuple(
        MachineReport(
            machine=name,
            in_file=in_file.get(name, Amounts()),
            accepted=by_fate[Fate.ACCEPTED][name],
            refused=by_fate[Fate.REFUSED][name],
            repeated=by_fate[Fate.REPEATED][name],
            booked=booked.get(name, Amounts()),
        )
        for name in names
    )
    total = _total(machines)
    laws = tuple(laws_broken)
    differences = [text for one in machines for text in _differences(one)]
    if _without_rows(gained) != _without_rows(total.accepted):
        differences.append(
            f"The job orders' totals grew by {_told(gained)}; "
            f"{_told(total.accepted)} were accepted."
        )
    presence = sum(one.fate is Fate.ACCEPTED and one.row.is_empty for one in told)
    if total.booked.rows + presence != total.accepted.rows:
        differences.append(
            f"{total.accepted.rows} rows were accepted, {presence} of them of presence "
            f"only; the engine has {total.booked.rows} reports."
        )
    differences += laws
    refusals = [
        *(Refusal(line=b.line, reason=b.reason, why=b.told) for b in log.bad),
        *(
            Refusal(line=one.row.line, reason=one.reason, why=one.why)
            for one in told
            if one.fate is Fate.REFUSED
        ),
    ]
    refusals.sort(key=lambda one: one.line)
    return ReplayReport(
        file=file,
        machines=machines,
        total=total,
        presence=presence,
        reasons=dict(Counter(one.reason for one in refusals).most_common()),
        refusals=tuple(refusals),
        laws_broken=laws,
        differences=tuple(differences),
        is_reconciled=not differences,
    )


def _total(machines: Iterable[MachineReport]) -> MachineReport:
    machines = list(machines)
    return MachineReport(
        machine="all",
        in_file=sum((one.in_file for one in machines), Amounts()),
        accepted=sum((one.accepted for one in machines), Amounts()),
        refused=sum((one.refused for one in machines), Amounts()),
        repeated=sum((one.repeated for one in machines), Amounts()),
        booked=sum((one.booked for one in machines), Amounts()),
    )


def _differences(one: MachineReport) -> Iterable[str]:
    driven = one.accepted + one.refused + one.repeated
    if driven != one.in_file:
        yield (
            f"{one.machine}: the file has {_told(one.in_file)}; accepted, refused and "
            f"repeated are {_told(driven)}."
        )
    if _without_rows(one.booked) != _without_rows(one.accepted):
        yield (
            f"{one.machine}: {_told(one.accepted)} were accepted; the engine booked "
            f"{_told(one.booked)}."
        )


def _without_rows(amounts: Amounts) -> tuple[Decimal, ...]:
    return (
        amounts.good,
        amounts.scrap,
        amounts.suspect,
        amounts.rework,
        amounts.setup_s,
        amounts.processing_s,
        amounts.down_s,
        amounts.unknown_s,
    )


def _told(amounts: Amounts) -> str:
    rows = f"{amounts.rows} rows, " if amounts.rows else ""
    return (
        f"{rows}{amounts.good} good, {amounts.scrap} scrap, {amounts.suspect} suspect, "
        f"{amounts.rework} of them rework, "
        f"{amounts.setup_s} s setup, {amounts.processing_s} s processing, "
        f"{amounts.down_s} s down"
        + (f", {amounts.unknown_s} s unknown" if amounts.unknown_s != ZERO else "")
    )
