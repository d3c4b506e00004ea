"""What ``config/`` says of a Sparkplug link and of its tags; see ``sample.yaml``."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mes_engine.ports import Unfit

Seconds = Annotated[float, Field(gt=0, le=3600)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^/+#]+$")]
"""A level of a topic: MQTT gives ``/``, ``+`` and ``#`` a meaning of their own."""

_URL = re.compile(
    r"(?P<scheme>mqtts?)://(?P<host>\[[^\]]+\]|[^\s/:\[\]]+)(:(?P<port>\d+))?/?"
)
PORTS = {"mqtt": 1883, "mqtts": 8883}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SparkplugTag(_Section):
    """A metric of the edge node, or of one of its devices."""

    device: Name | None = Field(
        default=None, description="whose metric it is; without it, the node's own"
    )
    metric: str = Field(min_length=1, max_length=256, description="its name at birth")
    writable: bool = Field(default=False, description="whether we may write to it")

    def __str__(self) -> str:
        return f"{self.metric} of {self.device or 'the node'}"


class Tls(_Section):
    """Whom we take for the broker, and who we are to it; only with ``mqtts``."""

    ca: Path | None = Field(
        default=None, description="who signed the broker's certificate, PEM"
    )
    certificate: Path | None = Field(default=None, description="ours, PEM")
    key: Path | None = Field(default=None, description="of our certificate, PEM")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("'certificate' and 'key' go together")
        return self


class Login(_Section):
    """Who we are to the broker."""

    user: str = Field(min_length=1)
    password_env: str = Field(
        min_length=1, description="the variable that has the password"
    )


class SparkplugSettings(_Section):
    """One edge node of one group, on a broker."""

    url: str = Field(description="mqtt://host:1883, or mqtts://host:8883")
    group: Name
    node: Name
    login: Login | None = None
    tls: Tls | None = None
    client_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="mes-<link>, if none"
    )
    host: Name | None = Field(
        default=None,
        description="the host application whose state we tell: each link its own",
    )
    connect_s: Seconds = Field(default=5.0, description="for the broker to answer")
    keepalive_s: int = Field(
        default=5, ge=1, le=600, description="the broker is asked so often"
    )
    reorder_s: Seconds = Field(
        default=2.0, description="a message out of order is waited for so long"
    )
    rebirth_s: Seconds = Field(
        default=5.0, description="a birth is asked for so often at most"
    )
    settle_s: Seconds = Field(
        default=2.0, description="how long devices may take to follow their node"
    )
    answer_s: Seconds = Field(
        default=5.0, description="for the node to tell a value that we wrote"
    )
    queue: int = Field(
        default=1000, ge=10, le=100_000, description="messages kept while we are slow"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        match = _URL.fullmatch(self.url)
        if match is None or not 0 < int(match["port"] or 1) <= 65_535:  # noqa: PLR2004
            raise ValueError(f"'{self.url:.60}' should be like mqtt://host:1883")
        if self.tls is not None and match["scheme"] != "mqtts":
            raise ValueError("'tls' needs a url that begins with mqtts://")
        return self

    @property
    def is_encrypted(self) -> bool:
        """Whether the broker is reached through TLS."""
        return self.url.startswith("mqtts://")

    @property
    def broker(self) -> tuple[str, int]:
        """Its host and port."""
        match = _URL.fullmatch(self.url)
        if match is None:
            raise ValueError(self.url)
        port = int(match["port"] or PORTS[match["scheme"]])
        return match["host"].strip("[]"), port


def unfit(
    settings: SparkplugSettings,  # noqa: ARG001 the port's signature
    tags: Mapping[str, SparkplugTag],
) -> Iterator[Unfit]:
    """Yield the tags that are the same metric."""
    same: dict[tuple[str | None, str], list[str]] = defaultdict(list)
    for name, tag in tags.items():
        same[tag.device, tag.metric].append(name)
    for first, *others in same.values():
        for other in others:
            yield Unfit(tag=other, key="metric", text=f"it is the metric of {first}")
