"""用微信登录: a second way in, tried against a stand-in that answers over HTTP as WeChat does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, get
from structlog.testing import capture_logs

from shared.clock import now
from shared.database import DB
from shared.errors import Conflict
from shared.identity import accounts, queries, sessions, signin, wechat
from shared.identity.accounts import ensure_account
from shared.identity.errors import WeChatLost
from shared.settings import Settings, SettingsError, load
from shared.web.logging import QUIET
from tests.conftest import serving
from tests.factories import COUNTY, small_county
from tests.shared.identity.test_web import enter, enter_desk, post
from tests.shared.identity.worlds import (
    NOW,
    OTHER_PIN,
    PIN,
    actor_of,
    resolved,
    slip_of,
    with_pin,
)

APP_ID, APP_SECRET = "wx0123456789abcdef", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
IN_WECHAT = "Mozilla/5.0 (Linux; Android 10) Chrome/130 MicroMessenger/8.0.57"
SPENT, FOREIGN = "spent", "foreign"


@get("/sns/oauth2/access_token", media_type="text/plain")
async def access_token(request: Request[Any, Any, Any]) -> str:
    """As api.weixin.qq.com: 200 whatever happens, JSON sent as text/plain."""
    asked = request.query_params
    assert asked["grant_type"] == "authorization_code"
    code = asked["code"]
    if asked["secret"] != APP_SECRET:
        return '{"errcode":40125,"errmsg":"invalid appsecret, rid: 6747"}'
    if code == SPENT:
        return '{"errcode":40163,"errmsg":"code been used, rid: 6747"}'
    if code == FOREIGN:
        return "<html>gateway</html>"
    return f'{{"access_token":"A","expires_in":7200,"openid":"{code}","scope":"snsapi_base"}}'


@pytest.fixture
async def at_wechat(
    application: Litestar, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Settings]:
    """The app with an official account, asked from WeChat's own browser; codes are openids."""
    async with serving(
        Litestar([access_token], openapi_config=None, logging_config=None)
    ) as address:
        settings = msgspec.structs.replace(
            application.state.settings,
            wechat_app_id=APP_ID,
            wechat_app_secret=APP_SECRET,
            wechat_api_url=address,
        )
        monkeypatch.setattr(application.state, "settings", settings)
        client.headers["user-agent"] = IN_WECHAT
        yield settings


async def through(client: httpx.AsyncClient, path: str, code: str) -> httpx.Response:
    """Out to WeChat by a link of ours, and back with a code."""
    out = await client.get(path)
    assert out.status_code == 303, out.text
    address = urlsplit(out.headers["location"])
    assert (address.netloc, address.fragment) == ("open.weixin.qq.com", "wechat_redirect")
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert (asked["appid"], asked["scope"]) == (APP_ID, "snsapi_base")
    back = urlsplit(asked["redirect_uri"])
    return await client.get(back.path, params={"code": code, "state": asked["state"]})


async def bound(county_id: int = COUNTY) -> int:
    """How many accounts a WeChat opens."""
    count: int = await DB.fetchval(
        "SELECT count(*) FROM shared.account WHERE county_id = $1 AND wechat_hash IS NOT NULL",
        county_id,
    )
    return count


async def test_bound_once_one_press_signs_in(
    at_wechat: Settings, client: httpx.AsyncClient
) -> None:
    """PIN, bind, sign out; then WeChat opens the page asked for, and the audit says how."""
    world = await small_county()
    await enter(client, world.worker)
    assert "绑定这个微信" in (await client.get("/me/wechat")).text
    assert (await through(client, "/me/wechat/bind", "openid-1")).headers[
        "location"
    ] == "/me/wechat"
    assert "解除绑定" in (await client.get("/me/wechat")).text
    assert "微信登录" in (await client.get("/me/data")).text
    await post(client, "/sign-out")
    assert "用微信登录" in (await client.get("/sign-in?next=/wallet")).text
    answer = await through(client, "/sign-in/wechat?next=/wallet", "openid-1")
    assert answer.headers["location"] == "/wallet"
    assert world.worker.name in (await client.get("/me")).text
    events = await DB.fetch(
        "SELECT action, authority FROM shared.audit_event WHERE county_id = $1"
        " AND object_id = $2 ORDER BY id DESC LIMIT 1",
        COUNTY,
        world.worker.person_id,
    )
    assert [tuple(row) for row in events] == [("identity.sign_in", "wechat")]
    stored = await DB.fetchval(
        "SELECT wechat_hash FROM shared.account WHERE county_id = $1 AND person_id = $2",
        COUNTY,
        world.worker.person_id,
    )
    assert b"openid" not in stored


