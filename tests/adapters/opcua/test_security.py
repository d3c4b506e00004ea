"""Whom we trust and who trusts us, against a server of another maker."""

import asyncio
import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua.crypto.cert_gen import dump_private_key_as_pem, generate_private_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from mes_adapters.opcua import ADAPTER
from mes_adapters.opcua.security import fingerprint
from mes_engine.conformance.hearing import life, listening, supervised
from mes_engine.conformance.network import relaying
from mes_engine.core.errors import SourceMisconfigured, SourceRefused
from mes_engine.ports import Link
from tests.adapters.opcua.peer import URI, Peer, require_peer, running_peer

POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
USER, PASSWORD = "mes", "not-a-secret"


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, in files."""

    made: x509.Certificate
    private: RSAPrivateKey
    certificate: Path
    key: Path

    @property
    def der(self) -> bytes:
        return self.made.public_bytes(Encoding.DER)

    @property
    def pin(self) -> str:
        return fingerprint(self.der)


def make_pair(folder: Path, name: str, *, signer: Pair | None = None) -> Pair:
    private = generate_private_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    uri = x509.UniformResourceIdentifier(f"urn:peer:{name}")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if signer is None else signer.made.subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(private if signer is None else signer.private, hashes.SHA256())
    )
    pair = Pair(made, private, folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    pair.key.write_bytes(dump_private_key_as_pem(private))
    return pair


@dataclass(frozen=True)
class Guarded:
    """A server that wants to know whom it talks to, and its certificates."""

    peer: Peer
    folder: Path
    server: Pair
    signer: Pair
    user: Pair

    def link(
        self,
        *,
        login: dict[str, Any] | None = None,
        port: int | None = None,
        **security: Any,
    ) -> Link:
        given = {
            "policy": POLICIES[0],
            "certificate": self.folder / "ours.der",
            "key": self.folder / "ours.key",
            "make_own": True,
            "pin": self.server.pin,
            **security,
        }
        by_name = {"user": USER, "password_env": "PEER_PASSWORD"}
        settings = {
            "url": f"opc.tcp://127.0.0.1:{port or self.peer.port}/line",
            "security": given,
            "login": by_name if login is None else login,
            "publish_ms": 50,
            "close_timeout_s": 0.5,
        }
        tag = ADAPTER.tag(ns=URI, id="s=Line1.Serial")
        return ADAPTER.open("x", ADAPTER.settings.model_validate(settings), {"s": tag})


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    require_peer()
    folder = tmp_path_factory.mktemp("guarded")
    signer = make_pair(folder, "signer")
    server = make_pair(folder, "server", signer=signer)
    user = make_pair(folder, "user")
    with running_peer(
        folder=str(folder / "pki"),
        certificateFile=str(server.certificate),
        privateKeyFile=str(server.key),
        policies=list(POLICIES),
        modes=["Sign", "SignAndEncrypt"],
        user=USER,
        password=PASSWORD,
        trustedUsers=[base64.b64encode(user.der).decode()],
        machines=[{"name": "Line1", "serial": 7}],
    ) as peer:
        yield Guarded(peer, folder, server, signer, user)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEER_PASSWORD", PASSWORD)


async def hears(link: Link) -> None:
    async with listening(link) as heard:
        await heard.until(lambda h: h.end or h.last("s") == 7, within_s=30)
    assert heard.last("s") == 7, heard.end


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", POLICIES)
async def test_every_policy_with_a_certificate_of_our_own_making(
    guarded: Guarded, policy: str, mode: str
) -> None:
    await hears(guarded.link(policy=policy, mode=mode))
    assert (guarded.folder / "ours.key").stat().st_mode & 0o077 == 0


async def test_a_server_by_who_signed_it(guarded: Guarded) -> None:
    await hears(guarded.link(server="ca", ca=guarded.signer.certificate))


async def test_a_server_that_another_signed_is_refused(guarded: Guarded) -> None:
    link = guarded.link(server="ca", ca=guarded.user.certificate)
    _, error = await life(link)
    assert isinstance(error, SourceRefused)
    assert guarded.server.pin in str(error)


async def test_a_replaced_certificate_is_refused_by_both_fingerprints(
    guarded: Guarded,
) -> None:
    _, error = await life(guarded.link(pin=guarded.user.pin))
    assert isinstance(error, SourceRefused)
    assert guarded.server.pin in str(error)
    assert guarded.user.pin in str(error)


async def test_a_wrong_password_is_tried_twice_at_most(
    guarded: Guarded,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In ten seconds, whoever starts the link again; and it is nowhere to be read."""
    monkeypatch.setenv("PEER_PASSWORD", "wrong-and-hidden")
    before = len(await guarded.peer.do("logins"))
    link = guarded.link()
    began = time.monotonic()
    for _ in range(5):
        _, error = await life(link)
        assert isinstance(error, SourceRefused)
        assert "wrong-and-hidden" not in str(error)
    tries = await guarded.peer.do("logins")
    if time.monotonic() - began < 10:
        assert len(tries) - before == 2
    assert "wrong-and-hidden" not in capsys.readouterr().out


