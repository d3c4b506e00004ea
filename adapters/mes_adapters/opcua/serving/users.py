"""Who is logged in to our server, and what they may call.

``asyncua`` tells a method neither the session nor its user: a session of our own puts
the user beside the call.
"""

import hmac
import os
import time
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession
from asyncua.server.user_managers import UserManager

from mes_adapters.opcua.serving.settings import OpcUaServerSettings
from mes_engine.core.errors import SourceMisconfigured

MOST_FAILURES = 5
FAILURES_COUNT_S = 60.0

_NOBODY = User(role=UserRole.User, name="")
_caller: ContextVar[User] = ContextVar("caller", default=_NOBODY)


def caller() -> str:
    """Return the name of the user whose call this is; empty for anonymous."""
    return _caller.get().name or ""


class Users(UserManager):
    """Those who may log in, with their passwords from the environment.

    Raises:
        SourceMisconfigured: A variable that has a password is not set.
    """

    def __init__(
        self, settings: OpcUaServerSettings, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._settings = settings
        self._passwords: dict[str, str] = {}
        self._failures: dict[str, deque[float]] = {}
        for name, user in settings.users.items():
            password = environment.get(user.password_env)
            if not password:
                raise SourceMisconfigured(
                    f"The password of '{name}' is not there: the variable "
                    f"{user.password_env} is not set.",
                    hint="Set it for the process that serves.",
                )
            self._passwords[name] = password

    def may(self, user: str, method: str) -> bool:
        """Whether ``user`` (empty for anonymous) may call ``method``."""
        if not user:
            return method in self._settings.anonymous_may
        return method in self._settings.users[user].may

    def get_user(
        self,
        iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        """Return who logs in; None for nobody that we know (``UserManager``)."""
        if username is None:
            return _NOBODY if self._settings.admits_anonymous else None
        known = self._passwords.get(username)
        if known is None or self._is_locked(username):
            return None
        if not hmac.compare_digest(known.encode(), (password or "").encode()):
            self._failures.setdefault(username, deque()).append(time.monotonic())
            return None
        self._failures.pop(username, None)
        return User(role=UserRole.User, name=username)

    def _is_locked(self, username: str) -> bool:
        failures = self._failures.get(username, deque())
        while failures and failures[0] < time.monotonic() - FAILURES_COUNT_S:
            failures.popleft()
        return len(failures) >= MOST_FAILURES


class _Session(InternalSession):
    async def call(
        self, params: list[ua.CallMethodRequest]
    ) -> list[ua.CallMethodResult]:
        """Call with the user of the session beside it."""
        token = _caller.set(self.user)
        try:
            return await super().call(params)
        finally:
            _caller.reset(token)


class KnowingServer(InternalServer):
    """An internal server whose sessions tell methods who calls."""

    def create_session(
        self,
        name: str,
        user: User = _NOBODY,
        external: bool = False,  # noqa: FBT001, FBT002
    ) -> InternalSession:
        """Return a session of ours."""
        return _Session(
            self,
            self.aspace,
            self.subscription_service,
            name,
            user=user,
            external=external,
        )
