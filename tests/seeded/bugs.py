"""The bugs: each one line of the engine, changed as a tired person might change it."""

from dataclasses import dataclass
from enum import StrEnum


class Oracle(StrEnum):
    """Who has to find it: the whole shop driven at random, or the simulated plant."""

    DRIVEN = "driven"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Bug:
    """One change to one file of the package.

    Attributes:
        name: What is wrong, in a few words.
        path: The file, from the package.
        good: What is there; it is there once.
        bad: What takes its place.
    """

    name: str
    path: str
    good: str
    bad: str
    oracle: Oracle = Oracle.DRIVEN


BUGS = (
    # The ledger
    Bug(
        "what is sent is counted twice",
        "core/evolve/material.py",
        "sent=flow.sent + move.quantity",
        "sent=flow.sent + move.quantity * 2",
    ),
    Bug(
        "a reversal leaves what had arrived",
        "core/evolve/material.py",
        "arrived=flow.arrived - move.quantity",
        "arrived=flow.arrived",
    ),
    Bug(
        "pieces come to the next step and stay here too",
        "core/wip_ledger.py",
        '_changed(source, {move.bucket: gone, f"{way}_out": move.quantity}),',
        "source,",
    ),
    Bug(
        "a reversal takes out of the wrong side of the ledger",
        "core/wip_ledger.py",
        '{move.to_bucket: move.quantity, f"{way}_out": gone}),',
        '{move.to_bucket: move.quantity, f"{way}_in": move.quantity}),',
    ),
    Bug(
        "a request forgets what was on stock already",
        "core/evolve/material.py",
        "target = state.position.get((lot.id, move.to_place))",
        "target = None",
    ),
    # Lots and genealogy
    Bug(
        "a split is written down twice as large",
        "core/decide/splitting.py",
        "total = sum(amounts.values(), ZERO)",
        "total = sum(amounts.values(), ZERO) * 2",
    ),
    Bug(
        "a merge names the running total",
        "core/decide/lots.py",
        "relate(draft, lot.id, merged.id, quantity, lot.unit",
        "relate(draft, lot.id, merged.id, total, lot.unit",
    ),
    Bug(
        "every lot that is worked on has all of a component",
        "core/decide/stock.py",
        "        left -= share\n",
        "",
    ),
    Bug(
        "a lot with pieces elsewhere is ended",
        "core/decide/stock.py",
        "if any(one.held for one in positions):",
        "if positions and positions[0].held:",
    ),
    Bug(
        "a lot that comes back is still consumed",
        "core/decide/recall.py",
        "lot.existence is not LotExistence.ACTIVE",
        "lot.existence is LotExistence.VOIDED",
    ),
    Bug(
        "pieces stand before a step that they skip",
        "core/decide/flow.py",
        "    transfer(draft, passing, is_ending=True)\n",
        "",
    ),
    Bug(
        "what is not held waits beside what is",
        "core/decide/flow.py",
        "[one for one in found if not holds_on_lot(draft.state, one.lot)]",
        "found if not any(holds_on_lot(draft.state, one.lot) for one in found) else []",
    ),
    # Reports
    Bug(
        "a second report overwrites the first",
        "core/decide/reporting.py",
        "good_total=job.good + command.good",
        "good_total=command.good or job.good",
    ),
    Bug(
        "a reversal leaves the scrap of a report",
        "core/decide/giving_back.py",
        "scrap_total=job.scrap - scrap",
        "scrap_total=job.scrap",
    ),
    Bug(
        "rework is counted at the first time only",
        "core/decide/rework.py",
        "reworked_total=job.reworked + reworked",
        "reworked_total=job.reworked or reworked",
    ),
    Bug(
        "the limit of a rework loop is no limit",
        "core/decide/rework.py",
        "if times > loop.limit:",
        "if times > loop.limit + 1:",
    ),
    # Postings
    Bug(
        "what was posted is posted again",
        "core/decide/posting.py",
        "good, scrap = job.good - job.posted_good, job.scrap - job.posted_scrap",
        "good, scrap = job.good, job.scrap - job.posted_scrap",
    ),
    Bug(
        "a posting that takes back has the number of another",
        "core/decide/posting.py",
        "stream_seq=draft.request(posting.stream).posted + 1",
        "stream_seq=draft.request(posting.stream).posted",
    ),
    Bug(
        "the last word to the ledger is not taken back",
        "core/decide/posting.py",
        "        if posting.is_final:\n            _reverse(draft, posting)",
        "        if not posting.is_final:\n            _reverse(draft, posting)",
    ),
    Bug(
        "pieces sent back find the step's books closed",
        "core/decide/flow.py",
        "        reopen(draft, target.id)\n",
        "        draft.emit(f.VisitChanged(visit=replace(target, is_done=False)))\n",
    ),
    # Readiness
    Bug(
        "nobody hears that a hold was released",
        "core/decide/holds.py",
        "person=draft.person))\n    _touch_around(draft, hold, jobs)\n",
        "person=draft.person))\n",
    ),
    Bug(
        "nobody hears that material came",
        "core/decide/stock.py",
        '        reason=f"from {command.supplier}",\n    )\n'
        "    touch_consumers(draft, lot.material)\n",
        '        reason=f"from {command.supplier}",\n    )\n',
    ),
    Bug(
        "a buffer that a reversal empties stays full",
        "core/decide/recall.py",
        "        limits.taken(draft, successor)\n",
        "        limits.has_kanban\n",
    ),
    # Runs, machines, people
    Bug(
        "a work unit takes one more than it can",
        "core/guards.py",
        "if free > 0 and free >= takes",
        "if free + 1 > 0 and free + 1 >= takes",
    ),
    Bug(
        "a count is unassigned though it was booked",
        "core/decide/counting.py",
        "unassigned=known.unassigned + pieces - booked",
        "unassigned=known.unassigned + pieces",
    ),
    Bug(
        "what a person assigns is not booked",
        "core/decide/production.py",
        "booked=known.booked + assigned",
        "booked=known.booked",
    ),
    Bug(
        "a reversal forgets the counter's ledger",
        "core/decide/production.py",
        "booked=known.booked - quantity",
        "booked=known.booked",
    ),
    Bug(
        "a person's time is whole on each of many",
        "core/decide/labour.py",
        "labour_total_us=job.labour_us + share",
        "labour_total_us=job.labour_us + part_us",
    ),
    Bug(
        "each lot of a run says the last word on the step",
        "core/decide/ending.py",
        "is_final=is_done and is_last",
        "is_final=is_done",
    ),
    Bug(
        "the counter's new baseline at a rollover is zero",
        "core/signals/counter.py",
        "around = value + width - previous",
        "around = value",
        Oracle.SIMULATED,
    ),
    Bug(
        "the first count after a restart is all there ever was",
        "core/signals/counter.py",
        "delta = value - previous",
        "delta = value",
        Oracle.SIMULATED,
    ),
    # Messages and memory
    Bug(
        "a refusal leaves what it had begun to do",
        "core/state.py",
        "self._attempts.take_back(mark)",
        "self._attempts.begin()",
    ),
    Bug(
        "the journal has what a refusal had begun to do",
        "core/decide/__init__.py",
        "        draft.records.clear()\n",
        "",
    ),
    Bug(
        "the answer that is kept is another",
        "core/decide/__init__.py",
        "                answer=answer,\n                at=now,",
        '                answer=m.Answer(outcome=answer.outcome, message="again"),\n'
        "                at=now,",
    ),
    Bug(
        "a restart forgets what was handled",
        "storage/load.py",
        '        _fill_newest(state, connection, "handled", HANDLED_KEPT, sharing)\n',
        "",
    ),
    Bug(
        "a restart forgets what was consumed by hand",
        "storage/load.py",
        't.component_use.c.job_order.in_(jobs)),\n    )\n    yield "posting"',
        't.component_use.c.job_order.is_(None)),\n    )\n    yield "posting"',
    ),
    Bug(
        "a restart forgets which bookings were reversed",
        "storage/load.py",
        "t.reversal.c.request.in_(requests)",
        "t.reversal.c.request.is_(None)",
    ),
    Bug(
        "what is over is forgotten with what is on stock",
        "runtime/memory.py",
        "for one in positions if one.stock > 0",
        "for one in positions if one.stock < 0",
    ),
    Bug(
        "a message that comes twice is done twice",
        "runtime/batch.py",
        "            if known is not None:\n                self.repeats += 1",
        "            if known is None and self.repeats < 0:\n"
        "                self.repeats += 1",
        Oracle.SIMULATED,
    ),
    Bug(
        "what is gone stays in its carrier",
        "core/decide/aggregation.py",
        'take_out(draft, lot, reason=f"nothing is left of it: {existence}")',
        "pass",
    ),
    Bug(
        "a commit in doubt that was written is taken for lost",
        "runtime/committing.py",
        "return await self._store.reached() >= seq",
        "return await self._store.reached() > seq",
        Oracle.SIMULATED,
    ),
    Bug(
        "a commit in doubt that was lost is taken for written",
        "runtime/committing.py",
        "return await self._store.reached() >= seq",
        "return await self._store.reached() >= 0",
        Oracle.SIMULATED,
    ),
)
