"""Drive the rows of a log through the engine, one after the other, on one clock.

A row is two moments. At its start its job order is claimed for its machine: loaded and
begun, resumed, or moved there. At its completion it is reported, under a key made of
its content, so that the engine itself knows an exact repeat; and with the last row at
work on it, the job order gives the machine free. So rows that overlap are parallel
bookings on a machine's lanes, as they were in the shop.

Our clocks stand still meanwhile (a claimed job order is paused), because a log tells
booked time, which is not always the time between its start and its completion.

A row with neither pieces nor time is a person who was there. The engine has no report
of nothing, so such a row goes in as what it is: the job order is resumed, and paused at
the same moment. Nothing is booked; that it was there is in the journal, and an exact
repeat of it is recognised as of any other row.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import count

import msgspec

from mes_engine.bootstrap import Core
from mes_engine.core import messages as m
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.requests import SECOND, visit_id
from mes_engine.core.runs import Run
from mes_engine.core.whereabouts import here
from mes_engine.replay.ahead import Ahead
from mes_engine.replay.commands import (
    CLAIMS,
    claiming,
    ending,
    opening,
    reporting,
    sending_back,
)
from mes_engine.replay.moments import VirtualClock, moments_of
from mes_engine.replay.rows import Row
from mes_engine.replay.shop import Shop

ORIGIN = "replay"
PERSON = "replay"

Progress = Callable[[int, int], None]
"""Take note that so many rows of so many are done."""


class Fate(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A row and its fate; of a refusal, the reason's name and its sentence."""

    row: Row
    fate: Fate
    reason: str = ""
    why: str = ""


async def drive(
    rows: Sequence[Row],
    shop: Shop,
    core: Core,
    clock: VirtualClock,
    *,
    progress: Progress,
) -> list[Told]:
    """Drive ``rows`` through the engine, and return what became of each.

    Raises:
        Refused: The engine does not take the plant.
        Overloaded: The database takes no changes; what was driven so far is kept.
    """
    ahead = await Ahead.of(core, ORIGIN)
    driver = _Driver(shop, ahead, clock)
    moments = moments_of(rows)
    if moments:
        clock.now = moments[0].at
        driver.apply_plant()
    for moment in moments:
        if ahead.is_full():
            await ahead.hand_in()
            progress(len(driver.told), len(rows))
        clock.now = moment.at
        if moment.is_start:
            driver.start(moment.row)
        else:
            driver.complete(moment.row)
    await ahead.hand_in()
    progress(len(driver.told), len(rows))
    return driver.told


