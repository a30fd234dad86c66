"""What a served process remembers of terminals and shops acts only until it changes.

Real commits; the change is made by another connection, and the very next request after its
notification meets it. The wait is for the notification itself, no guess at a time.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from shared.clock import now
from shared.database import DB
from shared.identity import terminals
from shared.identity.accounts import ensure_account
from shared.identity.schemas import TerminalSecret
from shared.ids import new_id
from shared.memory import CHANNEL, MEMORY, PATIENCE
from tests import factories
from tests.conftest import Rollback
from tests.factories import COUNTY, acting
from tests.points.redemption.scene import Scene, counter, stock
from tests.shared.identity.test_terminals import signed

PATH = "/api/redemptions"
LISTENERS = f"SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN {CHANNEL}'"


class Till(msgspec.Struct):
    """A terminal that has redeemed once, so that everything about it is remembered."""

    scene: Scene
    key: TerminalSecret
    client: httpx.AsyncClient
    other: asyncpg.Connection
    """Another process of the county."""

    def order(self, code: str, *products: UUID) -> bytes:
        lines = [{"product_id": str(product), "quantity": 1} for product in products]
        order = {"id": str(new_id()), "shop_id": str(self.scene.shop_id), "lines": lines}
        return json.dumps(order | {"code": code}).encode()

    async def redeem(self, code: str = "") -> httpx.Response:
        """A piece of soap."""
        return await self.send(self.order(code or await self.scene.code(), self.scene.soap))

    async def send(self, body: bytes) -> httpx.Response:
        headers = signed(self.key, "POST", PATH, body) | {"content-type": "application/json"}
        return await self.client.post(PATH, content=body, headers=headers)

    async def elsewhere(self, sql: str) -> None:
        """A change commits in another process, and its notification has come here."""
        assert await self.other.execute(sql) not in {"UPDATE 0", "DELETE 0"}
        await MEMORY.catch_up()


@pytest.fixture
async def till(remembering: None, application: Litestar, database: str) -> AsyncIterator[Till]:
    scene = await counter()
    await ensure_account(COUNTY, scene.shop.keeper.person_id)
    key = await terminals.create(await acting(scene.shop.keeper), scene.shop_id, "前台", now())
    transport = httpx.ASGITransport(application)  # type: ignore[arg-type]  # its own ASGI types
    other = await asyncpg.connect(database)
    async with httpx.AsyncClient(transport=transport, base_url="http://points") as client:
        till = Till(scene, key, client, other)
        await MEMORY.catch_up()
        first = await till.redeem()
        assert (first.status_code, first.json()["amount"]) == (201, 50), first.text
        yield till
    await other.close()


async def test_the_second_request_reads_nothing(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terminal, shop, prices and receipt come from memory: one statement, the ledger's."""
    statements = []
    fetch = DB.fetch

    async def noted(sql: str, *args: object) -> list[asyncpg.Record]:
        statements.append(sql)
        return await fetch(sql, *args)

    code = await till.scene.code()
    monkeypatch.setattr(DB, "fetch", noted)
    monkeypatch.setattr(DB, "fetchrow", None)
    monkeypatch.setattr(DB, "fetchval", None)
    answer = await till.redeem(code)
    assert answer.status_code == 201
    assert all("post_batch" in sql for sql in statements)


async def test_the_receipt_is_what_a_repeat_reads(till: Till) -> None:
    """Byte for byte, though one comes from memory and the other from the tables."""
    order = till.order(await till.scene.code(), till.scene.soap, till.scene.rice)
    first, again = await till.send(order), await till.send(order)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert [line["name"] for line in first.json()["lines"]] == ["肥皂", "大米5kg"]


