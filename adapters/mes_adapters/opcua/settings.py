"""What ``config/`` says of an OPC UA link and of its tags; see ``sample.yaml``."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=86_400)]
LONGEST_MS = 3_600_000


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OpcUaPlace(_Section):
    """A node. Namespaces have names: their index changes between starts.

    It is named by ``ns`` and ``id``, or by ``path``: the names on the way to it from
    the root, each with its namespace in braces, if it is not that of OPC UA itself.
    """

    ns: str | None = Field(
        default=None, min_length=1, description="namespace URI, e.g. urn:vendor:line1"
    )
    id: str | None = Field(
        default=None,
        pattern=r"^(i=[0-9]+|[sgb]=.+)$",
        description="identifier without namespace, e.g. s=Mill1.GoodCount",
    )
    path: str | None = Field(
        default=None,
        pattern=r"^(/(0:|\{[^{}]+\})?[^/{}]+)+$",
        description="e.g. /Objects/{urn:vendor:line1}Mill1/{urn:vendor:line1}GoodCount",
    )

    @model_validator(mode="after")
    def _is_one_node(self) -> Self:
        by_id = (self.ns is not None, self.id is not None)
        if by_id != (self.path is None,) * 2:
            raise ValueError("give 'ns' and 'id', or 'path'")
        return self

    def __str__(self) -> str:
        return self.path or f"{self.id} of {self.ns}"


class OpcUaTag(OpcUaPlace):
    """A node to watch."""

    pulse_ms: float | None = Field(
        default=None, gt=0, description="the shortest change that has to be seen"
    )

    writable: bool = Field(default=False, description="whether we may write to it")


Name = Annotated[str, Field(min_length=1, max_length=200)]
FieldPath = Annotated[
    str,
    Field(pattern=r"^(0:|\{[^{}]+\})?[^/{}]+(/(0:|\{[^{}]+\})?[^/{}]+)*$"),
]
"""The names on the way from an event's type to one of its fields."""


class EventSettings(_Section):
    """Messages of the machine that are of one type, or of a type derived from it."""

    type: OpcUaPlace = Field(
        description="e.g. /Types/EventTypes/BaseEventType/{urn:vendor:line1}CycleType"
    )
    notifier: OpcUaPlace | None = Field(
        default=None, description="the node that tells them; Server without"
    )
    fields: dict[Name, FieldPath] = Field(
        default_factory=dict,
        description="what they say, by our names, e.g. on: ActiveState/Id",
    )
    key: Name | None = Field(
        default=None, description="the field that tells one from another"
    )
    severity_min: int | None = Field(
        default=None, ge=1, le=1000, description="less severe ones are left out"
    )

    @model_validator(mode="after")
    def _key_is_a_field(self) -> Self:
        if self.key is not None and self.key not in self.fields:
            raise ValueError(f"the key '{self.key}' is none of 'fields'")
        return self


class Security(_Section):
    """How the channel is protected, and whom we take for the server."""

    policy: Literal[
        "None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"
    ] = "None"
    mode: Literal["Sign", "SignAndEncrypt"] = "SignAndEncrypt"
    certificate: Path | None = Field(default=None, description="ours, DER or PEM")
    key: Path | None = Field(default=None, description="of our certificate, PEM")
    make_own: bool = Field(
        default=False, description="make both files on first use, if they are not there"
    )
    server: Literal["pin", "ca", "none"] = Field(
        default="pin", description="how the server's certificate is checked"
    )
    pin: str | None = Field(
        default=None,
        pattern=r"^[0-9a-fA-F]{64}$",
        description="SHA-256 of the server's certificate",
    )
    ca: Path | None = Field(default=None, description="who signed it, PEM")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.policy == "None":
            return self
        if self.certificate is None or self.key is None:
            raise ValueError("a policy needs 'certificate' and 'key' of ours")
        if self.server == "pin" and self.pin is None:
            raise ValueError(
                "'pin' is missing: the SHA-256 of the server's certificate"
                " (or 'server: ca', or 'server: none')"
            )
        if self.server == "ca" and self.ca is None:
            raise ValueError("'ca' is missing: the file of those who signed it")
        return self

    def files(self) -> tuple[Path, Path]:
        """Return where our certificate and its key are; only if there is a policy."""
        if self.certificate is None or self.key is None:
            raise ValueError("there are no certificates without a policy")
        return self.certificate, self.key