class _Driver:
    """What it keeps is about rows at work; all else is asked of the state.

    Attributes:
        told: Rows that are complete, and what became of them.
    """

    def __init__(self, shop: Shop, ahead: Ahead, clock: VirtualClock) -> None:
        self.told: list[Told] = []
        self._shop = shop
        self._ahead = ahead
        self._clock = clock
        self._opened: dict[str, m.Answer | None] = {}
        self._at_work: set[int] = set()
        self._rows_on: Counter[str] = Counter()
        # By the key of a row: why its claim was refused, and for which line first.
        self._refused: dict[str, tuple[m.Answer, int]] = {}

    def apply_plant(self) -> None:
        """Have the engine work with the log's plant."""
        state, plant = self._ahead.state, self._shop.plant
        if next(state.plant.values(), None) == plant:
            return
        # It may have been applied before, and another one since: a key of its own.
        message = self._own(m.ApplyPlant(plant=plant), key=f"plant-{state.seq}")
        refusal = _refusal(self._ahead.put([message]))
        if refusal is not None:
            raise Refused(
                f"The log cannot be replayed here: {refusal.message}",
                hint=refusal.hint or "Name a database of its own.",
                unmet=refusal.unmet,
            )

    def start(self, row: Row) -> None:
        """Claim the row's machine for its job order."""
        if self._ahead.is_handled(row.key):
            return
        before = self._refused_before(row)
        if before is not None:
            self._refused.setdefault(row.key, (before, 0))
            return
        refusal = self._open(row.case) or self._claim(row, at=row.start, is_start=True)
        if refusal is not None:
            self._refused.setdefault(row.key, (refusal, row.line))
            return
        self._at_work.add(row.line)
        self._rows_on[self._visit(row)] += 1

    def complete(self, row: Row) -> None:
        """Report what the row says, and give its machine free after the last row."""
        is_repeat = self._ahead.is_handled(row.key)
        refusal, first = self._refused.get(row.key, (None, row.line))
        if refusal is None and not is_repeat:
            refusal = self._claim(row, at=row.complete, is_start=False)
        is_last = self._leave_off(row)
        job = self._job(row)
        answers: list[m.Answer] = []
        if job is not None:
            is_reported = refusal is None
            if is_reported and row.goes_back:
                answers = self._rework(row, job, is_last=is_last, is_repeat=is_repeat)
            elif is_reported:
                report = reporting(job, row)
                answers = self._ahead.put(
                    [self._of(row, report, key=row.key, at=row.complete)]
                )
            is_running = row.is_empty and is_reported and not is_repeat
            last = ending(job, is_running=is_running, gives_up_slot=is_last)
            self._ahead.put([self._of(row, one, at=row.complete) for one in last])
        refusal = refusal or _refusal(answers)
        if is_repeat or first != row.line:
            self.told.append(Told(row=row, fate=Fate.REPEATED))
        elif refusal is not None:
            reason, why = _reason(refusal), refusal.message
            self.told.append(Told(row=row, fate=Fate.REFUSED, reason=reason, why=why))
        else:
            self.told.append(Told(row=row, fate=Fate.ACCEPTED))

    def _rework(
        self, row: Row, job: JobOrder, *, is_last: bool, is_repeat: bool
    ) -> list[m.Answer]:
        """Send the row's pieces back, and report them in the pass that they are in."""
        unit, at = self._shop.work_units[row.resource], row.complete
        put, state = self._ahead.put, self._ahead.state
        if not is_repeat:
            leaving = ending(job, is_running=False, gives_up_slot=is_last)
            put([self._of(row, one, at=at) for one in leaving])
            command = sending_back(job, here(state, job), row)
            sent = put([self._of(row, command, key=f"{row.key}:back", at=at)])
            if _refusal(sent) is not None:
                return sent
        back = self._job(row, pass_number=SECOND)
        if back is None:
            return [_no_job(row)]
        claims = [] if is_repeat else claiming(back, self._run_of(back), unit)
        claimed = [put([self._of(row, one, at=at)])[0] for one in claims]
        if _refusal(claimed) is not None:
            return claimed
        answers = put([self._of(row, reporting(back, row), key=row.key, at=at)])
        if not is_repeat:
            back = self._job(row, pass_number=SECOND) or back
            leaving = ending(back, is_running=False, gives_up_slot=True)
            put([self._of(row, one, at=at) for one in leaving])
        return answers

    def _run_of(self, job: JobOrder) -> Run | None:
        return None if job.run is None else self._ahead.state.run.get(job.run)

    def _open(self, case: str) -> m.Answer | None:
        """Have the work request there, at the first row of its case."""
        if case not in self._opened:
            order = self._shop.orders[case]
            answers = self._ahead.put([self._own(one) for one in opening(order)])
            is_there = self._ahead.state.work_request.get(order.request) is not None
            # An order of an earlier replay goes on by the routing that it has.
            self._opened[case] = None if is_there else _refusal(answers)
        return self._opened[case]

    def _claim(self, row: Row, *, at: int, is_start: bool) -> m.Answer | None:
        """Bring the job order to the row's machine, or return why it is refused."""
        job = self._job(row)
        if job is None:
            return _no_job(row)
        messages = []
        for one in claiming(
            job, self._run_of(job), self._shop.work_units[row.resource]
        ):
            is_first = is_start and isinstance(one, CLAIMS)
            key = self._fresh_claim_key(row, type(one)) if is_first else ""
            messages.append(self._of(row, one, key=key, at=at))
        return _refusal(self._ahead.put(messages))

    def _refused_before(self, row: Row) -> m.Answer | None:
        """Return why the same row was refused its claim, here or in another replay."""
        return _refusal(
            answer for one in CLAIMS for answer in self._claim_answers(row, one)
        )

    def _claim_answers(self, row: Row, command: type) -> Iterator[m.Answer]:
        """Yield what was answered to the row's claims, of which each has a number."""
        for number in count(1):
            answer = self._ahead.answer(_claim_key(row, command, number))
            if answer is None:
                return
            yield answer

    def _fresh_claim_key(self, row: Row, command: type) -> str:
        # A claim was made before if that replay was cut short ahead of the report.
        number = sum(1 for _ in self._claim_answers(row, command)) + 1
        return _claim_key(row, command, number)

    def _leave_off(self, row: Row) -> bool:
        """Whether the row was at work on its job order, and was the last to be."""
        if row.line not in self._at_work:
            return False
        visit = self._visit(row)
        self._at_work.remove(row.line)
        self._rows_on[visit] -= 1
        return self._rows_on[visit] == 0

    def _visit(self, row: Row, pass_number: int = 1) -> str:
        order = self._shop.orders[row.case]
        return visit_id(order.request, self._shop.steps[row.activity], pass_number)

    def _job(self, row: Row, pass_number: int = 1) -> JobOrder | None:
        visit = self._visit(row, pass_number)
        jobs = self._ahead.state.job_order.find("visit", visit)
        return next((job for job in jobs if not job.is_over), None)

    def _own(self, command: m.Command, *, key: str = "") -> m.Commanded:
        """Return a command of the replay itself."""
        digest = _digest(command, PERSON)
        return m.Commanded(
            origin=ORIGIN,
            key=key or digest,
            digest=digest,
            person=PERSON,
            at=self._clock.now,
            command=command,
        )

    def _of(
        self, row: Row, command: m.Command, *, at: int, key: str = ""
    ) -> m.Commanded:
        """Return a command of a row.

        What follows from where a job order stands is new each time, and so is its key;
        what a row says by itself is given the ``key`` of its content.
        """
        name = f"{type(command).__name__}-{self._ahead.state.seq}"
        return m.Commanded(
            origin=ORIGIN,
            key=key or f"{row.key}:{name}",
            digest=_digest(command, row.person),
            person=row.person,
            at=at,
            command=command,
        )


def _claim_key(row: Row, command: type, number: int) -> str:
    return f"{row.key}:{command.__name__}#{number}"


def _digest(command: m.Command, person: str) -> str:
    return sha256(msgspec.json.encode((command, person))).hexdigest()


def _refusal(answers: Iterable[m.Answer]) -> m.Answer | None:
    """Return the first that is none of acceptance."""
    return next((one for one in answers if one.outcome is not m.Outcome.ACCEPTED), None)


def _no_job(row: Row) -> m.Answer:
    told = f"There is no job order for '{row.activity}' of {row.case} to report on."
    return m.Answer(
        outcome=m.Outcome.REFUSED, message=told, unmet=(f"job_order_there: {told}",)
    )


def _reason(answer: m.Answer) -> str:
    """Name a refusal: the conditions that do not hold, or its kind."""
    names = dict.fromkeys(one.split(":", 1)[0] for one in answer.unmet)
    return ", ".join(names) or answer.outcome.value
