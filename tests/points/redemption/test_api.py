"""The counter's JSON API as terminals and phones use it."""

import gc
import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Request
from litestar.utils.scope.state import ScopeState

from points.ledger import service as ledger
from points.ledger.items import Award
from points.redemption import api, codes
from points.redemption.api import HIT
from shared.clock import now, today
from shared.identity import terminals
from shared.identity.accounts import ensure_account
from shared.ids import new_id
from shared.roster.roles import Role
from shared.web.ratelimit import Portions
from tests.factories import COUNTY, acting, also_in, member
from tests.points.redemption.scene import Scene, counter, sign_in

PROBLEM = "application/problem+json"


def body(scene: Scene, code: str, quantity: int = 1, **more: object) -> dict[str, Any]:
    lines = [{"product_id": str(scene.soap), "quantity": quantity}]
    return {
        "id": str(new_id()),
        "shop_id": str(scene.shop_id),
        "code": code,
        "lines": lines,
    } | more


async def test_accepted_then_repeated(client: httpx.AsyncClient) -> None:
    """201 first; the same bytes as 200 with Idempotency-Hit for a repeat; the amounts are ints."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    order = body(scene, await scene.code(), 2)
    first = await client.post("/api/redemptions", json=order)
    again = await client.post("/api/redemptions", json=order)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert HIT.lower() not in first.headers
    assert again.headers[HIT] == "true"
    answer = first.json()
    assert (answer["amount"], answer["balance"]) == (100, 1970)
    assert answer["lines"][0]["name"] == "肥皂"


async def test_refused_then_repeated(client: httpx.AsyncClient) -> None:
    """A refusal is a problem document with code and sentence, and the same again."""
    scene = await counter(points=0)
    await sign_in(client, scene.keeper)
    order = body(scene, await scene.code())
    first = await client.post("/api/redemptions", json=order)
    again = await client.post("/api/redemptions", json=order)
    assert first.status_code == again.status_code == 409
    assert first.headers["content-type"] == PROBLEM
    assert first.json()["code"] == "insufficient"
    assert first.json()["title"] == "可用积分不够，请减少商品。"
    assert (first.content, again.headers[HIT]) == (again.content, "true")
    assert HIT.lower() not in first.headers


async def test_other_content_under_the_id(client: httpx.AsyncClient) -> None:
    """409 id_reused, whatever became of the first."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    order = body(scene, await scene.code())
    await client.post("/api/redemptions", json=order)
    order["lines"][0]["quantity"] = 3
    answer = await client.post("/api/redemptions", json=order)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_reused")


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "2", 201, None, True])
async def test_wrong_quantities(client: httpx.AsyncClient, quantity: object) -> None:
    """Zero, negative, decimal, huge and non-numbers: 400 naming the field, nothing written."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    order = body(scene, await scene.code())
    order["lines"][0]["quantity"] = quantity
    answer = await client.post("/api/redemptions", json=order)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    assert answer.json()["code"] == "invalid"


async def test_what_is_wrong_is_said_in_chinese(client: httpx.AsyncClient) -> None:
    """Where in the body, and what; brackets without end are a mistake too."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    order = body(scene, await scene.code())
    order["lines"][0]["quantity"] = 0
    said = (await client.post("/api/redemptions", json=order)).json()["title"]
    assert said == "请求的内容有误：lines[0].quantity 不能小于 1。"
    held = {key: value for key, value in order.items() if key != "code"}
    told = (await client.post("/api/holds", json=held)).json()["fields"]
    assert list(told.values()) == ["不能小于 1。"]
    headers = {"content-type": "application/json"}
    for path in ("/api/redemptions", "/api/holds"):
        answer = await client.post(path, content=b"[" * 60_000, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("name", ["李\0", "\0"])
async def test_a_name_that_cannot_be_kept(client: httpx.AsyncClient, name: str) -> None:
    """A NUL: 400 naming the field, nothing written, at the counter as ahead of it."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    code = await scene.code()
    for path in ("/api/redemptions", "/api/holds"):
        answer = await client.post(path, json=body(scene, code, collector=name))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), path
    held = body(scene, code)
    assert (await client.post("/api/holds", json=held)).status_code == 201
    for step, field in (("post", "collector"), ("void", "reason")):
        sent = {field: name} | ({"id": str(new_id())} if step == "post" else {})
        answer = await client.post(f"/api/holds/{held['id']}/{step}", json=sent)
        assert answer.status_code == 400, step


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"\xff\xfe", 400),
        (b'{"id": "not-a-uuid"}', 400),
    ],
)
async def test_broken_bodies(client: httpx.AsyncClient, sent: bytes, status: int) -> None:
    """Never a 500."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    headers = {"content-type": "application/json"}
    answer = await client.post("/api/redemptions", content=sent, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


async def test_forms_are_not_read(client: httpx.AsyncClient) -> None:
    """A cross-site form cannot send JSON, so nothing else is read."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    text = json.dumps(body(scene, await scene.code()))
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = await client.post("/api/redemptions", content=text, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "json_only")


async def test_who_may_ask(client: httpx.AsyncClient) -> None:
    """Nobody: 401. A worker, or another shop's keeper: 404, as if the shop were not there."""
    scene = await counter()
    order = body(scene, await scene.code())
    assert (await client.post("/api/redemptions", json=order)).status_code == 401
    await sign_in(client, scene.worker)
    assert (await client.post("/api/redemptions", json=order)).status_code == 404
    await sign_in(client, scene.keeper)
    foreign = order | {"shop_id": str(new_id())}
    assert (await client.post("/api/redemptions", json=foreign)).status_code == 404
    path = f"/api/shops/{new_id()}/redemptions"
    assert (await client.get(path)).status_code == 404


async def test_hold_post_void(client: httpx.AsyncClient) -> None:
    """A worker orders ahead, the shop hands over; a second order is given back."""
    scene = await counter()
    await sign_in(client, scene.worker)
    order = body(scene, "")
    del order["code"]
    first = await client.post("/api/holds", json=order)
    again = await client.post("/api/holds", json=order)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    second = order | {"id": str(new_id())}
    await client.post("/api/holds", json=second)
    await sign_in(client, scene.keeper)
    handed = {"id": str(new_id()), "at": now().isoformat()}
    for status in (201, 200):
        answer = await client.post(f"/api/holds/{order['id']}/post", json=handed)
        assert answer.status_code == status, answer.text
        assert answer.json()["hold_id"] == order["id"]
    late = await client.post(f"/api/holds/{order['id']}/post", json={"id": str(new_id())})
    assert (late.status_code, late.json()["code"]) == (409, "hold_resolved")
    for status in (201, 200):
        voided = await client.post(f"/api/holds/{second['id']}/void", json={})
        assert (voided.status_code, voided.json()["status"]) == (status, "voided")
    assert (await client.post(f"/api/holds/{new_id()}/void", json={})).status_code == 404
    wrong = {"id": str(new_id()), "at": (now() + timedelta(hours=1)).isoformat()}
    third = body(scene, await scene.code())
    await client.post("/api/holds", json=third)
    answer = await client.post(f"/api/holds/{third['id']}/post", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (409, "clock_wrong")


async def test_wallet_and_its_movements(client: httpx.AsyncClient) -> None:
    """Own balance and history, page by page; a stranger's wallet is not there."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    for _ in range(3):
        await client.post("/api/redemptions", json=body(scene, await scene.code()))
    await sign_in(client, scene.worker)
    wallet = (await client.get("/api/wallets/me")).json()
    assert (wallet["available"], wallet["merit"]) == (1920, 2070)
    path = f"/api/wallets/{scene.worker.person_id}/transfers"
    seen: list[UUID] = []
    before = None
    while True:
        query = {"limit": 2} | ({"before": before} if before else {})
        page = (await client.get(path, params=query)).json()
        seen += [item["id"] for item in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 5
    await sign_in(client, await acting(scene.world.second_worker))
    assert (await client.get(path)).status_code == 404
    await sign_in(client, await acting(scene.world.chief))
    assert (await client.get(path)).status_code == 200
    village = scene.world.units["421222100002"]
    await sign_in(client, await acting(await member(Role.CHIEF, village, "黎书记")))
    assert (await client.get(path)).status_code == 404
    await also_in(scene.world.worker, scene.world.units[f"{village.code}001"])
    assert (await client.get(path)).status_code == 200


async def test_the_longest_page_of_movements_leads_on(client: httpx.AsyncClient) -> None:
    """Somebody with more than 200 movements reaches all of them, 200 at a time."""
    scene = await counter(0)
    awards = [
        Award(
            id=new_id(),
            person_id=scene.worker.person_id,
            code="SVC-01",
            merit=10,
            wallet=0,
            fund_id=None,
            unit_code="421222100001",
            day=today(),
            expires_on=None,
        )
        for _ in range(203)
    ]
    await ledger.post(COUNTY, awards)
    await sign_in(client, scene.worker)
    path = f"/api/wallets/{scene.worker.person_id}/transfers"
    first = (await client.get(path, params={"limit": 200})).json()
    assert first["next"] is not None
    query = {"limit": 200, "before": first["next"]}
    rest = (await client.get(path, params=query)).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (200, 3, None)


async def test_a_shops_day(client: httpx.AsyncClient) -> None:
    """Latest first, masked names; a wrong cursor or day is refused, an empty day is empty."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    for _ in range(3):
        await client.post("/api/redemptions", json=body(scene, await scene.code()))
    path = f"/api/shops/{scene.shop_id}/redemptions"
    page = (await client.get(path, params={"limit": 2})).json()
    rest = (await client.get(path, params={"limit": 2, "after": page["next"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert page["items"][0]["customer"] == "欧**山"
    assert (await client.get(path, params={"day": "0001-01-01"})).json()["items"] == []
    for query in ({"after": "x"}, {"day": "yesterday"}, {"limit": 0}, {"limit": 201}):
        assert (await client.get(path, params=query)).status_code == 400


async def test_a_terminals_signature(client: httpx.AsyncClient) -> None:
    """A signed request serves its own shop; an unsigned or altered one nobody."""
    scene = await counter()
    await ensure_account(COUNTY, scene.keeper.person_id)
    key = await terminals.create(scene.keeper, scene.shop_id, "收银台", now())
    order = json.dumps(body(scene, await scene.code())).encode()
    stamp, nonce = str(int(now().timestamp())), "n1"
    secret = urlsafe_b64decode(key.secret + "=" * (-len(key.secret) % 4))
    sign = terminals.signature(secret, "POST", "/api/redemptions", stamp, nonce, order)
    headers = {
        "content-type": "application/json",
        terminals.KEY_HEADER: key.key,
        terminals.TIME_HEADER: stamp,
        terminals.NONCE_HEADER: nonce,
        terminals.SIGNATURE_HEADER: sign,
    }
    altered = await client.post("/api/redemptions", content=order + b" ", headers=headers)
    assert altered.status_code == 401
    answer = await client.post("/api/redemptions", content=order, headers=headers)
    assert answer.status_code == 201, answer.text
    assert (await client.get("/api/wallets/me", headers=headers)).status_code in {401, 404}


async def test_the_own_code_buys_nothing_from_oneself(client: httpx.AsyncClient) -> None:
    """A keeper with a wallet is refused at the own counter, and a repeat likewise."""
    scene = await counter()
    token = (await codes.issue(scene.keeper, now())).token
    await sign_in(client, scene.keeper)
    order = body(scene, token)
    for _ in range(2):
        answer = await client.post("/api/redemptions", json=order)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_limit_counts_every_write_of_a_terminal(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process's own and what it fetches together never pass what is allowed."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    monkeypatch.setattr(api, "WRITES_A_MINUTE", Portions("counter", 7, 60, own=2, portion=3))
    order = body(scene, await scene.code())
    answers = [await client.post("/api/redemptions", json=order) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [201] + [200] * 6 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/api/redemptions", "/shop", "/shop/today"])
async def test_answered_requests_are_gone(client: httpx.AsyncClient, path: str) -> None:
    """No request waits for the garbage collector, whose pauses a full counter would feel."""
    scene = await counter()
    await sign_in(client, scene.keeper)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        if path.startswith("/api"):
            answer = await client.post(path, json=body(scene, await scene.code()))
        else:
            answer = await client.get(path)
        assert answer.is_success
        gc.collect()
        left = {type(thing).__name__ for thing in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not left & {Request.__name__, ScopeState.__name__}, left
