"""Customers, and sales orders whose lines become work requests. Pure."""

from mes_engine.modules.crm.model.documents import (
    Customer,
    Makeable,
    OrderLine,
    SalesOrder,
    order_problems,
    unmakeable_lines,
)
from mes_engine.modules.crm.model.intents import (
    ORIGIN,
    Verb,
    demand_of,
    intent_key,
    intent_of,
    work_request_id,
)
from mes_engine.modules.crm.model.progress import (
    LineProgress,
    LineState,
    OrderProgress,
    OrderStage,
    OrderState,
    begun_lines,
    line_state,
    line_verbs,
    mendable,
    order_state,
)

__all__ = [
    "ORIGIN",
    "Customer",
    "LineProgress",
    "LineState",
    "Makeable",
    "OrderLine",
    "OrderProgress",
    "OrderStage",
    "OrderState",
    "SalesOrder",
    "Verb",
    "begun_lines",
    "demand_of",
    "intent_key",
    "intent_of",
    "line_state",
    "line_verbs",
    "mendable",
    "order_problems",
    "order_state",
    "unmakeable_lines",
    "work_request_id",
]
