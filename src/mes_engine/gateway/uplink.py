"""The engine over HTTP: :class:`~mes_engine.ports.Uplink`."""

from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec

from mes_engine.core.errors import (
    Malformed,
    MesError,
    OutcomeUnknown,
    Overloaded,
    Refused,
    SourceLost,
)
from mes_engine.wire import Delivered, Delivery, Settled, Wanted, Wishes

T = TypeVar("T")

ANSWER_S = 30.0
"""Longer than the engine waits for a commit."""
CONNECT_S = 3.0
WISH_S = 20.0
MEDIA_TYPE = "application/msgpack"

_encoder = msgspec.msgpack.Encoder()
_delivered = msgspec.msgpack.Decoder(Delivered)
_wishes = msgspec.msgpack.Decoder(Wishes)


class HttpUplink:
    """One gateway's way to the engine.

    Args:
        url: Where the engine is: ``http://127.0.0.1:8000``.
        gateway: The gateway's name.
        token: The secret of the gateways of this site.
    """

    def __init__(self, url: str, gateway: str, token: str) -> None:
        self._url = url
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/v1/gateways/{gateway}",
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": MEDIA_TYPE,
                "Content-Type": MEDIA_TYPE,
            },
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            trust_env=False,
        )

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Deliver, and wait until it is committed; see `ports.Uplink`."""
        answer = await self._asked("POST", "/reports", _encoder.encode(delivery))
        return self._read(_delivered, answer)

    async def wanted(self, instance: int) -> tuple[Wanted, ...]:
        """Wait for something that is wanted, and return it; see `ports.Uplink`."""
        answer = await self._asked(
            "GET", "/wanted", params={"instance": instance, "wait_s": WISH_S}
        )
        return self._read(_wishes, answer).wanted

    async def settle(self, wish: str, settled: Settled) -> None:
        """Tell what became of something wanted; see `ports.Uplink`."""
        await self._asked("POST", f"/wanted/{wish}", _encoder.encode(settled))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _asked(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        params: dict[str, Any] | None = None,
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, content=body, params=params)
        except httpx.HTTPError as error:
            told = str(error) or type(error).__name__
            raise SourceLost(f"{self._url} does not answer: {told}.") from error
        if not answer.is_success:
            raise _error(answer)
        return answer

    def _read(self, decoder: "msgspec.msgpack.Decoder[T]", answer: httpx.Response) -> T:
        try:
            return decoder.decode(answer.content)
        except msgspec.DecodeError as error:
            raise SourceLost(f"{self._url} is no engine: {error}.") from error


def _error(answer: httpx.Response) -> MesError:
    """Return the error that a problem stands for."""
    try:
        told = answer.json()
    except ValueError:
        return SourceLost(f"The engine answers with HTTP {answer.status_code}.")
    detail = str(told.get("detail", f"HTTP {answer.status_code}"))
    hint = str(told.get("hint", ""))
    status = answer.status_code
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        unknown = str(told.get("type", "")).endswith("outcome-unknown")
        return (OutcomeUnknown if unknown else Overloaded)(detail, hint=hint)
    if status == HTTPStatus.CONFLICT:
        return Refused(detail, hint=hint)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Malformed(detail, hint=hint)
    return SourceLost(detail)