async def test_a_log_in_by_certificate(guarded: Guarded) -> None:
    user = guarded.user
    await hears(guarded.link(login={"certificate": user.certificate, "key": user.key}))


async def test_a_certificate_that_the_server_does_not_know_is_refused(
    guarded: Guarded,
) -> None:
    other = guarded.signer
    login = {"certificate": other.certificate, "key": other.key}
    _, error = await life(guarded.link(login=login))
    assert isinstance(error, SourceRefused)


async def test_a_policy_that_the_server_does_not_offer_is_refused(
    tmp_path: Path,
) -> None:
    require_peer()
    with running_peer(machines=[{"name": "Line1"}]) as peer:
        none = make_pair(tmp_path, "none")
        guarded = Guarded(peer, tmp_path, none, none, none)
        _, error = await life(guarded.link())
    assert isinstance(error, SourceRefused)
    assert "does not offer Basic256Sha256 SignAndEncrypt" in str(error)


async def test_a_password_that_is_not_set_is_ours_to_mend(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PEER_PASSWORD")
    _, error = await life(guarded.link())
    assert isinstance(error, SourceMisconfigured)
    assert "PEER_PASSWORD" in str(error)


async def test_files_that_are_not_there_are_ours_to_mend(guarded: Guarded) -> None:
    absent = guarded.folder / "absent"
    link = guarded.link(certificate=absent, key=absent, make_own=False)
    _, error = await life(link)
    assert isinstance(error, SourceMisconfigured)


@pytest.mark.parametrize(
    "wrong",
    [
        {"security": {"policy": "Basic256Sha256"}},
        {"security": {"policy": "Basic128Rsa15"}},
        {
            "security": {
                "policy": "Basic256Sha256",
                "certificate": "a",
                "key": "b",
                "server": "ca",
            }
        },
        {"login": {"user": "mes", "password_env": "X"}},
        {"login": {"user": "mes"}},
        {"login": {"certificate": "a"}},
        {"login": {}},
    ],
)
def test_settings_that_are_not_safe_or_not_complete(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.settings.model_validate({"url": "opc.tcp://mill", **wrong})


async def sessions(peer: Peer, wanted: int) -> None:
    """Wait until the server has so many."""
    async with asyncio.timeout(15):
        while len(await peer.do("sessions")) != wanted:  # noqa: ASYNC110 over HTTP
            await asyncio.sleep(0.02)


async def test_what_a_cut_has_left_is_ended_as_whoever_has_begun_it(
    guarded: Guarded,
) -> None:
    async with relaying(guarded.peer.port) as relay:
        async with supervised(guarded.link(port=relay.port)) as heard:
            await heard.until(lambda h: h.samples)
            relay.cut()
            await heard.until(lambda h: len(h.reports) == 4)
            await sessions(guarded.peer, 1)
        await sessions(guarded.peer, 0)
