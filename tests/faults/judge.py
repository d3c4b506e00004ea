"""The judge: the file of answers and the machines' own file, against the engine.

Every difference is a sentence; a sound engine leaves none.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mes_adapters.simulator.plant import count_pieces
from tests.adapters.plant import RunningPlant
from tests.faults.people import Acknowledged, Person

ZERO = Decimal(0)
AT_ONCE = 8

Recorded = dict[str, Any]

EFFECT_OF = {
    "work-requests": "work_request_created",
    "load": "run_opened",
    "begin": "begin",
    "complete": "complete",
    "report": "quantity_reported",
}
"""What a command leads to exactly once, by the last word of its path."""


@dataclass
class Verdict:
    """What was compared, and what was found."""

    facts: int = 0
    commands: int = 0
    refusals: int = 0
    reported: Decimal = ZERO
    pieces: int = 0
    postings: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = (
            f"{self.commands} commands acknowledged ({self.refusals} refusals), "
            f"{self.reported} pieces reported, {self.pieces} pieces counted, "
            f"{self.postings} postings, {self.facts} facts, "
            f"{len(self.problems)} differences"
        )
        return "\n".join([told, *self.problems[:20]])


async def judged(
    clerk: Person, answers: list[Acknowledged], plant: RunningPlant | None
) -> Verdict:
    """Compare everything; the machines stand still, and their counts have arrived.

    Without a ``plant`` there are none.
    """
    verdict = Verdict(
        commands=len(answers), refusals=sum(not one.is_done for one in answers)
    )
    facts = await clerk.items("/facts")
    verdict.facts = len(facts)
    if plant is not None:
        verdict.pieces = count_pieces(plant.pieces).total()
        verdict.problems += await miscounted(clerk, plant)
    verdict.problems += [
        *_numbering(facts),
        *_effects(facts, answers),
        *await _sums(clerk, facts, answers, verdict),
        *await _ledger(clerk, verdict),
        *await _repeats(clerk, answers, head=len(facts)),
    ]
    return verdict


def _numbering(facts: list[Recorded]) -> Iterator[str]:
    for wanted, one in enumerate(facts, start=1):
        if one["seq"] != wanted:
            yield f"fact {one['seq']} where {wanted} should be"
            return


def _effects(facts: list[Recorded], answers: list[Acknowledged]) -> Iterator[str]:
    """Each command once in the journal, with the answer that was given."""
    by_cause: dict[str, list[Recorded]] = defaultdict(list)
    for one in facts:
        if one["cause"].startswith("http:"):
            by_cause[one["cause"]].append(one)
    given = Counter(one.key for one in answers)
    yield from (f"{key} was answered {n} times" for key, n in given.items() if n > 1)
    for cause in by_cause.keys() - {f"http:{key}" for key in given}:
        yield f"{cause} is in the journal, and nobody was answered so"
    for answer in answers:
        found = by_cause[f"http:{answer.key}"]
        told = Counter(_name(one) for one in found)
        if told["command_handled"] != 1:
            yield f"{answer.key} was handled {told['command_handled']} times"
        effect = EFFECT_OF.get(answer.words[-1])
        if effect is not None and told[effect] != answer.is_done:
            yield f"{answer.key} {answer.path}: {told[effect]} {effect}"
        if not answer.is_done and told.total() > 1:
            yield f"{answer.key} was refused and did {dict(told)}"
        last = max((one["seq"] for one in found), default=0)
        if answer.is_done and not 0 <= last - answer.plain()["seq"] <= 1:
            yield f"{answer.key} was told {answer.plain()['seq']}, ends with {last}"


def _name(recorded: Recorded) -> str:
    """Name a fact; of a job order's move, the trigger says more."""
    is_move = recorded["type"] == "job_order_moved"
    return str(recorded["fact"]["trigger"] if is_move else recorded["type"])


async def _sums(
    clerk: Person,
    facts: list[Recorded],
    answers: list[Acknowledged],
    verdict: Verdict,
) -> list[str]:
    """What was acknowledged on a job order is what it has, and nothing else is."""
    good: dict[str, Decimal] = defaultdict(Decimal)
    scrap: dict[str, Decimal] = defaultdict(Decimal)
    for answer in answers:
        if answer.is_done and answer.words[-1] == "report":
            body, job = answer.body or {}, answer.words[1]
            good[job] += Decimal(body.get("good", 0))
            for one in body.get("scrap", ()):
                scrap[job] += Decimal(one["quantity"])
    verdict.reported = sum((*good.values(), *scrap.values()), ZERO)
    for recorded in facts:
        fact = recorded["fact"]
        if recorded["type"] == "quantity_reported" and fact["source"] == "machine":
            good[fact["job_order"]] += Decimal(fact["good"])
            scrap[fact["job_order"]] += Decimal(fact["scrap"])
    jobs = await clerk.items("/job-orders")
    problems = [
        f"{job['id']}: {job[word]} {word}, {wanted[job['id']]} acknowledged"
        for job in jobs
        for word, wanted in (("good", good), ("scrap", scrap))
        if Decimal(job[word]) != wanted[job["id"]]
    ]
    planned = {
        one.body["work_request"]
        for one in answers
        if one.is_done and one.body and one.words == ("work-requests",)
    }
    there = {one["id"] for one in await clerk.items("/work-requests")}
    problems += [f"{one} was acknowledged and is not there" for one in planned - there]
    problems += [f"{one} is there and was never planned" for one in there - planned]
    return problems


