"""Site data: ``config/`` and ``routings/`` as typed things, or exactly what to change.

Only ``bootstrap`` and ``cli`` read settings; everything else is handed values.
"""

from mes_engine.settings.adapters import installed_adapters
from mes_engine.settings.links import LinkPlan
from mes_engine.settings.load import (
    LinkFile,
    Site,
    digest_of,
    load_links,
    load_site,
    variables_of_site,
)
from mes_engine.settings.site_file import (
    ArchiveSettings,
    BackupSettings,
    DatabaseSettings,
    ErpSettings,
    GatewaySettings,
    HttpSettings,
    JournalSettings,
    LogLevel,
)

__all__ = [
    "ArchiveSettings",
    "BackupSettings",
    "DatabaseSettings",
    "ErpSettings",
    "GatewaySettings",
    "HttpSettings",
    "JournalSettings",
    "LinkFile",
    "LinkPlan",
    "LogLevel",
    "Site",
    "digest_of",
    "installed_adapters",
    "load_links",
    "load_site",
    "variables_of_site",
]
