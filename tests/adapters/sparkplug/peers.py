"""A broker and an edge node of other makers, each a process of its own."""

import asyncio
import base64
import ipaddress
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag
from mes_adapters.sparkplug.source import SparkplugLink

PEERS = Path(__file__).parents[2] / "peers"
GOOD, STATE, ORDER, OFFSET, UPTIME, TEMPERATURE = (
    *("press.good", "press.state", "press.order"),
    *("press.offset", "press.uptime", "press.temperature"),
)
TAGS = {
    GOOD: SparkplugTag(device="press", metric="Good/Count"),
    STATE: SparkplugTag(device="press", metric="State"),
    ORDER: SparkplugTag(device="press", metric="Order", writable=True),
    OFFSET: SparkplugTag(device="press", metric="Offset", writable=True),
    TEMPERATURE: SparkplugTag(device="press", metric="Temperature"),
    UPTIME: SparkplugTag(metric="Uptime"),
}


class Peer:
    """A running program. What it is told, it has done when the call returns."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.port = int(self.hear().get("port", 0))

    def tell(self, do: str, **given: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **given}).encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the peer has ended"
        return json.loads(line)

    async def until_seen(self, topic: str, text: str = "") -> None:
        """Wait until a broker has passed on such a message."""
        assert await asyncio.to_thread(
            self.tell, "until_seen", topic=topic, text=text
        ), f"nobody has said {text} under {topic}"

    def publish(self, topic: str, raw: bytes) -> None:
        self.tell("raw", topic=topic, base64=base64.b64encode(raw).decode())

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Made:
    """A certificate that has signed itself, and its key."""

    certificate: Path
    key: Path


def a_certificate(folder: Path) -> Made:
    """Make a certificate for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Made(folder / "broker.pem", folder / "broker.key")
    files.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return files


@contextmanager
def broker(*options: str, port: int = 0) -> Iterator[Peer]:
    with _running("mqtt_broker.mjs", "--port", str(port), *options) as peer:
        yield peer


@contextmanager
def edge_node(port: int, *options: str) -> Iterator[Peer]:
    """An edge node that has connected to the broker and sent its births."""
    with _running("sparkplug_node.mjs", "--port", str(port), *options) as peer:
        yield peer


def a_link(port: int, **given: Any) -> SparkplugLink:
    """A link to the edge node of this file."""
    tags = given.pop("tags", TAGS)
    given.setdefault("url", f"mqtt://127.0.0.1:{port}")
    settings = SparkplugSettings(
        **{
            "group": "line",
            "node": "cell",
            "connect_s": 20,
            "rebirth_s": 0.5,
            "settle_s": 0.5,
            **given,
        }
    )
    return SparkplugLink("press-link", settings, tags)


@contextmanager
def _running(program: str, *options: str) -> Iterator[Peer]:
    node = shutil.which("node")
    if node is None or not (PEERS / "node_modules" / "aedes").exists():
        reason = (
            "aedes and sparkplug-client are not there (npm ci --prefix tests/peers)"
        )
        if os.environ.get("MES_CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with subprocess.Popen(
        [node, str(PEERS / program), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield Peer(process)
        finally:
            process.kill()
