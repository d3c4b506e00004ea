"""What can go wrong when a server is asked something, in our words."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncua import ua

from mes_engine.core.errors import SourceLost, SourceMisconfigured

REFUSALS = frozenset(
    {
        ua.StatusCodes.BadCertificateInvalid,
        ua.StatusCodes.BadCertificateUntrusted,
        ua.StatusCodes.BadIdentityTokenInvalid,
        ua.StatusCodes.BadIdentityTokenRejected,
        ua.StatusCodes.BadSecurityModeRejected,
        ua.StatusCodes.BadSecurityPolicyRejected,
        ua.StatusCodes.BadUserAccessDenied,
    }
)
"""Asking again would fail again, and may lock the account."""

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


@asynccontextmanager
async def asking(url: str, *, within_s: float) -> AsyncIterator[None]:
    """Wrap requests to the server at ``url``.

    Raises:
        SourceLost: No answer within ``within_s``, or none that can be used.
        SourceMisconfigured: The server does not want us.
    """
    try:
        async with asyncio.timeout(within_s):
            yield
    except ua.UaStatusCodeError as error:
        if error.code in REFUSALS:
            raise SourceMisconfigured(
                f"{url} refuses us: {error}.",
                hint="Check user, password and certificates on both sides.",
            ) from error
        raise SourceLost(f"{url} answers: {error}.") from error
    except OSError as error:  # a timeout is one too
        reason = str(error) or "no answer in time"
        raise SourceLost(f"{url} cannot be reached: {reason}.") from error
    except UNREADABLE as error:
        raise SourceLost(f"{url} answers what cannot be read: {error!r}.") from error
