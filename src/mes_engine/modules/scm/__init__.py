"""Suppliers, what is bought from them, and what is on stock."""

from mes_engine.modules.scm.api import scm_router
from mes_engine.modules.scm.service import CONSUMER, LISTENS_TO, ScmService, handle

__all__ = ["CONSUMER", "LISTENS_TO", "ScmService", "handle", "scm_router"]
