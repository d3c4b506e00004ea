"""What a site does by the clock: the books compared, the head anchored, limits met."""

from collections.abc import Mapping

import msgspec

from mes_engine.bootstrap.core import Core
from mes_engine.modules import ledger
from mes_engine.runtime.anchoring import anchor_job
from mes_engine.runtime.jobs import Job, every
from mes_engine.runtime.pace import engine_back_off
from mes_engine.runtime.qualifications import qualifications_job
from mes_engine.runtime.reconcile import Booked, reconcile
from mes_engine.runtime.relay import Relay
from mes_engine.runtime.time_windows import time_windows_job
from mes_engine.settings import Site

RECONCILE_EVERY_S = 900
POKE_EVERY_S = 300


def scheduled(core: Core, relay: Relay, site: Site) -> list[Job]:
    """Return what is done by the clock, but for backups."""

    async def compare(slot: int) -> None:
        async def totals() -> Mapping[str, Booked]:
            found = await core.database.read(ledger.stream_totals)
            return {
                one.stream: Booked(
                    entries=one.entries, **msgspec.structs.asdict(one.amounts)
                )
                for one in found.values()
            }

        await reconcile(core.database, totals, at=slot)

    async def poke(_: int) -> None:
        relay.poke()

    return [
        Job(
            name="reconcile_ledger",
            slot_at=every(RECONCILE_EVERY_S),
            wake_s=POKE_EVERY_S,
            work=compare,
        ),
        Job(
            name="retry_postings",
            slot_at=every(POKE_EVERY_S),
            wake_s=POKE_EVERY_S,
            work=poke,
        ),
        anchor_job(core.store, site.anchor_file, clock=core.clock),
        qualifications_job(
            core.engine.committed,
            core.submit,
            clock=core.clock,
            patience=engine_back_off,
        ),
        time_windows_job(
            core.engine.committed,
            core.submit,
            clock=core.clock,
            patience=engine_back_off,
        ),
    ]
