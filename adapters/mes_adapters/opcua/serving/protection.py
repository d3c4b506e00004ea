"""How our server is protected: policies, its certificate, whom it admits."""

import gc
from collections.abc import Sequence
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.security import fingerprint, make_if_wanted
from mes_adapters.opcua.serving.settings import OpcUaServerSettings
from mes_engine.core.errors import SourceMisconfigured

APPLICATION_URI = "urn:mes-engine:opcua-server"


async def set_up(
    server: Server, settings: OpcUaServerSettings, log: BoundLogger
) -> None:
    """Make an empty server, as protected as ``settings`` say.

    Raises:
        SourceMisconfigured: A certificate or its key cannot be used.
    """
    gc.disable()  # twenty thousand nodes that stay: nothing to look for among them
    try:
        await server.init()
    finally:
        gc.enable()
    await server.set_application_uri(APPLICATION_URI)
    server.set_server_name("MES engine")
    server.set_endpoint(settings.url)
    server.set_security_policy(_policies(settings))
    tokens: list[type] = []
    if settings.users:
        tokens.append(ua.UserNameIdentityToken)
    if settings.admits_anonymous:
        tokens.append(ua.AnonymousIdentityToken)
    server.set_identity_tokens(tokens)
    if settings.certificate is None or settings.key is None:
        return
    try:
        if settings.make_own:
            make_if_wanted(settings.certificate, settings.key, APPLICATION_URI, log)
        await server.load_certificate(settings.certificate)
        await server.load_private_key(settings.key)
    except (OSError, ValueError, TypeError) as error:
        raise SourceMisconfigured(
            f"{settings.certificate} or {settings.key} cannot be used: {error}.",
            hint="Check that both are there, readable, and belong together.",
        ) from error
    if settings.clients:
        server.set_certificate_validator(_only(settings.clients))


def _policies(settings: OpcUaServerSettings) -> list[ua.SecurityPolicyType]:
    found = []
    for name in settings.policies:
        if name == "None":
            found.append(ua.SecurityPolicyType.NoSecurity)
            continue
        for mode in ("Sign", "SignAndEncrypt"):
            found.append(ua.SecurityPolicyType[f"{name}_{mode}"])  # noqa: PERF401
    return found


def _only(trusted: Sequence[str]) -> Any:
    known = {one.lower() for one in trusted}

    async def check(certificate: x509.Certificate, _: Any) -> None:
        if fingerprint(certificate.public_bytes(Encoding.DER)) not in known:
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    return check
