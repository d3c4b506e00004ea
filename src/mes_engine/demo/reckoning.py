"""Reckon up: what the plant says it made, against what the engine and ledger say.

The plant's file of pieces is the judge; the engine has never seen it.
"""

import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from mes_engine.demo.client import Api

ZERO = Decimal(0)


@dataclass(kw_only=True)
class MachineReckoning:
    """One machine: pieces made by its own file, and what came of them.

    Attributes:
        made: By the plant's own file, good and scrap.
        counted: By the engine, from its counters.
        booked: On job orders; the rest of ``counted`` is ``unassigned``.
        posted: In the ledger, of the job orders that ran here.
        explained_good: What named facts say of good pieces made and not counted.
        explained_scrap: The same of scrap.
    """

    machine: str
    made: Decimal = ZERO
    made_scrap: Decimal = ZERO
    counted: Decimal = ZERO
    scrapped: Decimal = ZERO
    booked: Decimal = ZERO
    unassigned: Decimal = ZERO
    posted: Decimal = ZERO
    explained_good: Decimal = ZERO
    explained_scrap: Decimal = ZERO
    facts: list[str] = field(default_factory=list)

    @property
    def explained(self) -> Decimal:
        """What named facts say of ``made - counted``."""
        return self.explained_good + self.explained_scrap

    @property
    def difference(self) -> Decimal:
        """Pieces made and not counted, nor explained."""
        return self.made - self.counted - self.explained

    @property
    def problems(self) -> list[str]:
        """What does not add up, in words."""
        found = []
        if self.difference:
            found.append(f"{self.difference} pieces made and not counted")
        if self.made_scrap != self.scrapped + self.explained_scrap:
            found.append(
                f"{self.made_scrap} scrap made, {self.scrapped} counted, "
                f"{self.explained_scrap} explained"
            )
        if self.counted != self.booked + self.unassigned:
            found.append("counted is not booked and unassigned")
        if self.booked != self.posted:
            found.append(f"{self.booked} booked, {self.posted} posted")
        return found

    def as_plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        plain = {
            key: str(value) if isinstance(value, Decimal) else value
            for key, value in asdict(self).items()
        }
        return {
            **plain,
            "explained": str(self.explained),
            "difference": str(self.difference),
            "problems": self.problems,
        }


async def reckon(api: Api, pieces: Path) -> list[MachineReckoning]:
    """Compare the plant's own file with the engine and the ledger."""
    made = _made(pieces)
    posted = await _posted_by_unit(api)
    result = []
    for unit in await api.get("/work-units"):
        name = unit["id"]
        if unit["equipment"]["link"] is None and not made[name]:
            continue
        detail = await api.get(f"/work-units/{name}")
        one = MachineReckoning(
            machine=name,
            made=Decimal(made[name].total()),
            made_scrap=Decimal(made[name]["scrap"]),
            posted=posted[name],
        )
        for tally in detail["tallies"]:
            one.counted += Decimal(tally["counted"])
            one.booked += Decimal(tally["booked"])
            one.unassigned += Decimal(tally["unassigned"])
            if tally["role"] == "scrap":
                one.scrapped = Decimal(tally["counted"])
        result.append(one)
    await _explain(api, {one.machine: one for one in result})
    return result


def _made(pieces: Path) -> dict[str, Counter[str]]:
    made: dict[str, Counter[str]] = defaultdict(Counter)
    with pieces.open() as lines:
        for line in lines:
            piece = json.loads(line)
            made[piece["machine"]][piece["result"]] += 1
    return made


async def _posted_by_unit(api: Api) -> dict[str, Decimal]:
    """Add up the ledger's entries by the work unit that the job order ran on."""
    unit_of: dict[str, str] = {}
    for job in await api.items("/job-orders"):
        detail = await api.get(f"/job-orders/{job['id']}")
        for run in detail["runs"]:
            unit_of[job["id"]] = run["work_unit"]
    posted: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for entry in await api.items("/ledger/entries"):
        unit = unit_of.get(entry["job_order"], "")
        posted[unit] += Decimal(entry["good"]) + Decimal(entry["scrap"])
    return posted


async def _explain(api: Api, machines: dict[str, MachineReckoning]) -> None:
    """Look for facts that say why a machine's count differs: baselines, for one."""
    after = 0
    while True:
        page = await api.get("/facts", after=str(after), type="signal_read")
        for recorded in page["items"]:
            _explain_by(recorded, machines)
            after = recorded["seq"]
        if not page["items"]:
            return


def _explain_by(
    recorded: dict[str, Any], machines: dict[str, MachineReckoning]
) -> None:
    fact = recorded["fact"]
    signal = fact["signal"]
    machine, _, role = signal["tag"].rpartition(".")
    one = machines.get(machine)
    if one is None or fact.get("change") != "baseline" or signal["value"] == "0":
        return
    value = Decimal(signal["value"])
    if role == "good":
        one.explained_good += value
    elif role == "scrap":
        one.explained_scrap += value
    else:
        return
    one.facts.append(
        f"fact {recorded['seq']}: {signal['tag']} stood at {value} when it was first "
        "seen"
    )
