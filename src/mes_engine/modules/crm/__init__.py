"""Customer orders: what is sold becomes work requests, and shows how they fare."""

from mes_engine.modules.crm.api import crm_router
from mes_engine.modules.crm.service import CONSUMER, LISTENS_TO, CrmService, handle

__all__ = ["CONSUMER", "LISTENS_TO", "CrmService", "crm_router", "handle"]
