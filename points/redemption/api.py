"""The counter's JSON API, for shop terminals (signed requests) and signed-in phones.

``POST`` is idempotent by the caller's id: 201 the first time, 200 with the same body and
``Idempotency-Hit: true`` for a repeat; a refusal is 409 and repeated likewise. Only JSON bodies are
read, so that no form of another site can post here, which is why CSRF tokens are not asked.
"""

from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, Parameter
from litestar.types import ASGIApp, Receive, Scope, Send

from points.errors import Refused
from points.redemption import pickups, service, wallets
from points.redemption.schemas import (
    HandOver,
    Held,
    HoldOrder,
    HoldVoid,
    Redemption,
    RedemptionOrder,
    RedemptionPage,
    TransferPage,
    Voided,
    Wallet,
    WantedLine,
)
from shared.clock import today
from shared.errors import GridmeritError
from shared.identity.actor import Actor
from shared.identity.middleware import SIGNED_BODY
from shared.web import forms
from shared.web.application import Router
from shared.web.errors import PROBLEM, respond
from shared.web.pages import moment
from shared.web.ratelimit import Portions

HIT = "Idempotency-Hit"
WRITES_A_MINUTE = Portions("counter", allowed=120, window=60, own=30, portion=15)
"""Of one terminal or phone; a counter needs a few."""

ORDER = msgspec.json.Decoder(RedemptionOrder)
ENCODER = msgspec.json.Encoder()
T = TypeVar("T", bound=msgspec.Struct)
Asker = Request[Actor, Any, Any]
Limit = Annotated[int, Parameter(ge=1, le=200, description="每页条数")]
Cursor = Annotated[
    str | None,
    Parameter(pattern=r"^[0-9]{1,9}\.[0-9]{1,9}$", description="上一页给出的 next"),
]


