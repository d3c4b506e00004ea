"""What the crm module can be asked to do, and what it hears."""

from mes_engine.modules.crm.service.facts import CONSUMER, LISTENS_TO, handle
from mes_engine.modules.crm.service.orders import CrmService

__all__ = ["CONSUMER", "LISTENS_TO", "CrmService", "handle"]