async def test_only_wechat_with_an_account_is_offered_it(
    client: httpx.AsyncClient, application: Litestar
) -> None:
    """Without settings no page speaks of it, and an old address leads to the PIN."""
    world = await small_county()
    client.headers["user-agent"] = IN_WECHAT
    assert "用微信登录" not in (await client.get("/sign-in")).text
    assert (await client.get("/sign-in/wechat")).headers["location"] == "/sign-in"
    await enter(client, world.worker)
    assert "微信登录" not in (await client.get("/me")).text
    assert (await client.get("/me/wechat/bind")).headers["location"] == "/me/wechat"
    assert "没有设微信登录" in (await client.get("/me/wechat")).text


async def test_an_ordinary_browser_is_not_sent_to_wechat(
    at_wechat: Settings, client: httpx.AsyncClient
) -> None:
    """WeChat's page opens nowhere else."""
    client.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Chrome/130"
    assert "用微信登录" not in (await client.get("/sign-in")).text


async def test_a_wechat_that_is_not_bound_opens_nothing(
    at_wechat: Settings, client: httpx.AsyncClient
) -> None:
    """It makes no account; the page says what to do."""
    await small_county()
    answer = await through(client, "/sign-in/wechat", "stranger")
    assert answer.status_code == 422
    assert "还没有绑定账号" in answer.text
    assert "gm" not in client.cookies


async def test_it_is_no_pin(at_wechat: Settings, client: httpx.AsyncClient) -> None:
    """Who came by WeChat gives the PIN where it is asked: for one's data, a card, a binding."""
    world = await small_county()
    await enter(client, world.worker)
    await through(client, "/me/wechat/bind", "openid-1")
    assert (await client.get("/me/data.xlsx")).status_code == 200
    await post(client, "/sign-out")
    await through(client, "/sign-in/wechat", "openid-1")
    for path in ("/me/data.xlsx", "/me/wechat/bind"):
        answer = await client.get(path)
        assert answer.headers["location"].startswith("/confirm"), path
    await post(client, "/confirm", secret=PIN)
    assert (await client.get("/me/data.xlsx")).status_code == 200


async def test_the_way_back_belongs_to_the_browser_that_left(
    at_wechat: Settings, client: httpx.AsyncClient
) -> None:
    """Another state, no cookie, too late, or another session: nobody is let in or bound."""
    world = await small_county()
    await enter(client, world.worker)
    out = await client.get("/me/wechat/bind")
    state = parse_qs(urlsplit(out.headers["location"]).query)["state"][0]
    back = {"code": "openid-1", "state": state}
    odd = await client.get("/wechat/back", params={**back, "state": state[:-1] + "é"})
    carried = client.cookies["gm-wechat"]
    with pytest.raises(WeChatLost):
        wechat.came_back(carried, state, now() + timedelta(minutes=11))
    with pytest.raises(WeChatLost):
        wechat.came_back(carried[:-2] + "00", state, now())
    await post(client, "/sign-out")
    away = await client.get("/wechat/back", params=back)
    await enter(client, world.second_worker)
    other = await client.get("/wechat/back", params=back)
    client.cookies.delete("gm-wechat")
    without = await client.get("/wechat/back", params=back)
    assert [answer.status_code for answer in (odd, away, other, without)] == [422] * 4
    assert await bound() == 0


async def test_one_wechat_one_account(at_wechat: Settings, client: httpx.AsyncClient) -> None:
    """Who borrows a phone cannot take its WeChat over; its holder can give it free."""
    world = await small_county()
    await enter(client, world.worker)
    await through(client, "/me/wechat/bind", "openid-1")
    await post(client, "/sign-out")
    await enter(client, world.second_worker)
    answer = await through(client, "/me/wechat/bind", "openid-1")
    assert answer.status_code == 409
    assert world.worker.name not in answer.text
    await post(client, "/sign-out")
    await through(client, "/sign-in/wechat", "openid-1")
    assert world.worker.name in (await client.get("/me")).text
    assert (await post(client, "/me/wechat/end")).status_code == 303
    assert await bound() == 0


@pytest.mark.parametrize("how", ["slip", "pin", "revoked", "others", "one", "disabled"])
async def test_other_ways_in_end_it(
    at_wechat: Settings, client: httpx.AsyncClient, how: str
) -> None:
    """A lost phone's WeChat opens nothing once somebody has seen to the account."""
    world = await small_county()
    await enter(client, world.worker)
    await through(client, "/me/wechat/bind", "openid-1")
    assert await bound() == 1
    chief, person_id = await actor_of(world.chief), world.worker.person_id
    if how == "slip":
        slip, _ = await slip_of(chief, world.worker)
        new = {"last4": world.worker.phone[-4:], "pin": OTHER_PIN, "again": OTHER_PIN}
        assert (await post(client, f"/a/{slip}", **new)).status_code == 303
    elif how == "pin":
        changed = await post(client, "/me/pin", old=PIN, pin=OTHER_PIN, again=OTHER_PIN)
        assert "请重新绑定" in changed.text
    elif how == "revoked":
        await accounts.revoke_all(chief, person_id, now())
    elif how == "others":
        await post(client, "/me/sessions/end-others")
    elif how == "one":
        actor = await actor_of(world.worker)
        [line] = await sessions.mine(actor, now())
        await sessions.end_one(actor, line.id, now())
    else:
        await accounts.set_disabled(
            await actor_of(world.department, desk=True),
            person_id,
            now(),
            disabled=True,
            reason="离岗",
        )
    assert await bound() == 0


