"""``config/site.yaml``: the machine that the engine runs on, not the plant."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mes_engine.settings.fields import Section, wrong

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _database_url(text: str) -> str:
    try:
        name = make_url(text).get_backend_name()
    except (ArgumentError, ValueError):
        raise wrong("should be a URL such as sqlite:///mes.db") from None
    if name != "sqlite":
        raise wrong("should begin with sqlite, the one database there is so far")
    return text


class DatabaseSettings(Section):
    """``database``: where work in progress is kept.

    Attributes:
        url: A SQLAlchemy URL of SQLite. A relative path begins where the engine starts.
        busy_timeout_s: How long to wait for a lock that another program holds.
    """

    url: Annotated[str, AfterValidator(_database_url)]
    busy_timeout_s: float = Field(default=5.0, gt=0, le=60)


class HttpSettings(Section):
    """``http``: where terminals and desks find the engine. Port 0 takes a free one."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=65535)


class ErpSettings(Section):
    """``erp``: who keeps the work-center ledger; ``embedded`` is our own."""

    kind: Literal["embedded"] = "embedded"


class LogSettings(Section):
    """``log``: how much to say."""

    level: LogLevel = "INFO"


class SiteFile(Section):
    """The whole file.

    Attributes:
        servers: What is served beside the web; checked by the adapters that serve it.
    """

    database: DatabaseSettings
    http: HttpSettings = HttpSettings()
    erp: ErpSettings = ErpSettings()
    servers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    log: LogSettings = LogSettings()
