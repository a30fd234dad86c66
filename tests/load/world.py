"""The county of the bench: 5,000 wallets of ten lots each, 8 shops, 10 products, many terminals.

Also 300 gridworkers in 30 villages, whose month of work the import row brings in.
"""

from datetime import date, timedelta
from uuid import UUID

import msgspec

from points.ledger import service as ledger
from points.ledger.items import AddResolution, Award, OpenFund, StockMove
from points.rulebook import service as rulebook
from shared import settings_county
from shared.clock import now
from shared.database import DB
from shared.identity import sealing
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from tests import factories
from tests.factories import COUNTY

WORKERS = 5_000
LOTS = 10
SHOPS = 8
PRODUCTS = 10
TERMINALS = 2_500
HOT_TERMINALS = 500
"""For all shops together, and for the hot one alone: each may send 120 a minute."""
GRIDS, GRIDS_A_VILLAGE = 300, 10
SECRET = b"s" * 32


class Terminal(msgspec.Struct, frozen=True):
    """A key and its shop."""

    key: str
    shop_id: UUID


class World(msgspec.Struct):
    """What the bench's requests are made of."""

    shops: list[UUID]
    products: list[UUID]
    people: list[UUID]
    terminals: list[Terminal]
    hot_terminals: list[Terminal]
    workers: list[tuple[str, str]]
    """Name and grid code of the gridworkers whose work is imported."""


async def build() -> World:
    """Fill an empty, migrated database."""
    county = await factories.small_county()
    await rulebook.ensure_seeded(COUNTY)
    await settings_of_the_bench()
    village = county.units["421222100001"]
    shops = [await factories.shop(village, f"超市{n}") for n in range(SHOPS)]
    products = [await factories.product(f"商品{n}", 10, 80) for n in range(PRODUCTS)]
    shop_ids = [shop.shop_id for shop in shops]
    people = await wallets()
    await ledger.post(
        COUNTY,
        [
            StockMove(
                id=new_id(), shop_id=shop, product_id=product, move="in", quantity=9_000_000,
                at=now(),
            )
            for shop in shop_ids
            for product in products
        ],
    )  # fmt: skip
    keepers = [shop.keeper.person_id for shop in shops]
    return World(
        shops=shop_ids,
        products=products,
        people=people,
        terminals=await terminals(shop_ids, keepers, TERMINALS),
        hot_terminals=await terminals(shop_ids[:1], keepers[:1], HOT_TERMINALS),
        workers=await gridworkers(),
    )


async def settings_of_the_bench() -> None:
    """Awards post at once, and nobody meets the month limit."""
    settings = settings_county.CountySettings(posting_mode="immediate", month_limit=100_000)
    await DB.execute(
        "UPDATE shared.county SET settings = $2::jsonb WHERE id = $1",
        COUNTY,
        msgspec.json.encode(settings).decode(),
    )


async def wallets() -> list[UUID]:
    """People with ten lots of a thousand points each."""
    people = [new_id() for _ in range(WORKERS)]
    await DB.execute(
        "INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials, phone_cipher,"
        " phone_hmac, phone_last4, employment_type, full_time, created_at)"
        " SELECT $1, p, '张三', 'zhangsan', 'zs', '', uuid_send(p), '0000', 'volunteer', false,"
        " now() FROM unnest($2::uuid[]) AS p",
        COUNTY,
        people,
    )
    fund_id, day = new_id(), date(2026, 11, 1)
    await ledger.post_one(
        COUNTY, OpenFund(id=fund_id, unit_code="421222", name="县级", point_value_fen=100)
    )
    await ledger.post_one(
        COUNTY,
        AddResolution(
            id=new_id(), fund_id=fund_id, number="1", resolved_on=day, amount_fen=10**12,
            day=day, expires_on=None,
        ),
    )  # fmt: skip
    for lot in range(LOTS):
        await ledger.post(
            COUNTY,
            [
                Award(
                    id=new_id(), person_id=person, code="bench", merit=10_000, wallet=10_000,
                    fund_id=fund_id, unit_code="421222100001", day=day,
                    expires_on=date(2099, 12, 1) + timedelta(days=lot),
                )
                for person in people
            ],
        )  # fmt: skip
    return people


async def terminals(shops: list[UUID], keepers: list[UUID], count: int) -> list[Terminal]:
    """Keys in turn for the shops; their keepers may sign in."""
    for keeper in keepers:
        await DB.execute(
            "INSERT INTO shared.account (county_id, id, person_id) SELECT $1, $2, $3 WHERE NOT"
            " EXISTS (SELECT FROM shared.account WHERE county_id = $1 AND person_id = $3)",
            COUNTY,
            new_id(),
            keeper,
        )
    made = [Terminal(f"{COUNTY}.{new_id()}", shops[n % len(shops)]) for n in range(count)]
    cipher, at = sealing.seal(SECRET), now()
    await DB.executemany(
        "INSERT INTO shared.terminal_key (county_id, id, shop_id, person_id, label,"
        " secret_cipher, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (
                COUNTY, UUID(terminal.key.partition(".")[2]), terminal.shop_id,
                keepers[n % len(keepers)], f"终端{n}", cipher, at,
            )
            for n, terminal in enumerate(made)
        ],
    )  # fmt: skip
    return made


async def gridworkers() -> list[tuple[str, str]]:
    """Villages of ten grids, a worker and a lead in each, and who confirms for residents."""
    found = []
    for number in range(GRIDS):
        place = f"4212221001{number // GRIDS_A_VILLAGE:02}"
        if number % GRIDS_A_VILLAGE == 0:
            village = await roster.add_unit(COUNTY, place, f"第{number}村", grid_type="rural")
            grids = tuple(f"{place}{grid:03}" for grid in range(1, GRIDS_A_VILLAGE + 1))
            await factories.member(Role.LEAD, village, "郑志强", grids=grids)
            await factories.member(Role.COMMITTEE, village, "单小梅")
            await factories.member(Role.SUPERVISOR, village, "解大海")
        code = f"{place}{number % GRIDS_A_VILLAGE + 1:03}"
        unit = await roster.add_unit(COUNTY, code, f"第{number}网格", grid_type="rural")
        name = "赵" + "".join("零一二三四五六七八九"[int(digit)] for digit in f"{number:03}")
        await factories.member(Role.GRIDWORKER, unit, name)
        found.append((name, code))
    return found


MONTH = (
    (3, "ORG-02", "参加网格例会"),
    (5, "ORG-01", "参加主题党日"),
    (7, "SVC-01", "代办社保认证"),
    (9, "LAW-04", "反诈宣传"),
    (11, "MED-01", "劝解邻里用水纠纷"),
    (14, "SVC-01", "代办医保缴费"),
    (17, "ORG-02", "参加网格例会和培训"),
    (19, "LAW-04", "防火宣传"),
    (21, "SVC-01", "代办老年卡"),
)
"""What one worker does in a month: about as many records as in a real county, all below caps."""


def month_of_work(workers: list[tuple[str, str]], month: date) -> bytes:
    """An office's file of a month."""
    rows = ["日期,网格编码,姓名,规则编号,内容"]
    rows += [
        f"{month.replace(day=day)},{grid},{name},{rule},{grid[-3:]}网格{month.month}月{text}"
        for day, rule, text in MONTH
        for name, grid in workers
    ]
    return "\n".join(rows).encode()
