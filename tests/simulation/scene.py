"""A small county where everything is scarce, so that refusals are as common as successes.

Sixty wallets that earn a little, three shops with short shelves, and a clerk who posts awards and
restocks beside the counters. All items the clerk posts are kept for the replay.
"""

import asyncio
import os
import random
from collections import deque
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Award, Item, OpenFund, StockMove
from points.redemption.rules import CodeKind, make_token
from points.rulebook import service as rulebook
from shared import settings_county
from shared.clock import now
from shared.database import AWAY, DB
from shared.identity import sealing
from shared.ids import new_id
from tests import factories
from tests.factories import COUNTY

PEOPLE = 60
SHOPS = 3
POINTS = (10, 20, 50, 30)
"""Price of each product, 0.1 point."""
TERMINALS = 1_500
"""Each may send 120 calls a minute."""
MONTH_LIMIT = 100_000
"""0.1 point a person and month: a long run meets it."""
CODES = 4_000
"""One-time codes made at a time."""
ENDS = date(2099, 12, 31)
BUSY = (*AWAY, TimeoutError)
"""What a fault may do to the clerk, who then does it again."""


class Terminal(msgspec.Struct, frozen=True):
    """A key, its secret and its shop."""

    key: str
    secret: bytes
    shop_id: UUID


class Scene:
    """Who and what the traffic is about, and what the clerk posted."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.people = [new_id() for _ in range(PEOPLE)]
        self.shops: list[UUID] = []
        self.products: list[UUID] = []
        self.prices: dict[UUID, int] = {}
        self.terminals: list[Terminal] = []
        self.fund_id = new_id()
        self.items: dict[UUID, Item] = {}
        self.owner_of: dict[str, UUID] = {}
        self.codes: deque[str] = deque()
        self.minting = asyncio.Lock()
        self.stopping = False

    async def build(self) -> None:
        """Fill an empty, migrated database."""
        county = await factories.small_county()
        await rulebook.ensure_seeded(COUNTY)
        settings = settings_county.CountySettings(posting_mode="immediate", month_limit=MONTH_LIMIT)
        await DB.execute(
            "UPDATE shared.county SET settings = $2::jsonb WHERE id = $1",
            COUNTY,
            msgspec.json.encode(settings).decode(),
        )
        village = county.units["421222100001"]
        shops = [await factories.shop(village, f"超市{n}") for n in range(SHOPS)]
        self.shops = [shop.shop_id for shop in shops]
        self.products = [
            await factories.product(f"商品{n}", p, p * 8) for n, p in enumerate(POINTS)
        ]
        self.prices = dict(zip(self.products, POINTS, strict=True))
        await self._people()
        await self._terminals([shop.keeper.person_id for shop in shops])
        opened = OpenFund(id=self.fund_id, unit_code="421222", name="县级", point_value_fen=100)
        raised = AddResolution(
            id=new_id(), fund_id=self.fund_id, number="1", resolved_on=date(2026, 1, 1),
            amount_fen=10**12, day=date(2026, 1, 1), expires_on=ENDS,
        )  # fmt: skip
        await self.post([opened])
        await self.post([raised])
        await self.post([*(self._award(person) for person in self.people), *self._shelves()])

    async def _people(self) -> None:
        await DB.execute(
            "INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials,"
            " phone_cipher, phone_hmac, phone_last4, employment_type, full_time, created_at)"
            " SELECT $1, p, '张三', 'zhangsan', 'zs', '', uuid_send(p), '0000', 'volunteer', false,"
            " now() FROM unnest($2::uuid[]) AS p",
            COUNTY,
            self.people,
        )

    async def _terminals(self, keepers: list[UUID]) -> None:
        for keeper in keepers:
            await DB.execute(
                "INSERT INTO shared.account (county_id, id, person_id) SELECT $1, $2, $3 WHERE NOT"
                " EXISTS (SELECT FROM shared.account WHERE county_id = $1 AND person_id = $3)",
                COUNTY,
                new_id(),
                keeper,
            )
        secret = os.urandom(32)
        keys = [new_id() for _ in range(TERMINALS)]
        turns = [n % SHOPS for n in range(TERMINALS)]
        await DB.execute(
            "INSERT INTO shared.terminal_key (county_id, id, shop_id, person_id, label,"
            " secret_cipher, created_at) SELECT $1, k, s, p, '终端', $5, now()"
            " FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS t (k, s, p)",
            COUNTY,
            keys,
            [self.shops[turn] for turn in turns],
            [keepers[turn] for turn in turns],
            sealing.seal(secret),
        )
        self.terminals = [
            Terminal(f"{COUNTY}.{key}", secret, self.shops[turn])
            for key, turn in zip(keys, turns, strict=True)
        ]

    # The clerk

    async def clerk(self, pause: float) -> None:
        """Awards and deliveries, now and then, until stopped."""
        while not self.stopping:
            some = self.dice.sample(self.people, 20)
            await self.post([*(self._award(person) for person in some), *self._shelves()])
            await asyncio.sleep(pause)

    async def post(self, items: list[Item]) -> None:
        """Post until it is known to have happened; the same ids, so it happens once."""
        self.items |= {item.id: item for item in items}
        while True:
            try:
                await ledger.post(COUNTY, items)
            except BUSY:
                await asyncio.sleep(0.05)
            else:
                return

    def _award(self, person: UUID) -> Award:
        points = self.dice.randrange(10, 400, 10)
        return Award(
            id=new_id(), person_id=person, code="SIM-01", merit=points, wallet=points,
            fund_id=self.fund_id, unit_code="421222100001", day=date(2026, 1, 1),
            expires_on=ENDS - timedelta(days=self.dice.randrange(30)),
        )  # fmt: skip

    def _shelves(self) -> list[StockMove]:
        """A few pieces of everything; sold out again soon."""
        return [
            StockMove(
                id=new_id(), shop_id=shop, product_id=product, move="in",
                quantity=self.dice.randrange(1, 60), at=now(),
            )
            for shop in self.shops
            for product in self.products
        ]  # fmt: skip

    # Codes

    async def code(self) -> str:
        """The token of a fresh one-time code of somebody."""
        async with self.minting:
            while not self.codes:
                try:
                    await self._mint()
                except BUSY:
                    await asyncio.sleep(0.05)
        return self.codes.popleft()

    async def _mint(self) -> None:
        tokens = [make_token(CodeKind.ONCE, os.urandom(16)) for _ in range(CODES)]
        owners = [self.dice.choice(self.people) for _ in tokens]
        at = datetime.now(UTC)
        await DB.execute(
            "INSERT INTO points.code (county_id, id, person_id, token_hash, digits_hash,"
            " created_at, expires_at) SELECT $1, i, p, t, sha256(t), $5, $6"
            " FROM unnest($2::uuid[], $3::uuid[], $4::bytea[]) AS c (i, p, t)",
            COUNTY,
            [new_id() for _ in tokens],
            owners,
            [sealing.digest(token) for token in tokens],
            at,
            at + timedelta(days=1),
        )
        self.owner_of |= dict(zip(tokens, owners, strict=True))
        self.codes.extend(tokens)
