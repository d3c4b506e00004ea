"""Who we are to an OPC UA server, and whether it is the one that is meant.

The server's certificate is asked for anew for each connection, and held against what
the settings say: a pin, or who signed it. Passwords come from the environment only.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from asyncua.crypto.uacrypto import CertProperties, load_certificate, load_private_key
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.settings import Login, OpcUaSettings, Security
from mes_engine.core.errors import SourceMisconfigured, SourceRefused

OURS_LASTS_DAYS = 3650


async def secure(client: Client, settings: OpcUaSettings, log: BoundLogger) -> None:
    """Make ``client`` ready to connect as ``settings`` say.

    Raises:
        SourceRefused: The server is another than is meant, or offers no such policy.
        SourceMisconfigured: A file or a variable of ours is missing or unreadable.
    """
    security = settings.security
    if security.policy != "None":
        policy = getattr(security_policies, f"SecurityPolicy{security.policy}")
        mode = ua.MessageSecurityMode[security.mode]
        endpoints = await client.connect_and_get_server_endpoints()
        der = _certificate_of(endpoints, mode, policy.URI, settings)
        check_server(der, security, url=settings.url)
        certificate, key = security.files()
        if security.make_own:
            try:
                make_if_wanted(certificate, key, client.application_uri, log)
            except OSError as error:
                raise _unusable(f"{certificate} or {key}", error) from error
        try:
            await client.set_security(
                policy,
                _content(certificate),
                _content(key),
                None,
                CertProperties(der, "der"),
                mode,
            )
        except (OSError, ValueError, TypeError) as error:
            raise _unusable(f"{certificate} or {key}", error) from error
    if settings.login is not None:
        await _log_in(client, settings.login)


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate, as it is written in ``pin``."""
    return hashlib.sha256(der).hexdigest()


def check_server(der: bytes, security: Security, *, url: str) -> None:
    """Hold the server's certificate against what is known of it.

    Raises:
        SourceRefused: It is another one, has expired, or nobody we trust signed it.
    """
    seen = fingerprint(der)
    if security.server == "pin":
        expected = (security.pin or "").lower()
        if seen != expected:
            raise SourceRefused(
                f"{url} shows a certificate with the fingerprint {seen}, and the one"
                f" that is pinned has {expected}.",
                hint="Find out why it was replaced before you change 'pin'.",
            )
    elif security.server == "ca" and security.ca is not None:
        _check_signed(der, security.ca, url=url)


def _check_signed(der: bytes, ca: Path, *, url: str) -> None:
    try:
        signers = x509.load_pem_x509_certificates(ca.read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable(str(ca), error) from error
    shown = x509.load_der_x509_certificate(der)
    if not shown.not_valid_before_utc <= datetime.now(UTC) <= shown.not_valid_after_utc:
        raise SourceRefused(
            f"{url} shows a certificate that is valid until"
            f" {shown.not_valid_after_utc:%Y-%m-%d} only ({fingerprint(der)}).",
            hint="Renew it, or set the clock.",
        )
    if not any(_has_signed(signer, shown) for signer in signers):
        raise SourceRefused(
            f"{url} shows a certificate that none of {ca} has signed:"
            f" its fingerprint is {fingerprint(der)}.",
            hint="Find out whose it is before you trust it.",
        )


def _has_signed(signer: x509.Certificate, shown: x509.Certificate) -> bool:
    try:
        shown.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificate_of(
    endpoints: Sequence[ua.EndpointDescription],
    mode: ua.MessageSecurityMode,
    policy_uri: str,
    settings: OpcUaSettings,
) -> bytes:
    for endpoint in endpoints:
        is_wanted = (endpoint.SecurityMode, endpoint.SecurityPolicyUri) == (
            mode,
            policy_uri,
        )
        if is_wanted and endpoint.ServerCertificate:
            return _first_of_chain(endpoint.ServerCertificate)
    offered = sorted(
        {
            f"{e.SecurityPolicyUri.rpartition('#')[2]} {e.SecurityMode.name}"
            for e in endpoints
        }
    )
    raise SourceRefused(
        f"{settings.url} does not offer {settings.security.policy} {mode.name},"
        f" but {', '.join(offered)}."
    )


def _first_of_chain(der: bytes) -> bytes:
    long_form = 0x82  # of the length of the outer sequence: two bytes follow
    if der[1] != long_form:
        return der
    return der[: int.from_bytes(der[2:4], "big") + 4]


def make_if_wanted(certificate: Path, key: Path, uri: str, log: BoundLogger) -> None:
    """Make a certificate of ours and its key, if neither is there."""
    if not certificate.exists() and not key.exists():
        _make_own(certificate, key, uri)
        log.warning("opcua_certificate_made", certificate=str(certificate))


def _make_own(certificate: Path, key: Path, uri: str) -> None:
    private = generate_private_key()
    made = generate_self_signed_app_certificate(
        private,
        uri,
        {},
        [x509.UniformResourceIdentifier(uri)],
        extended=[ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH],
        days=OURS_LASTS_DAYS,
    )
    key.parent.mkdir(parents=True, exist_ok=True)
    certificate.parent.mkdir(parents=True, exist_ok=True)
    there = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(there, "wb") as file:
        file.write(dump_private_key_as_pem(private))
    is_pem = certificate.suffix.lower() == ".pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM if is_pem else Encoding.DER))


async def _log_in(client: Client, login: Login) -> None:
    if login.user is not None and login.password_env is not None:
        password = os.environ.get(login.password_env)
        if password is None:
            raise SourceMisconfigured(
                f"The password of '{login.user}' is not there:"
                f" the variable {login.password_env} is not set.",
                hint="Set it for the process that runs the link.",
            )
        client.set_user(login.user)
        client.set_password(password)
    elif login.certificate is not None and login.key is not None:
        try:
            shown, key = _content(login.certificate), _content(login.key)
            client.user_certificate = await load_certificate(
                shown.path_or_content, shown.extension
            )
            client.user_private_key = await load_private_key(
                key.path_or_content, None, key.extension
            )
        except (OSError, ValueError, TypeError) as error:
            raise _unusable(f"{login.certificate} or {login.key}", error) from error


def _content(path: Path) -> CertProperties:
    """Return what is in a file, whatever its name says of its format."""
    content = path.read_bytes()
    return CertProperties(content, "pem" if content.startswith(b"-----") else "der")


def _unusable(what: str, error: Exception) -> SourceMisconfigured:
    return SourceMisconfigured(
        f"{what} cannot be used: {type(error).__name__}.",
        hint="Check that the files are there, readable, and belong together.",
    )
