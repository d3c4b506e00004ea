"""Dispatch: which job order next on which work unit; pure, over the queue.

The rules are those of the scheduling literature (Pinedo, Scheduling, 5th ed. 2016,
chapter 14; Vepsalainen and Morton 1987 for ATC). Times are whole microseconds, scores
are whole numbers or exact decimals: the same queue gives the same decision, anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from mes_engine.core.conditions import Condition
from mes_engine.core.job_order import READY, JobOrder
from mes_engine.core.plant import DispatchRule, RuleSettings
from mes_engine.core.quantity import MILLION

KEPT_CANDIDATES = 20
"""How many candidates a decision keeps besides the chosen one: enough to see why."""

_EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
_MILLIONTH = Decimal("0.000001")
_SHORTEST_US = MILLION
"""What has no standard time counts as a second: nothing is divided by zero."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A job order in a queue, with the times that rules ask for, in microseconds.

    Attributes:
        setup_us: What setting up for it takes, on the work unit in question.
        run_us: What the pieces that are there take.
        rest_us: The longest path of standard times through what comes after its step.
        setup_told: From which setup to which, where a changeover says so.
    """

    job: JobOrder
    setup_us: int = 0
    run_us: int = 0
    rest_us: int = 0
    setup_told: str = ""

    @property
    def here_us(self) -> int:
        """What it takes at this step; a second at least."""
        return max(self.setup_us + self.run_us, _SHORTEST_US)

    @property
    def left_us(self) -> int:
        """What it takes from here to the end of its routing; a second at least."""
        return max(self.setup_us + self.run_us + self.rest_us, _SHORTEST_US)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A job order that was looked at.

    Attributes:
        score: By the rule; the lowest goes first.
        why: What the score was made of.
        unmet: Why it cannot be taken now; empty for one that can. Of one whose turn
            comes after the chosen, only what its own conditions say.
    """

    job_order: str
    score: Decimal
    why: str = ""
    unmet: tuple[Condition, ...] = ()


class DispatchDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What was dispatched to a work unit, and why nothing else was.

    Attributes:
        seq: The fact that it was written by.
        candidates: The first in turn, and the chosen one.
        chosen: The job order; None if none could be taken.
        loaded_with: Those that were loaded into the same run.
        asked_for: The job order that a person named; None where the rule chose.
        settings: The rule's, as they were.
    """

    seq: int
    work_unit: str
    work_center: str
    rule: DispatchRule
    at: int
    person: str
    candidates: tuple[Candidate, ...]
    chosen: str | None
    asked_for: str | None = None
    settings: RuleSettings = RuleSettings()
    loaded_with: tuple[str, ...] = ()


Score = int | Decimal
Queue = Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of a queue, in its order, and how to tell what one was made of."""

    scores: Sequence[Score]
    why: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its name: how it scores a queue at a time.

    Attributes:
        has_setup: Whether it asks for the time of the setup.
        has_work: Whether it asks for that of the work, here and after this step. Both
            take their time to work out.
    """

    score: Callable[[Queue, RuleSettings, int], Scored]
    has_setup: bool = False
    has_work: bool = False


def fifo(queue: Queue, _: RuleSettings, now: int) -> Scored:
    """First in, first out: the time of entering the queue."""
    since = [
        one.job.stored_at if one.job.queued_at is None else one.job.queued_at
        for one in queue
    ]
    return Scored(since, lambda at: f"in the queue for {_s(now - since[at])}")


def edd(queue: Queue, _: RuleSettings, now: int) -> Scored:
    """Earliest due date: ``d``."""
    return Scored(
        [one.job.due_at for one in queue], lambda at: _due(queue[at].job.due_at - now)
    )


def priority(queue: Queue, _: RuleSettings, __: int) -> Scored:
    """The highest number first."""
    return Scored(
        [-one.job.priority for one in queue],
        lambda at: f"priority {queue[at].job.priority}",
    )


def spt(queue: Queue, _: RuleSettings, __: int) -> Scored:
    """Shortest processing time: ``p``, the setup and the run of what is there."""
    times = [one.setup_us + one.run_us for one in queue]
    return Scored(times, lambda at: _p(queue[at]))


def critical_ratio(queue: Queue, _: RuleSettings, now: int) -> Scored:
    """Critical ratio: ``(d - t) / remaining``, the time that is left over the work."""

    def why(at: int) -> str:
        one = queue[at]
        return f"{_due(one.job.due_at - now)}, {_s(one.left_us)} of work left"

    ratios = [_ratio(one.job.due_at - now, one.left_us) for one in queue]
    return Scored(ratios, why)


def atc(queue: Queue, settings: RuleSettings, now: int) -> Scored:
    """Apparent tardiness cost: minus the logarithm of Pinedo's index.

    ``I = w / p * exp(-max(d - t - p - rest, 0) / (k * mean p))``, the highest first:
    so ``max(slack, 0) / (k * mean p) - ln(w / p)``, the lowest first, which has no
    underflow. ``w`` is 1 and the priority, if above 0; ``p`` is the seconds that it
    takes here; the step is due when the request is, less the rest of the routing.
    """
    total = sum(one.here_us for one in queue)
    ahead = _EXACT.multiply(settings.k, Decimal(total))

    def slack(one: Waiting) -> int:
        return one.job.due_at - now - one.here_us - one.rest_us

    def score(one: Waiting) -> Decimal:
        put_off = Decimal(max(slack(one), 0) * len(queue))
        worth = _EXACT.divide(Decimal(_weight(one) * MILLION), Decimal(one.here_us))
        later = _EXACT.divide(put_off, ahead)
        return _rounded(_EXACT.subtract(later, _EXACT.ln(worth)))

    def why(at: int) -> str:
        one = queue[at]
        return (
            f"weight {_weight(one)}, {_s(one.here_us)} here, slack {_s(slack(one))}, "
            f"mean {_s(total // len(queue))}"
        )

    return Scored([score(one) for one in queue], why)


def setup_min(queue: Queue, _: RuleSettings, __: int) -> Scored:
    """The shortest setup first: by the changeover from what the work unit ran last."""
    return Scored([one.setup_us for one in queue], lambda at: _setup(queue[at]))


def weighted(queue: Queue, settings: RuleSettings, now: int) -> Scored:
    """A weighted sum of other rules, each brought to 0 (first) up to 1 (last)."""
    parts = {
        name: _normalised(RULES[name].score(queue, settings, now).scores)
        for name in settings.weights
    }
    sums = [
        sum((settings.weights[name] * parts[name][at] for name in parts), Decimal(0))
        for at in range(len(queue))
    ]

    def why(at: int) -> str:
        return ", ".join(
            f"{settings.weights[name]} x {name.value} {parts[name][at].normalize():f}"
            for name in parts
        )

    return Scored(sums, why)


RULES: Mapping[DispatchRule, Rule] = {
    DispatchRule.FIFO: Rule(fifo),
    DispatchRule.EDD: Rule(edd),
    DispatchRule.PRIORITY: Rule(priority),
    DispatchRule.SPT: Rule(spt, has_setup=True, has_work=True),
    DispatchRule.CRITICAL_RATIO: Rule(critical_ratio, has_setup=True, has_work=True),
    DispatchRule.ATC: Rule(atc, has_setup=True, has_work=True),
    DispatchRule.SETUP_MIN: Rule(setup_min, has_setup=True),
    DispatchRule.WEIGHTED: Rule(weighted),
}
"""Every rule by its name: a new one is a name and a function."""


def asks_for(rule: DispatchRule, settings: RuleSettings) -> tuple[bool, bool]:
    """Return whether a rule asks for times of setup, and of work."""
    weighed = settings.weights if rule is DispatchRule.WEIGHTED else ()
    rules = [RULES[one] for one in (rule, *weighed)]
    return any(one.has_setup for one in rules), any(one.has_work for one in rules)


def in_turn(
    rule: DispatchRule, settings: RuleSettings, queue: Queue, now: int
) -> tuple[list[int], Scored]:
    """Return the order of ``queue`` by its indexes, and the scores behind it.

    Equal scores go by the due date, then by the number.
    """
    scored = RULES[rule].score(queue, settings, now)
    keys = [
        (score, one.job.due_at, one.job.number, at)
        for at, (score, one) in enumerate(zip(scored.scores, queue, strict=True))
    ]
    return [key[-1] for key in sorted(keys)], scored


def candidates_of(
    rule: DispatchRule,
    settings: RuleSettings,
    queue: Queue,
    unmet: Callable[[JobOrder], tuple[Condition, ...]],
    *,
    now: int,
    asked_for: str | None = None,
) -> tuple[tuple[Candidate, ...], str | None]:
    """Put ``queue`` in turn; return what is kept, and the first that can be taken.

    Args:
        rule: The work center's rule.
        settings: The rule's.
        queue: The job orders that wait there, in any order.
        unmet: Why one cannot be taken on the work unit in question.
        now: Microseconds of UTC.
        asked_for: One that is kept however late its turn comes.
    """
    order, scored = in_turn(rule, settings, queue, now)
    kept: list[Candidate] = []
    chosen: str | None = None
    for turn, at in enumerate(order):
        job = queue[at].job
        is_asked = chosen is None or job.id == asked_for
        against = unmet(job) if is_asked else own_unmet(job)
        is_chosen = chosen is None and not against
        if is_chosen:
            chosen = job.id
        if turn < KEPT_CANDIDATES or is_chosen or job.id == asked_for:
            score = Decimal(scored.scores[at])
            kept.append(
                Candidate(
                    job_order=job.id, score=score, why=scored.why(at), unmet=against
                )
            )
        elif chosen is not None and asked_for is None:
            break
    return tuple(kept), chosen


def own_unmet(job: JobOrder) -> tuple[Condition, ...]:
    """Return what the job order's own conditions say against it."""
    if job.state in READY:
        return ()
    return tuple(one for one in job.conditions if not one.is_met)


def _normalised(scores: Sequence[Score]) -> list[Decimal]:
    lowest, highest = min(scores, default=0), max(scores, default=0)
    if lowest == highest:
        return [Decimal(0)] * len(scores)
    return [_ratio(score - lowest, highest - lowest) for score in scores]


def _ratio(part: Score, whole: Score) -> Decimal:
    return _rounded(_EXACT.divide(Decimal(part), Decimal(whole)))


def _rounded(value: Decimal) -> Decimal:
    return _EXACT.quantize(value, _MILLIONTH)


def _weight(one: Waiting) -> int:
    return max(one.job.priority, 0) + 1


def _p(one: Waiting) -> str:
    return f"{_setup(one)}, {_s(one.run_us)} to run"


def _setup(one: Waiting) -> str:
    told = f" ({one.setup_told})" if one.setup_told else ""
    return f"{_s(one.setup_us)} to set up{told}"


def _due(us: int) -> str:
    return f"due in {_s(us)}" if us >= 0 else f"overdue by {_s(-us)}"


def _s(us: int) -> str:
    seconds = Decimal(us) / MILLION
    return f"{seconds.normalize():f} s" if us % MILLION else f"{us // MILLION} s"
