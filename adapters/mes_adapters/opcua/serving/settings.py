"""What ``site.yaml`` says of our own OPC UA server; see ``README.md``."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlparse

from pydantic import BaseModel, ConfigDict, Field, model_validator

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Method = Literal[
    "Store",
    "StoreAndStart",
    "Update",
    "Start",
    "RevokeStart",
    "Pause",
    "Resume",
    "Stop",
    "Abort",
    "Cancel",
    "Clear",
]
Policy = Literal["None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerUser(_Section):
    """Somebody who may log in, and which methods they may call."""

    password_env: str = Field(
        min_length=1, description="the variable that has the password"
    )
    may: tuple[Method, ...] = ()


class OpcUaServerSettings(_Section):
    """``servers.<id>``: job orders served by ISA-95 Job Control V2 (OPC 10031-4)."""

    url: str = Field(
        default="opc.tcp://127.0.0.1:4840/mes", pattern=r"^opc\.tcp://[^\s/]+"
    )
    policies: Annotated[tuple[Policy, ...], Field(min_length=1)] = ("None",)
    certificate: Path | None = Field(default=None, description="ours, DER or PEM")
    key: Path | None = Field(default=None, description="of our certificate, PEM")
    make_own: bool = Field(
        default=False, description="make both files on first use, if they are not there"
    )
    clients: tuple[Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")], ...] = Field(
        default=(), description="SHA-256 of the certificates we trust; empty for any"
    )
    users: dict[str, ServerUser] = Field(default_factory=dict)
    admits_anonymous: bool = Field(
        default=True, description="whether one may read without a login"
    )
    anonymous_may: tuple[Method, ...] = ()
    remainder: Literal["queue", "follow_on", "scrap"] = Field(
        default="queue", description="what Stop does with the pieces that are left"
    )
    most: int = Field(
        default=500, ge=1, le=10_000, description="job orders served at a time"
    )
    refresh_ms: float = Field(
        default=250, ge=10, le=60_000, description="how often the lists may change"
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        is_near = urlparse(self.url).hostname in LOOPBACK
        if "None" in self.policies and not is_near:
            raise ValueError(
                "a server that others reach needs security policies other than None"
            )
        if self.users and self.policies == ("None",) and not is_near:
            raise ValueError("a password needs a security policy to be hidden by")
        if self.policies != ("None",) and (
            self.certificate is None or self.key is None
        ):
            raise ValueError("a policy needs 'certificate' and 'key' of ours")
        if not self.users and not self.admits_anonymous:
            raise ValueError("nobody could log in: name users, or admit anonymous")
        return self
