"""What machines ask for by themselves: transactions, handshakes, alarms."""

from sqlalchemy import Index

from mes_engine.core.machine_rules import MachineAction
from mes_engine.core.signals import (
    HandshakePhase,
    TimeBasis,
    TransactionOutcome,
    Wanted,
    WatchKind,
)
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    number_key,
    partition,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.dialect import where_only

IS_RAISED = "cleared_at IS NULL"

handshake = strict_table(
    "handshake",
    partition(),
    key("id"),
    word("phase", HandshakePhase),
    string("boot"),
    string("key"),
    word("outcome", TransactionOutcome, is_optional=True),
    whole("since"),
    body("wanted", tuple[Wanted, ...]),
    whole("due_at", is_optional=True),
    flag("is_late"),
    body("executed", tuple[str, ...]),
)

machine_transaction = strict_table(
    "machine_transaction",
    partition(),
    number_key("seq"),
    string("rule"),
    string("work_unit"),
    string("link"),
    string("boot"),
    string("key"),
    word("does", MachineAction),
    word("outcome", TransactionOutcome),
    string("job_order"),
    body("given", dict[str, str]),
    string("message"),
    string("hint"),
    body("unmet", tuple[str, ...]),
    whole("at"),
    Index(None, "partition", "work_unit", "seq"),
    Index(
        "ix_machine_transaction_refused",
        "partition",
        "seq",
        **where_only("outcome = 'refused'"),
    ),
)

alarm = strict_table(
    "alarm",
    partition(),
    key("id"),
    string("work_unit"),
    string("code"),
    whole("severity"),
    string("text"),
    whole("raised_at"),
    whole("cleared_at", is_optional=True),
    Index("ix_alarm_open", "partition", "id", **where_only(IS_RAISED)),
)

signal_watch = strict_table(
    "signal_watch",
    partition(),
    key("id"),
    word("kind", WatchKind),
    string("tag"),
    string("value", is_optional=True),
    whole("since"),
    string("pending", is_optional=True),
    whole("pending_at"),
    whole("due_at", is_optional=True),
)

link_clock = strict_table(
    "link_clock",
    partition(),
    key("link"),
    whole("offset_us"),
    word("basis", TimeBasis),
    whole("streak"),
    whole("streak_us"),
    whole("since"),
)

machine_event = strict_table(
    "machine_event", partition(), key("rule"), key("key"), whole("at")
)
