"""Deciding a whole batch at once gives what deciding its items one after another gives.

The same random stream, hot in every way (few wallets, little stock, tight limits, codes and ids
that come again), is played twice from the same state: as one batch, and one item a batch.
"""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from points.ledger import service
from points.ledger.items import Item, Outcome, Redeem
from shared.database import DB
from shared.ids import new_id
from tests.points.ledger.builders import (
    COUNTY,
    NOW,
    TODAY,
    award,
    fund,
    hold,
    line,
    post_hold,
    redeem,
    restock,
    sound,
    undo,
)

STATE = {
    "lot": "id, remaining, held",
    "account": "id, balance, month, month_points",
    "stock": "id, quantity, held",
    "code": "id, used_by",
    "redemption": "id, status, refusal, subject, person_id, shop_id, hold_id, amount,"
    " balance_after, month, lots, draws, means",
    "hold": "id, status, refusal, amount, balance_after, lots, draws",
    "redemption_line": "redemption_id, line, product_id, quantity, price",
    "transfer": "about, code, debit, credit, amount",
}
"""Everything that decisions leave behind, places in the chain aside."""
LOOSE = """
SELECT id FROM points.account
WHERE county_id = $1 AND month_points < points.month_points($1, owner, month)
"""
"""Wallets whose bound of the month's points is none."""


class Stream:
    """A county with little of everything, and random items that quarrel over it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.people = [new_id() for _ in range(self.dice.choice((2, 4, 12)))]
        self.shops, self.goods = [new_id(), new_id()], [new_id(), new_id()]
        self.codes = [self.dice.randbytes(32) for _ in range(6)]
        self.items: list[Item] = []

    async def prepare(self) -> None:
        fund_id = await fund()
        ends = (None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=9))
        given: list[Item] = [
            award(person, fund_id, self.dice.choice((10, 30, 200)), expires_on=end)
            for person in self.people
            for end in self.dice.sample(ends, 3)
        ]
        given += [
            restock(shop, product, self.dice.randint(1, 12))
            for shop in self.shops
            for product in self.goods
        ]
        await service.post(COUNTY, given, NOW)
        for number, code in enumerate(self.codes):
            await DB.execute(
                "INSERT INTO points.code (county_id, id, person_id, token_hash, digits_hash,"
                " created_at, expires_at) VALUES ($1, $2, $3, $4, sha256($4), $5, $6)",
                COUNTY, new_id(), self.dice.choice(self.people), code, NOW,
                NOW + timedelta(minutes=5 if number else 0),
            )  # fmt: skip
        self.items = [self.item() for _ in range(40)]

    def item(self) -> Item:
        dice = self.dice
        chance = dice.random()
        bought = [item for item in self.items if isinstance(item, Redeem)]
        if bought and chance < 0.12:
            return self.again(dice.choice(bought))
        if bought and chance < 0.16:
            return undo(dice.choice(bought))
        if chance < 0.20:
            held = hold(dice.choice(self.people), dice.choice(self.shops), *self.basket())
            return dice.choice((held, post_hold(held)))
        item = redeem(
            dice.choice(self.people), dice.choice(self.shops), *self.basket(),
            month_limit=dice.choice((None, None, 100)),
        )  # fmt: skip
        if chance < 0.5:
            token = dice.choice([*self.codes, bytes(32)])
            item = msgspec.structs.replace(
                item, means="token", code_hash=token, person_id=dice.choice((None, item.person_id))
            )
        elif chance < 0.55:
            item = msgspec.structs.replace(item, refused="not_for_sale", refused_product=new_id())
        return item

    def again(self, item: Redeem) -> Item:
        """The same request, or another one under its id."""
        if self.dice.random() < 0.5:
            return item
        return msgspec.structs.replace(item, shop_id=self.dice.choice(self.shops))

    def basket(self) -> list[Any]:
        goods = self.dice.sample(self.goods, self.dice.randint(1, 2))
        limit = self.dice.choice((None, None, 5))
        return [line(product, self.dice.choice((1, 1, 2, 5)), 10, limit) for product in goods]


Left = tuple[list[Outcome], list[list[tuple[Any, ...]]]]


async def play(batches: Sequence[Sequence[Item]]) -> Left:
    """Outcomes and state after posting; then everything is undone."""
    async with DB.connection() as connection:
        savepoint = connection.transaction()
        await savepoint.start()
        outcomes = []
        for batch in batches:
            outcomes += await service.post(COUNTY, batch, NOW)
        await sound()
        state = [await left(table, columns) for table, columns in STATE.items()]
        loose = await DB.fetch(LOOSE, COUNTY)
        await savepoint.rollback()
    assert not loose
    return [msgspec.structs.replace(o, batch=None, position=None) for o in outcomes], state


async def left(table: str, columns: str) -> list[tuple[Any, ...]]:
    rows = await DB.fetch(f"SELECT {columns} FROM points.{table} WHERE county_id = $1", COUNTY)
    return sorted((tuple(row) for row in rows), key=str)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
async def test_a_batch_decides_as_its_items_one_by_one(
    seed: int, rollback: None, request: pytest.FixtureRequest
) -> None:
    """Equal answers, lots, balances, stock, codes, redemptions, lines and transfers."""
    if request.config.getoption("soak"):
        seed = random.randrange(2**32)
    stream = Stream(seed)
    await stream.prepare()
    one_by_one = await play([[item] for item in stream.items])
    at_once = await play([stream.items])
    assert one_by_one == at_once, seed
    cut = stream.dice.randint(1, len(stream.items) - 1)
    assert one_by_one == await play([stream.items[:cut], stream.items[cut:]]), seed


WHOLE = """
SELECT relname, seq_scan FROM pg_stat_xact_user_tables
WHERE schemaname = 'points' AND relname = ANY ($1) /* county_id */ ORDER BY relname
"""
"""How often this session read each table from end to end, since it last reported."""


async def test_no_redemption_reads_a_table_whole(committed: None, database: str) -> None:
    """Not even with plans made when every table was empty and known to be.

    Such plans would stay with the session, and each redemption cost as much as all before it.
    """
    owner = await asyncpg.connect(database)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
    person, shop, product = new_id(), new_id(), new_id()
    async with DB.transaction():  # within which nothing is reported
        before = await DB.fetch(WHOLE, sorted(STATE))
        await service.post(COUNTY, [award(person, await fund(), 1_000), restock(shop, product)])
        items = [redeem(person, shop, line(product, limit=90)) for _ in range(8)]
        assert [outcome.code for outcome in await service.post(COUNTY, items)] == ["accepted"] * 8
        assert await DB.fetch(WHOLE, sorted(STATE)) == before
