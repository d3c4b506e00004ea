"""What can go wrong when a server is asked something, in our words."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncua import ua

from mes_engine.core.errors import SourceLost, SourceRefused

REFUSALS = frozenset(
    {
        ua.StatusCodes.BadCertificateHostNameInvalid,
        ua.StatusCodes.BadCertificateInvalid,
        ua.StatusCodes.BadCertificateRevoked,
        ua.StatusCodes.BadCertificateTimeInvalid,
        ua.StatusCodes.BadCertificateUntrusted,
        ua.StatusCodes.BadCertificateUriInvalid,
        ua.StatusCodes.BadCertificateUseNotAllowed,
        ua.StatusCodes.BadIdentityTokenInvalid,
        ua.StatusCodes.BadIdentityTokenRejected,
        ua.StatusCodes.BadSecurityChecksFailed,
        ua.StatusCodes.BadSecurityModeRejected,
        ua.StatusCodes.BadSecurityPolicyRejected,
        ua.StatusCodes.BadUserAccessDenied,
        ua.StatusCodes.BadUserSignatureInvalid,
    }
)
"""Asking again soon would fail again, and may lock the account."""

UNREADABLE = (
    ua.UaError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What ``asyncua`` has been seen to raise on hostile answers."""


class NotKept(SourceLost):
    """The server has dropped what we subscribed to, or what it published is lost."""


@asynccontextmanager
async def asking(
    url: str, *, within_s: float, is_login: bool = False
) -> AsyncIterator[None]:
    """Wrap requests to the server at ``url``.

    Args:
        url: For what is told of an error.
        within_s: How long they may take.
        is_login: Whether a refusal is one of ourselves, and not of what we ask for.

    Raises:
        SourceLost: No answer within ``within_s``, or none that can be used.
        SourceRefused: The server does not want us.
    """
    try:
        async with asyncio.timeout(within_s):
            yield
    except ua.UaStatusCodeError as error:
        if is_login and error.code in REFUSALS:
            raise SourceRefused(
                f"{url} refuses us: {error}.",
                hint="Check user, password and certificates on both sides.",
            ) from error
        raise SourceLost(f"{url} answers: {error}.") from error
    except OSError as error:  # a timeout is one too
        reason = str(error) or "no answer in time"
        raise SourceLost(f"{url} cannot be reached: {reason}.") from error
    except UNREADABLE as error:
        raise SourceLost(f"{url} answers what cannot be read: {error!r}.") from error
