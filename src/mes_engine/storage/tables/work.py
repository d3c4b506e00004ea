"""Work: requests, job orders, their runs, and the commands that were handled."""

from sqlalchemy import Index

from mes_engine.core.conditions import Condition
from mes_engine.core.dispatching import Candidate
from mes_engine.core.job_order import JobOrderState
from mes_engine.core.messages import Answer
from mes_engine.core.plant import DispatchRule, RuleSettings
from mes_engine.core.requests import LotWay, ReworkPass, WorkRequestState
from mes_engine.core.runs import Clock, HoldMode, HoldQuery, HoldScope, Lane
from mes_engine.core.time_windows import WindowPoint, WindowState
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    number_key,
    one_of,
    partition,
    quantity,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.dialect import where_only

OVER = (WorkRequestState.CLOSED, WorkRequestState.CANCELLED)

IS_REQUEST_OPEN = f"NOT ({one_of('state', OVER)})"
"""The SQL condition that a work request is not over."""

IS_HOLD_OPEN = "released_at IS NULL"
"""The SQL condition that a hold still holds."""

work_request = strict_table(
    "work_request",
    partition(),
    key("id"),
    string("material"),
    string("unit"),
    quantity("quantity"),
    string("routing"),
    string("revision"),
    whole("due_at"),
    whole("priority"),
    string("demand"),
    whole("created_at"),
    word("state", WorkRequestState),
    string("lot", is_optional=True),
    whole("posted"),
    flag("releases_job_orders"),
    quantity("lot_size"),
    Index(
        "ix_work_request_open",
        "partition",
        "id",
        **where_only(IS_REQUEST_OPEN),
    ),
)

visit = strict_table(
    "visit",
    partition(),
    key("id"),
    string("request"),
    string("step"),
    whole("pass_number"),
    body("rework", tuple[ReworkPass, ...]),
    body("tokens", tuple[str, ...]),
    string("chosen", is_optional=True),
    body("ways", tuple[LotWay, ...]),
    body("skips", tuple[str, ...]),
    flag("is_done"),
    quantity("repeats"),
    Index(None, "partition", "request"),
)

job_order = strict_table(
    "job_order",
    partition(),
    key("id"),
    whole("number"),
    string("request"),
    string("visit"),
    string("step"),
    string("routing"),
    string("revision"),
    string("work_center"),
    string("equipment_class"),
    string("unit"),
    quantity("planned"),
    whole("due_at"),
    whole("priority"),
    whole("stored_at"),
    word("state", JobOrderState),
    flag("expects_pieces"),
    body("conditions", tuple[Condition, ...]),
    whole("queued_at", is_optional=True),
    string("run", is_optional=True),
    body("materials", tuple[str, ...]),
    body("needs", tuple[str, ...]),
    quantity("good"),
    quantity("scrap"),
    quantity("lost"),
    quantity("tested"),
    quantity("reworked"),
    quantity("deviated"),
    whole("setup_us"),
    whole("processing_us"),
    whole("down_us"),
    whole("labour_us"),
    quantity("posted_good"),
    quantity("posted_scrap"),
    whole("posted_setup_us"),
    whole("posted_processing_us"),
    whole("posted_labour_us"),
    flag("is_final_posted"),
    flag("is_paused"),
    flag("is_cleared"),
    whole("begun_at", is_optional=True),
    whole("ended_at", is_optional=True),
    whole("last_report", is_optional=True),
    whole("ended_seq", is_optional=True),
    string("follows", is_optional=True),
    string("lot", is_optional=True),
    string("split_of", is_optional=True),
    string("reason"),
    Index(None, "partition", "request", "id"),
)

run = strict_table(
    "run",
    partition(),
    key("id"),
    whole("number"),
    string("work_unit"),
    string("work_center"),
    body("job_orders", tuple[str, ...]),
    word("lane", Lane),
    whole("opened_at"),
    string("person"),
    quantity("occupies"),
    word("clock", Clock),
    whole("since"),
    whole("setup_us"),
    whole("processing_us"),
    whole("begun_at", is_optional=True),
    whole("closed_at", is_optional=True),
)

run_member = strict_table(
    "run_member",
    partition(),
    key("job_order"),
    key("run"),
    quantity("quantity"),
)

hold = strict_table(
    "hold",
    partition(),
    key("id"),
    whole("number"),
    word("scope", HoldScope),
    string("target"),
    word("mode", HoldMode),
    string("reason"),
    string("owner"),
    whole("opened_at"),
    whole("released_at", is_optional=True),
    string("released_by"),
    string("releaser"),
    body("query", HoldQuery),
    word("opens_as", HoldMode),
    string("from_hold", is_optional=True),
    Index(
        "ix_hold_from_hold",
        "partition",
        "from_hold",
        **where_only("from_hold IS NOT NULL"),
    ),
    Index("ix_hold_open", "partition", "id", **where_only(IS_HOLD_OPEN)),
)

area_entry = strict_table(
    "area_entry",
    partition(),
    key("area"),
    key("request"),
    quantity("quantity"),
    whole("entered_at"),
    Index(None, "partition", "request"),
)

time_window = strict_table(
    "time_window",
    partition(),
    key("id"),
    whole("number"),
    string("request"),
    string("lot", is_optional=True),
    string("source"),
    string("target"),
    whole("pass_number"),
    word("starts_at", WindowPoint),
    word("ends_at", WindowPoint),
    whole("armed_at"),
    whole("last_at"),
    whole("opens_at", is_optional=True),
    whole("warns_at", is_optional=True),
    whole("closes_at", is_optional=True),
    word("state", WindowState),
    whole("opened_at", is_optional=True),
    whole("violated_at", is_optional=True),
    whole("waived_at", is_optional=True),
    string("waived_by"),
    whole("settled_at", is_optional=True),
    string("reason"),
    Index(None, "partition", "request"),
    Index(None, "partition", "state", "number"),
)

dispatch_decision = strict_table(
    "dispatch_decision",
    partition(),
    number_key("seq"),
    string("work_unit"),
    string("work_center"),
    word("rule", DispatchRule),
    whole("at"),
    string("person"),
    body("candidates", tuple[Candidate, ...]),
    string("chosen", is_optional=True),
    string("asked_for", is_optional=True),
    body("settings", RuleSettings),
    body("loaded_with", tuple[str, ...]),
    Index(None, "partition", "work_unit", "seq"),
)

handled = strict_table(
    "handled",
    partition(),
    key("origin"),
    key("key"),
    string("digest"),
    body("answer", Answer),
    whole("at"),
)