CHANGES = {
    "the key is revoked": ("shared.terminal_key SET revoked_at = now()", "", 401, "not_signed_in"),
    "the account is disabled": ("shared.account SET disabled_at = now()", "", 401, "not_signed_in"),
    "the post ended": (
        "shared.assignment SET valid_to = valid_from + 1",
        "post_id IN (SELECT id FROM shared.post WHERE role = 'shopkeeper')",
        401,
        "not_signed_in",
    ),
    "the post is another": (
        "shared.post SET role = 'accountant'", "role = 'shopkeeper'", 401, "not_signed_in",
    ),
    "the shop is closed": ("points.shop SET state = 'closed'", "", 409, "shop_closed"),
    "the agreement ended": (
        "points.agreement SET first_day = '2020-01-01', last_day = '2020-12-31'", "", 409,
        "agreement_ended",
    ),
    "the product is withdrawn": (
        "points.product SET state = 'withdrawn'", "name = '肥皂'", 409, "not_for_sale",
    ),
    "the price rose": ("points.price SET points = 20000", "", 409, "insufficient"),
    "the limit of a month sank": (
        """shared.county SET settings = settings || '{"month_limit": 40}'""", "", 409,
        "month_limit",
    ),
    "the limit of a product sank": (
        "points.product SET monthly_limit = 1", "name = '肥皂'", 409, "product_limit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_the_next_request_meets_a_change(till: Till, change: str) -> None:
    """Committed elsewhere, noticed here: refused at once."""
    setting, where, status, code = CHANGES[change]
    key = "id" if setting.startswith("shared.county ") else "county_id"
    condition = f" AND {where}" if where else ""
    await till.elsewhere(f"UPDATE {setting} WHERE {key} = {COUNTY}{condition}")
    answer = await till.redeem()
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_a_new_name_stands_on_the_next_receipt(till: Till) -> None:
    """Names of shop and goods, and new goods on the shelf."""
    await till.elsewhere(
        f"UPDATE points.product SET name = name || '新' WHERE county_id = {COUNTY}"
    )
    await till.elsewhere(f"UPDATE points.shop SET name = '新店' WHERE county_id = {COUNTY}")
    answer = (await till.redeem()).json()
    assert (answer["shop_name"], answer["lines"][0]["name"]) == ("新店", "肥皂新")
    towel = await factories.product("毛巾", 50, 450)
    await stock(till.scene.shop_id, towel, 3)
    await MEMORY.catch_up()
    order = till.order(await till.scene.code(), towel)
    assert (await till.send(order)).status_code == 201


async def test_uncommitted_rows_are_not_remembered(till: Till) -> None:
    """What a transaction sees of its own changes stays in it."""
    with suppress(Rollback):
        async with DB.transaction():
            await DB.execute("UPDATE points.shop SET state = 'closed' WHERE county_id = $1", COUNTY)
            assert (await till.redeem()).json()["code"] == "shop_closed"
            raise Rollback
    assert (await till.redeem()).status_code == 201


async def test_without_a_listener_nothing_is_remembered(till: Till) -> None:
    """Its session is killed, then the key revoked: refused at once, and after its return too."""
    [row] = await till.other.fetch(LISTENERS)
    MEMORY.heard.clear()
    await till.other.execute("SELECT pg_terminate_backend($1)", row["pid"])
    await asyncio.wait_for(MEMORY.heard.wait(), 20)
    assert not MEMORY.trusted
    assert (await till.redeem()).status_code == 201
    await till.other.execute(
        "UPDATE shared.terminal_key SET revoked_at = now() WHERE county_id = $1", COUNTY
    )
    assert (await till.redeem()).status_code == 401
    async with asyncio.timeout(30):
        while not MEMORY.trusted:
            await MEMORY.heard.wait()
            MEMORY.heard.clear()
    assert (await till.redeem()).status_code == 401


async def test_a_silent_listener_is_not_trusted_for_long(till: Till) -> None:
    """Were the network cut without a word, memory would end by itself."""
    assert MEMORY.trusted
    with pytest.MonkeyPatch.context() as patch:
        later = monotonic() + PATIENCE
        patch.setattr("shared.memory.monotonic", lambda: later)
        assert not MEMORY.trusted


async def test_what_was_loading_during_a_change_is_not_kept(remembering: None) -> None:
    """It may be of before."""

    async def load() -> str:
        MEMORY.forget()
        return "before"

    assert await MEMORY.learn("key", load) == "before"
    assert MEMORY.recall("key") is None