class Problem(msgspec.Struct):
    """RFC 9457; ``title`` is a sentence for people, ``code`` a word for programs."""

    type: str
    title: str
    status: int
    code: str
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class UnsupportedBodyError(GridmeritError):
    """Something other than JSON was posted."""

    status = 415
    code = "json_only"


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The refusals of a route as OpenAPI describes them."""
    words = {
        400: "请求的格式不对",
        401: "没有登录，或签名不对",
        403: "按规定要由别人来办",
        404: "没有，或不是您的",
        409: "按规则不能办，code 说明原因；同一编号重发得到同样的回答",
        415: "只收 JSON",
        422: "内容不对，fields 说明哪一项",
        429: "太频繁，Retry-After 秒后再试",
        503: "系统忙或结果不明，用同一编号重发",
    }
    return {
        status: ResponseSpec(Problem, description=words[status], media_type=PROBLEM)
        for status in (400, 401, 404, *statuses)
    }


WRITES = problems(403, 409, 415, 422, 429, 503)
READS = problems(503)


class Made(Response[Any]):
    """201 with a body that is JSON already, sent as it is."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body, status_code=201)

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]  # all of it
        """Without another look at headers, cookies and encoders that this answer does not have."""
        return self.send

    async def send(self, _: Scope, __: Receive, send: Send) -> None:
        size = str(len(self.content)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", size)]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})


class MalformedError(GridmeritError):
    """A body that Litestar's lenient reading let pass: "2" for 2, true for 1."""

    status = 400
    code = "invalid"


async def json_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The guard of every route that writes."""
    only_json(connection.scope)


def only_json(scope: Scope) -> None:
    """A cross-site form can send everything but this content type."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if kind.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedBodyError("请用 application/json 发送。")


def repeats(kind: type[msgspec.Struct]) -> dict[int, ResponseSpec]:
    """Everything a write may answer beside 201."""
    again = ResponseSpec(
        kind, description=f"同一请求的重发；带 {HIT}: true", media_type="application/json"
    )
    return {200: again, **WRITES}


async def described(data: JSONBody[RedemptionOrder]) -> RedemptionOrder:
    """Tells OpenAPI what ``redeem`` reads; nobody asks for it, so Litestar decodes nothing."""
    return data


@post(
    "/redemptions",
    responses=repeats(Redemption),
    status_code=201,
    dependencies={"order": Provide(described)},
)
async def redeem(request: Asker) -> Response[Redemption]:
    """Goods for points at one shop: the code or card opens the wallet, prices are the day's.

    The one busy route: it decodes and encodes by itself, each once.
    """
    only_json(request.scope)
    await _slow_down(request)
    order = _order(request.scope["state"].get(SIGNED_BODY) or await request.body())
    answer = await service.redeem(request.user, order, moment(request))
    if answer.redemption is None or answer.repeated:
        return _answered(request, answer.redemption, answer.refusal, repeated=answer.repeated)
    return Made(ENCODER.encode(answer.redemption))


@post("/holds", responses=repeats(Held), status_code=201, guards=[json_only])
async def hold(request: Asker, data: JSONBody[HoldOrder]) -> Response[Held]:
    """Keep goods and points for one shop, for the days of the county's setting."""
    await _slow_down(request)
    order = await _strictly(request, data)
    answer = await pickups.hold(request.user, order, moment(request))
    return _answered(request, answer.held, answer.refusal, repeated=answer.repeated)


@post(
    "/holds/{hold_id:uuid}/post", responses=repeats(Redemption), status_code=201, guards=[json_only]
)
async def hand_over(
    request: Asker, hold_id: FromPath[UUID], data: JSONBody[HandOver]
) -> Response[Redemption]:
    """Held goods were handed over; may be uploaded later and in any order."""
    await _slow_down(request)
    order = await _strictly(request, data)
    answer = await pickups.hand_over(request.user, hold_id, order, moment(request))
    return _answered(request, answer.redemption, answer.refusal, repeated=answer.repeated)


@post("/holds/{hold_id:uuid}/void", responses=repeats(Voided), status_code=201, guards=[json_only])
async def void(
    request: Asker, hold_id: FromPath[UUID], data: JSONBody[HoldVoid]
) -> Response[Voided]:
    """Give a hold back: points to their lots, pieces to the shelf."""
    await _slow_down(request)
    order = await _strictly(request, data)
    answer = await pickups.void(request.user, hold_id, order.reason, moment(request))
    return _answered(request, answer.voided, None, repeated=answer.repeated)


@get("/wallets/me", responses=READS)
async def my_wallet(request: Asker) -> Wallet:
    """The points of whoever is signed in."""
    return await wallets.mine(request.user, moment(request))


@get("/wallets/{person_id:uuid}/transfers", responses=READS)
async def transfers(
    request: Asker,
    person_id: FromPath[UUID],
    before: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> TransferPage:
    """Movements of a wallet, latest first; ``before`` is the ``next`` of the page before."""
    return await wallets.transfers(request.user, person_id, before, limit)


@get("/shops/{shop_id:uuid}/redemptions", responses=READS)
async def shop_redemptions(
    request: Asker,
    shop_id: FromPath[UUID],
    day: FromQuery[date | None] = None,
    after: Cursor = None,
    limit: Limit = 50,
) -> RedemptionPage:
    """What a shop handed out on a day (default today), latest first."""
    on = day or today(moment(request))
    return await service.day_page(request.user, shop_id, on, after=after, limit=limit)


def _answered(
    request: Asker, body: Any, refusal: Refused | None, *, repeated: bool
) -> Response[Any]:
    """201 or 200, or the refusal as a problem; the header tells a repeat."""
    if refusal is not None:
        response = respond(request, refusal)
    else:
        response = Response(body, status_code=200 if repeated else 201)
    if repeated:
        response.set_header(HIT, "true")
    return response


def close_bodies(app: Litestar) -> None:
    """Say in the OpenAPI document what Litestar leaves out: unknown fields are refused."""
    if app.openapi_config is None:
        return
    schemas = app.openapi_schema.components.schemas or {}
    for kind in (WantedLine, RedemptionOrder, HoldOrder, HandOver, HoldVoid):
        schemas[kind.__name__].additional_properties = False


def _order(body: bytes) -> RedemptionOrder:
    try:
        return ORDER.decode(body)
    except msgspec.DecodeError:
        return _exactly(body, RedemptionOrder)


async def _strictly(request: Asker, data: T) -> T:
    """The body once more, without guessing: what an id names for ever must be exact."""
    return _exactly(await request.body(), type(data))


def _exactly(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.convert(_whole(msgspec.json.decode(body)), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what, _, where = str(error).partition(" - at `$")
        name = where.strip("`.")
        words = forms.sentence(what)
        raise MalformedError(f"请求的内容有误：{name} {words}" if name else words) from error


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 2.0 is the integer 2, "2" is not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value


async def _slow_down(request: Asker) -> None:
    await WRITES_A_MINUTE.take(request.app.state.valkey, str(request.user.session_id))


router = Router(
    "/api",
    route_handlers=[
        redeem,
        hold,
        hand_over,
        void,
        my_wallet,
        transfers,
        shop_redemptions,
    ],
    tags=["counter"],
    security=[{"session": []}, {"terminal": []}],
    opt={"exclude_from_csrf": True},
)
