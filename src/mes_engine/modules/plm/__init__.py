"""Routing revisions: drafted, released to the engine with their hash, withdrawn."""

from mes_engine.modules.plm.api import plm_router
from mes_engine.modules.plm.model import canonical, digest_of
from mes_engine.modules.plm.service import CONSUMER, LISTENS_TO, PlmService, handle

__all__ = [
    "CONSUMER",
    "LISTENS_TO",
    "PlmService",
    "canonical",
    "digest_of",
    "handle",
    "plm_router",
]
