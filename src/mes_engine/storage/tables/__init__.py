"""The engine's tables: the journal, and one projection for each table of the state.

A projection's columns are the fields of its struct, by name: ``codec`` relies on it. A
plant and a routing are kept whole, as JSON.
"""

from sqlalchemy import Connection, Table, event, text

from mes_engine.core.state import TABLES
from mes_engine.storage.dialect import written_once
from mes_engine.storage.metadata import metadata
from mes_engine.storage.tables.carriers import aggregation_event, carrier
from mes_engine.storage.tables.journal import chain_link, fact
from mes_engine.storage.tables.labour import labour_interval, sign_on
from mes_engine.storage.tables.machine_calls import machine_call
from mes_engine.storage.tables.machine_jobs import machine_job
from mes_engine.storage.tables.material import (
    component_use,
    connection_flow,
    genealogy_edge,
    lot,
    move,
    position,
    posting,
    reversal,
)
from mes_engine.storage.tables.means import document, person, physical_asset, tool_use
from mes_engine.storage.tables.measured import (
    measured_value,
    measurement,
    measurement_void,
)
from mes_engine.storage.tables.signals import (
    alarm,
    handshake,
    link_clock,
    machine_event,
    machine_transaction,
    signal_watch,
)
from mes_engine.storage.tables.site import (
    counter,
    effective_routing,
    equipment,
    machine_tally,
    plant,
    routing,
    signal,
    unassigned_production,
    watermark,
)
from mes_engine.storage.tables.work import (
    area_entry,
    dispatch_decision,
    handled,
    hold,
    job_order,
    run,
    run_member,
    time_window,
    visit,
    work_request,
)

__all__ = [
    "PROJECTIONS",
    "WRITTEN_ONCE",
    "aggregation_event",
    "alarm",
    "area_entry",
    "carrier",
    "chain_link",
    "component_use",
    "connection_flow",
    "counter",
    "dispatch_decision",
    "document",
    "effective_routing",
    "equipment",
    "fact",
    "genealogy_edge",
    "handled",
    "handshake",
    "hold",
    "job_order",
    "labour_interval",
    "link_clock",
    "lot",
    "machine_call",
    "machine_event",
    "machine_job",
    "machine_tally",
    "machine_transaction",
    "measured_value",
    "measurement",
    "measurement_void",
    "move",
    "person",
    "physical_asset",
    "plant",
    "position",
    "posting",
    "reversal",
    "routing",
    "run",
    "run_member",
    "sign_on",
    "signal",
    "signal_watch",
    "time_window",
    "tool_use",
    "unassigned_production",
    "visit",
    "watermark",
    "work_request",
]

PROJECTIONS: dict[str, Table] = {name: metadata.tables[name] for name in TABLES}
"""By name of the state's table, the rows that it is kept in."""

WRITTEN_ONCE = (
    "fact",
    "chain_link",
    *(name for name, spec in TABLES.items() if not spec.is_kept),
)
"""The tables whose rows are never changed, nor deleted: the database sees to it."""


def _put_guards(table: Table, connection: Connection, **_how: object) -> None:
    for guard in written_once(connection.dialect.name, table.name):
        connection.execute(text(guard))


for _name in WRITTEN_ONCE:
    event.listen(metadata.tables[_name], "after_create", _put_guards)
