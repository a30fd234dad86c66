"""Signing in by WeChat (网页授权, ``snsapi_base``): a second way in for an account that has a PIN.

The county's official account (公众号) is told an openid, which names this WeChat to that account
and to nobody else; only its hash is kept. It opens what the PIN opens but is no proof where the PIN
is asked again, and it ends with the sessions whenever the account's ways in change: a new slip,
another PIN, a lost phone, a stopped account. Interface: 微信开放文档, 公众号, 网页授权.
"""

from datetime import datetime, timedelta
from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import structlog
from cryptography.exceptions import InvalidTag

from shared.audit import service as audit
from shared.database import DB
from shared.errors import Conflict
from shared.identity import queries, sessions, signin
from shared.identity.actor import Actor
from shared.identity.errors import NotBound, WeChatAway, WeChatLost
from shared.identity.schemas import NewSession
from shared.identity.sealing import TOKEN_BYTES, digest, open_, seal
from shared.settings import Settings

LOG = structlog.get_logger("gridmerit.identity")
AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
"""The page that WeChat opens by itself; it asks nothing and comes back with a code."""
BACK = "/wechat/back"
"""Where it comes back to; the account's 网页授权域名 must be ours."""
LIFE = timedelta(minutes=10)
"""How long a way out to WeChat may take."""
ANSWER_SECONDS = 5.0
SPENT_CODES = (40029, 40163, 42003)
"""WeChat's words for a code that is wrong, used or over: a page loaded again."""


class WayOut(msgspec.Struct, frozen=True):
    """What a browser carries, sealed, while it is at WeChat's."""

    state: str
    until: datetime
    next: str
    session_id: UUID | None
    """Whose account is to be bound; None = somebody wants to sign in."""


def offered(settings: Settings, agent: str) -> bool:
    """Whether this browser may be sent to WeChat: it is WeChat's own, and an account is set."""
    return bool(settings.wechat_app_id) and "MicroMessenger" in agent


def set_out(
    settings: Settings, now: datetime, back_to: str, actor: Actor | None = None
) -> tuple[str, str]:
    """The address at WeChat's and what the browser carries meanwhile; ``actor`` wants to bind.

    Raises ConfirmFirst for who has not just given the PIN.
    """
    if actor is not None:
        sessions.require_confirmed(actor, now)
    way = WayOut(
        state=token_urlsafe(TOKEN_BYTES),
        until=now + LIFE,
        next=back_to,
        session_id=actor.session_id if actor else None,
    )
    asked = urlencode(
        {
            "appid": settings.wechat_app_id,
            "redirect_uri": settings.public_url + BACK,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": way.state,
        }
    )
    return f"{AUTHORIZE}?{asked}#wechat_redirect", seal(msgspec.json.encode(way)).hex()


def came_back(carried: str, state: str, now: datetime) -> WayOut:
    """The way out that this is the end of. Raises WeChatLost."""
    try:
        way = msgspec.json.decode(open_(bytes.fromhex(carried)), type=WayOut)
    except (ValueError, InvalidTag, msgspec.DecodeError) as error:
        raise WeChatLost from error
    if now > way.until or not compare_digest(way.state.encode(), state.encode()):
        raise WeChatLost
    return way


async def openid_hash(settings: Settings, code: str) -> bytes:
    """Which WeChat a code stands for. Raises WeChatLost, WeChatAway."""
    import httpx  # noqa: PLC0415  a tenth of a second, and few counties use it

    asked = {
        "appid": settings.wechat_app_id,
        "secret": settings.wechat_app_secret,
        "code": code,
        "grant_type": "authorization_code",
    }
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
            answer = await client.get(
                settings.wechat_api_url + "/sns/oauth2/access_token", params=asked
            )
        told = msgspec.json.decode(answer.content)
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        # Its text would hold the address, and that the secret.
        LOG.warning("wechat_away", error=type(error).__name__)
        raise WeChatAway from error
    openid = told.get("openid") if isinstance(told, dict) else None
    if isinstance(openid, str) and openid:
        return digest(openid)
    errcode = told.get("errcode") if isinstance(told, dict) else None
    if errcode in SPENT_CODES:
        raise WeChatLost
    LOG.error("wechat_refused", errcode=errcode, status=answer.status_code)
    raise WeChatAway


async def sign_in(
    hashed: bytes, now: datetime, *, device_token: str = "", agent: str = ""
) -> NewSession:
    """Open the account that this WeChat is bound to. Raises NotBound, NoOffice, DeskOnly."""
    for county_id, _ in await queries.counties():
        async with DB.transaction():
            account = await queries.account_by_wechat(county_id, hashed)
            if account is None:
                continue
            await signin.require_office(county_id, account.person_id, "phone", now)
            device = (
                await queries.device(
                    county_id, account.id, signin.device_hash(account.id, device_token)
                )
                if device_token
                else None
            )
            return await signin.enter(
                county_id, account, "phone", now, device, device_token, agent, by_wechat=True
            )
    raise NotBound


async def bind(actor: Actor, hashed: bytes, now: datetime) -> None:
    """From now on this WeChat opens the actor's account, and no other does.

    Raises Conflict when it opens somebody else's, WeChatLost when the session was ended meanwhile.
    """
    async with DB.transaction():
        await queries.lock_wechat(actor.county_id)
        await queries.account(actor.county_id, actor.account_id, lock=True)
        if not await queries.is_open(actor.county_id, actor.session_id):
            raise WeChatLost
        held = await queries.account_by_wechat(actor.county_id, hashed)
        if held is not None and held.id != actor.account_id:
            raise Conflict("这个微信已绑定另一个账号。请先用那个账号登录，在“我的”里解除。")
        await queries.set_wechat(actor.county_id, actor.account_id, hashed, now)
        await _audited(actor, "identity.wechat_bind")


async def unbind(actor: Actor) -> None:
    """From now on only the PIN opens the account."""
    async with DB.transaction():
        await queries.set_wechat(actor.county_id, actor.account_id, None, None)
        await _audited(actor, "identity.wechat_unbind")


async def bound_at(actor: Actor) -> datetime | None:
    """Since when a WeChat opens the actor's account."""
    return await queries.wechat_at(actor.county_id, actor.account_id)


async def _audited(actor: Actor, action: str) -> None:
    await audit.record(actor, action, "person", actor.person_id, county_id=actor.county_id)