async def miscounted(clerk: Person, plant: RunningPlant) -> list[str]:
    """Counted, and the counter's first value, are what the machine's file has."""
    first = baselines(await clerk.items("/facts", type="signal_read"))
    problems = []
    for (machine, role), pieces in sorted(count_pieces(plant.pieces).items()):
        tally = await tally_of(clerk, machine, role)
        counted = Decimal(tally["counted"])
        if counted != Decimal(tally["booked"]) + Decimal(tally["unassigned"]):
            problems.append(f"{machine} {role}: {tally} does not add up")
        if counted + first[machine, role] != pieces:
            problems.append(
                f"{machine} {role}: {pieces} made, {counted} counted after "
                f"{first[machine, role]}"
            )
    return problems


def baselines(facts: list[Recorded]) -> Counter[tuple[str, str]]:
    """Return where each counter stood when it was first seen, as the facts tell."""
    first: Counter[tuple[str, str]] = Counter()
    for one in facts:
        fact = one["fact"]
        if one["type"] == "signal_read" and fact.get("change") == "baseline":
            machine, _, role = fact["signal"]["tag"].partition(".")
            first[machine, role] += int(fact["signal"]["value"])
    return first


async def tally_of(clerk: Person, machine: str, role: str) -> dict[str, str]:
    """Return what was counted of a machine, in a role: good or scrap."""
    shown = await clerk.get(f"/work-units/{machine}")
    nothing = {"counted": "0", "booked": "0", "unassigned": "0"}
    return next((one for one in shown["tallies"] if one["role"] == role), nothing)


async def have_arrived(clerk: Person, plant: RunningPlant) -> bool:
    """Whether every piece in the plant's file has been counted."""
    first = baselines(await clerk.items("/facts", type="signal_read"))
    for (machine, role), pieces in count_pieces(plant.pieces).items():
        tally = await tally_of(clerk, machine, role)
        if int(tally["counted"]) + first[machine, role] < pieces:
            return False
    return True


async def are_posted(clerk: Person) -> bool:
    """Whether the ledger has acknowledged everything."""
    postings = await clerk.items("/postings")
    return all(one["state"] == "acknowledged" for one in postings)


async def _ledger(clerk: Person, verdict: Verdict) -> list[str]:
    """Every posting booked once, and each order's in order."""
    problems = []
    entries = await clerk.items("/ledger/entries")
    postings = await clerk.items("/postings")
    verdict.postings = len(entries)
    keys = Counter(one["key"] for one in entries)
    problems += [f"{key} is booked {n} times" for key, n in keys.items() if n > 1]
    raised = {one["key"] for one in postings}
    problems += [f"{key} is not booked" for key in raised - keys.keys()]
    problems += [f"{key} is booked, never raised" for key in keys.keys() - raised]
    problems += [
        f"{one['key']} is {one['state']}"
        for one in postings
        if one["state"] != "acknowledged"
    ]
    last: Counter[str] = Counter()
    booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in sorted(entries, key=lambda one: one["number"]):
        last[one["order"]] += 1
        if one["stream_seq"] != last[one["order"]]:
            problems.append(f"{one['key']} was booked as {last[one['order']]}.")
        for word in ("good", "scrap"):
            booked[one["job_order"], word] += Decimal(one[word])
    problems += [
        f"{job['id']}: {job[word]} {word}, {booked[job['id'], word]} in the ledger"
        for job in await clerk.items("/job-orders")
        if job["ended_at"] is not None
        for word in ("good", "scrap")
        if booked[job["id"], word] != Decimal(job[word])
    ]
    return problems


async def _repeats(
    clerk: Person, answers: list[Acknowledged], *, head: int
) -> list[str]:
    """Every command again, under its key: the same answer to the byte."""
    room = asyncio.Semaphore(AT_ONCE)
    problems: list[str] = []

    async def repeat(one: Acknowledged) -> None:
        async with room:
            again = await clerk.asked(
                "POST",
                one.path,
                json=one.body,
                headers={"Idempotency-Key": one.key, "X-Person": one.person},
            )
        if (again.status_code, again.text) != (one.status, one.answer):
            problems.append(
                f"{one.key} {one.path}: was {one.status} {one.answer}, and now "
                f"{again.status_code} {again.text}"
            )

    async with asyncio.TaskGroup() as tasks:
        for one in answers:
            tasks.create_task(repeat(one))
    since = await clerk.items("/facts", after=str(head))
    problems += [
        f"a repeat left fact {one['seq']} {one['type']} of {one['cause']} behind"
        for one in since
        if one["cause"].startswith("http:")
    ]
    return problems