class Login(_Section):
    """Who we are to the server; without it, anonymous."""

    user: str | None = Field(default=None, min_length=1)
    password_env: str | None = Field(
        default=None, min_length=1, description="the variable that has the password"
    )
    certificate: Path | None = Field(default=None, description="DER or PEM")
    key: Path | None = Field(default=None, description="PEM")

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        by_name = {self.user is not None, self.password_env is not None}
        by_certificate = {self.certificate is not None, self.key is not None}
        if (by_name, by_certificate) not in (({True}, {False}), ({False}, {True})):
            raise ValueError(
                "give 'user' and 'password_env', or 'certificate' and 'key'"
            )
        return self


class MethodSettings(_Section):
    """A method that may be called: that it is declared is what allows it."""

    object: OpcUaPlace = Field(description="the object whose method it is")
    method: OpcUaPlace = Field(description="the method's own node")


class JobSettings(_Section):
    """That the server runs job orders itself (OPC 10031-4), and where."""

    receiver: OpcUaTag | None = Field(
        default=None, description="the receiver of job orders; the first found without"
    )
    responses: OpcUaTag | None = Field(
        default=None, description="the provider of responses; the first found without"
    )
    poll_ms: float = Field(default=500, ge=50, le=LONGEST_MS)


class OpcUaSettings(_Section):
    """One OPC UA server.

    The three watches must fit: a server says something at least every ``keepalive_s``;
    after ``silent_s`` without news we give the connection up; after ``lifetime_s``
    without us the server forgets what we subscribed to.
    """

    url: str = Field(pattern=r"^opc\.tcp://[^\s/]+")
    security: Security = Security()
    login: Login | None = None
    publish_ms: float = Field(
        default=250, ge=10, le=LONGEST_MS, description="news interval"
    )
    sampling_ms: float = Field(
        default=0, ge=0, le=LONGEST_MS, description="0: as fast as it can"
    )
    queue: int = Field(default=1000, ge=1, description="changes kept for each tag")
    keepalive_s: Seconds = 1.0
    lifetime_s: Seconds = 300.0
    silent_s: Seconds | None = Field(
        default=None, description="without it: 3 times publish_ms, at least 3 s"
    )
    session_timeout_s: Seconds = 60.0
    request_timeout_s: Seconds = 4.0
    close_timeout_s: Seconds = 2.0
    retry_s: Seconds = Field(
        default=10.0, description="how often to look for nodes that were not there"
    )
    history: Literal["auto", "off"] = Field(
        default="auto", description="whether to read what was missed from its history"
    )
    check_s: Seconds = Field(
        default=30.0, description="how often to read what was not reported"
    )
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=30.0, description="how long a server may start with none of the nodes"
    )

    events: dict[Name, EventSettings] = Field(
        default_factory=dict, description="messages to listen for, by our names"
    )
    methods: dict[Name, MethodSettings] = Field(
        default_factory=dict, description="what may be called, by our names"
    )
    jobs: JobSettings | None = Field(
        default=None, description="if it runs job orders itself"
    )

    @model_validator(mode="after")
    def _watches_fit(self) -> Self:
        if self.silence_s() < 2 * self.keepalive_s:
            raise ValueError(
                f"silent_s ({self.silence_s():g}) must be at least twice keepalive_s"
                f" ({self.keepalive_s:g})"
            )
        if self.lifetime_s < 3 * self.keepalive_s:
            raise ValueError(
                f"lifetime_s ({self.lifetime_s:g}) must be at least three times"
                f" keepalive_s ({self.keepalive_s:g})"
            )
        return self

    @model_validator(mode="after")
    def _password_is_hidden(self) -> Self:
        has_password = self.login is not None and self.login.user is not None
        if has_password and self.security.policy == "None":
            raise ValueError("a password needs a security policy to be hidden by")
        return self

    def silence_s(self, publish_ms: float | None = None) -> float:
        """Return after how many seconds without news the server counts as lost.

        Args:
            publish_ms: The interval the server has settled on; ours if not given.
        """
        interval_s = max((publish_ms or self.publish_ms) / 1000, 1.0)
        if self.silent_s is None:
            return 3 * interval_s
        return (
            self.silent_s
            if publish_ms is None
            else max(self.silent_s, 3 * publish_ms / 1000)
        )
