"""Site data: ``config/`` and ``routings/`` as typed things, or exactly what to change.

Only ``bootstrap`` and ``cli`` read settings; everything else is handed values.
"""

from mes_engine.settings.adapters import installed_adapters
from mes_engine.settings.links import LinkPlan
from mes_engine.settings.load import Site, load_site
from mes_engine.settings.site_file import (
    DatabaseSettings,
    ErpSettings,
    HttpSettings,
    LogLevel,
)

__all__ = [
    "DatabaseSettings",
    "ErpSettings",
    "HttpSettings",
    "LinkPlan",
    "LogLevel",
    "Site",
    "installed_adapters",
    "load_site",
]
