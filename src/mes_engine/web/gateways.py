"""The door of the gateways, and how each of them stands."""

import hmac
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mes_engine.core.errors import Malformed
from mes_engine.http.fields import ID_PATTERN, At, View
from mes_engine.ports import GatewayView as Gateway
from mes_engine.web.command_bodies import problem_told
from mes_engine.web.parts import GatewayDoor, Parts
from mes_engine.wire import Delivery, Settled, Wishes

T = TypeVar("T")

JSON, MSGPACK = "application/json", "application/msgpack"
MOST_WAIT_S = 25.0

GatewayId = Annotated[str, Path(pattern=ID_PATTERN)]
Authorization = Annotated[str, Header(description="`Bearer` and the gateways' token.")]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: problem_told("no-token"),
    409: problem_told("refused"),
    415: problem_told("not-json-media"),
    422: problem_told("malformed"),
    503: problem_told("overloaded"),
}


class GatewayStatus(View):
    """How a gateway stands.

    Attributes:
        is_heard: It was heard of within the last seconds; else nothing is known of
            what it feeds.
        has_this_plant: It has read the same ``plant.yaml`` as the engine.
        delivered: Reports since it was started.
        refused: Reports that will never be taken; they are kept by the gateway.
        waiting: Reports on its disk that are not committed yet.
        bytes: What they take, of ``limit_bytes``.
        oldest_at: When the oldest of them was kept.
        thinned: Measurements left out because the disk was full.
        left_alone: Links that are not read for a while, because what their devices
            send has ended the gateway several times; and until when.
        level: ``ok``, ``half``, ``nearly full`` or ``full``.
    """

    id: str
    is_heard: bool
    heard_at: At
    links: list[str]
    has_this_plant: bool
    delivered: int
    refused: int
    waiting: int
    bytes: int
    limit_bytes: int
    oldest_at: At | None
    thinned: int
    set_aside: int
    last_set_aside: str
    level: str
    left_alone: dict[str, At]

    @property
    def asks_for_someone(self) -> bool:
        """Whether a person should look after it."""
        return (
            not self.is_heard
            or self.level != "ok"
            or self.set_aside > 0
            or bool(self.left_alone)
        )

    @classmethod
    def of(cls, gateway: Gateway) -> "GatewayStatus":
        """Show a gateway."""
        spool = gateway.spool
        return cls(
            id=gateway.id,
            is_heard=gateway.is_heard,
            heard_at=gateway.heard_at,
            links=list(gateway.links),
            has_this_plant=gateway.has_this_plant,
            delivered=gateway.delivered,
            refused=gateway.refused,
            waiting=spool.waiting,
            bytes=spool.bytes,
            limit_bytes=spool.limit_bytes,
            oldest_at=spool.oldest_at,
            thinned=spool.thinned,
            set_aside=spool.set_aside,
            last_set_aside=spool.last_set_aside,
            level=spool.level,
            left_alone=dict(gateway.left_alone),
        )


class GatewaysView(View):
    """Every gateway that was heard of, and the links that none of them feeds.

    Attributes:
        links: The state of each link: ``connected``, ``stale``, ``disconnected`` or
            ``unknown``, if no gateway feeds it.
    """

    gateways: list[GatewayStatus]
    links: dict[str, str]
    unfed: list[str]
    now: At


def gateways_router(parts: Parts) -> APIRouter:
    """Return the routes of the gateways."""
    router = APIRouter(prefix="/gateways", tags=["gateways"])

    @router.get("")
    async def list_gateways() -> GatewaysView:
        """Show how each gateway stands."""
        return GatewaysView(
            gateways=gateway_views(parts),
            links=dict(parts.links()),
            unfed=sorted(link for link, heard in parts.heard().items() if not heard),
            now=parts.clock(),
        )

    @router.post("/{gateway}/reports", responses=_PROBLEMS)
    async def deliver_reports(
        request: Request, gateway: GatewayId, authorization: Authorization = ""
    ) -> Response:
        """Take what a gateway delivers; the answer means that it is committed."""
        door = _admitted(parts, authorization)
        delivery = _in_messagepack(request, await _read(request, Delivery))
        return _answer(request, await door.intake.take(gateway, delivery))

    @router.get("/{gateway}/wanted", responses=_PROBLEMS)
    async def hand_over_wanted(
        request: Request,
        gateway: GatewayId,
        instance: Annotated[int, Query(ge=0, lt=2**63)],
        wait_s: Annotated[float, Query(ge=0, le=MOST_WAIT_S)] = 0,
        authorization: Authorization = "",
    ) -> Response:
        """Hand over what is to be done to a gateway's devices, each once."""
        door = _admitted(parts, authorization)
        wanted = await door.downlink.wanted(gateway, instance, wait_s)
        return _answer(request, Wishes(wanted=wanted))

    @router.post("/{gateway}/wanted/{wish}", responses=_PROBLEMS)
    async def settle_wanted(
        request: Request,
        gateway: GatewayId,
        wish: GatewayId,
        authorization: Authorization = "",
    ) -> Response:
        """Take what became of something that was handed over."""
        door = _admitted(parts, authorization)
        door.downlink.settle(gateway, wish, await _read(request, Settled))
        return Response(status_code=204)

    return router


def gateway_views(parts: Parts) -> list[GatewayStatus]:
    """Return how each gateway stands."""
    if parts.gateways is None:
        return []
    return [GatewayStatus.of(one) for one in parts.gateways.intake.views()]


def _admitted(parts: Parts, authorization: str) -> GatewayDoor:
    door = parts.gateways
    if door is None or not door.token:
        raise HTTPException(401, "This site takes no gateways: no token is set for it.")
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        given.encode(), door.token.encode()
    ):
        raise HTTPException(
            401,
            "The gateways' token is missing or not ours.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return door


async def _read(request: Request, kind: type[T]) -> T:
    body = await request.body()
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in (JSON, MSGPACK):
        raise HTTPException(415, f"The Content-Type is neither {JSON} nor {MSGPACK}.")
    try:
        if given == MSGPACK:
            return msgspec.msgpack.decode(body, type=kind)
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            f"This is nothing that a gateway says: {error}.",
            hint="Is the gateway of the same version as the engine?",
        ) from error


def _in_messagepack(request: Request, delivery: Delivery) -> Delivery:
    """Return a delivery as the intake reads it, whatever it came as."""
    if MSGPACK in request.headers.get("content-type", ""):
        return delivery
    reports = (
        msgspec.msgpack.encode(msgspec.json.decode(raw)) for raw in delivery.reports
    )
    return msgspec.structs.replace(delivery, reports=tuple(map(msgspec.Raw, reports)))


def _answer(request: Request, told: object) -> Response:
    if MSGPACK in request.headers.get("accept", ""):
        return Response(msgspec.msgpack.encode(told), media_type=MSGPACK)
    return Response(msgspec.json.encode(told), media_type=JSON)