async def test_a_binding_does_not_slip_past_the_end_of_its_session(committed: None) -> None:
    """Bound and ended at once, whoever is first: afterwards no WeChat opens the account."""
    world = await small_county()
    chief = await actor_of(world.chief)
    await with_pin(world.worker)
    ends = set()
    for n in range(8):
        new = await signin.sign_in(COUNTY, world.worker.phone, PIN, NOW)
        actor = await resolved(new)
        tries = await asyncio.gather(
            wechat.bind(actor, bytes([n]) * 32, NOW),
            accounts.revoke_all(chief, world.worker.person_id, NOW),
            return_exceptions=True,
        )
        ends.add(type(tries[0]))
        assert await bound() == 0
    assert ends <= {type(None), WeChatLost}


async def test_two_people_bind_one_wechat_at_once(committed: None) -> None:
    """One of them gets it, the other a sentence, nobody an error."""
    world = await small_county()
    actors = []
    for one in (world.worker, world.second_worker):
        await with_pin(one)
        actors.append(await resolved(await signin.sign_in(COUNTY, one.phone, PIN, NOW)))
    ends = await asyncio.gather(
        *(wechat.bind(actor, b"w" * 32, NOW) for actor in actors), return_exceptions=True
    )
    assert [type(end) for end in ends if end is not None] == [Conflict]
    assert await bound() == 1


async def test_signing_out_here_keeps_it(at_wechat: Settings, client: httpx.AsyncClient) -> None:
    """Else every sign-out would cost a binding."""
    world = await small_county()
    await enter(client, world.worker)
    await through(client, "/me/wechat/bind", "openid-1")
    await post(client, "/sign-out")
    assert await bound() == 1


async def test_desk_rights_need_password_and_code(
    at_wechat: Settings, client: httpx.AsyncClient
) -> None:
    """The department's clerk who is bound comes in as on a phone, and the desk stays shut."""
    world = await small_county()
    account_id = await ensure_account(COUNTY, world.department.person_id)
    await enter_desk(client, world.department)
    await through(client, "/me/wechat/bind", "clerk")
    assert await queries.wechat_at(COUNTY, account_id)
    await post(client, "/sign-out")
    answer = await through(client, "/sign-in/wechat", "clerk")
    assert answer.status_code == 403
    assert (await client.get("/desk")).status_code == 303


async def test_what_wechat_may_answer(
    at_wechat: Settings, client: httpx.AsyncClient, application: Litestar
) -> None:
    """A spent code asks for another press; a wrong secret or no WeChat leads to the PIN."""
    await small_county()
    spent = await through(client, "/sign-in/wechat", SPENT)
    assert (spent.status_code, "请再点一次" in spent.text) == (422, True)
    for change in (
        {"wechat_app_secret": "wrong"},
        {"wechat_api_url": "http://127.0.0.1:9"},
    ):
        application.state.settings = msgspec.structs.replace(at_wechat, **change)
        with capture_logs() as logs:
            answer = await through(client, "/sign-in/wechat", "openid-1")
        assert (answer.status_code, "请用手机号和密码" in answer.text) == (503, True), change
        assert APP_SECRET not in str(logs)
        assert any(line["event"] in {"wechat_refused", "wechat_away"} for line in logs)
    assert "httpx" in QUIET  # its chatter names addresses, and this one holds the secret
    application.state.settings = at_wechat
    assert (await through(client, "/sign-in/wechat", FOREIGN)).status_code == 503


def test_half_an_account_is_refused_at_the_start() -> None:
    """An AppID without its secret would fail only when the first person presses."""
    with pytest.raises(SettingsError, match="WECHAT_APP_SECRET"):
        load({"GRIDMERIT_WECHAT_APP_ID": APP_ID})
    with pytest.raises(SettingsError, match="WECHAT_API_URL"):
        load({"GRIDMERIT_WECHAT_API_URL": "api.weixin.qq.com"})


async def test_a_chief_is_told_nothing_of_it(
    at_wechat: Settings, client: httpx.AsyncClient
) -> None:
    """The binding is the person's own affair: it stands on no page of whoever manages accounts."""
    world = await small_county()
    await with_pin(world.worker)
    await queries.set_wechat(
        COUNTY, await ensure_account(COUNTY, world.worker.person_id), b"x" * 32, now()
    )
    await enter(client, world.chief)
    page = await client.get(f"/verify/accounts/{world.worker.person_id}")
    assert page.status_code == 200
    assert "微信登录" not in page.text
