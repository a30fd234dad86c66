"""The demo county as data: units, people, shops, goods, money. Everything here is invented."""

from collections.abc import Iterator

import msgspec

from points.mall.rules import Category
from shared.roster.roles import Employment, Role

COUNTY = 990101
COUNTY_NAME = "云溪县"
PIN = "258036"
"""Of every demo phone account."""
PASSWORD = "demo county, not secret"  # noqa: S105  printed on the screen on purpose
TOTP_SEED = b"gridmerit demo key!!"
"""Twenty bytes; printed as the authenticator's key."""


class Unit(msgspec.Struct, frozen=True):
    """A township, village or grid; codes are below the county's."""

    code: str
    name: str
    grid_type: str | None = None
    households: int | None = None


class Someone(msgspec.Struct, frozen=True):
    """A person in one post."""

    name: str
    role: Role
    unit: str
    employment: Employment = Employment.VILLAGE_PAID
    grids: tuple[str, ...] = ()


class Goods(msgspec.Struct, frozen=True):
    """A product with its price (0.1 point), agreed purchase price (fen) and first stock."""

    name: str
    measure: str
    category: Category
    points: int
    purchase_fen: int
    stock: int
    monthly_limit: int | None = None


class Village(msgspec.Struct, frozen=True):
    """A village with its cadres and gridworkers, in a fixed order."""

    code: str
    name: str
    grid_type: str
    cadres: tuple[str, str, str, str, str]
    """总网格长, 网格长, 两委成员, 村监委会, 村会计."""
    workers: tuple[str, ...]
    budget_fen: int


TOWNSHIPS = (Unit("990101100", "青石镇"), Unit("990101101", "白鹭乡"))
VILLAGES = (
    Village(
        "990101100001",
        "柳塘村",
        "rural",
        ("王建国", "郑志强", "单小梅", "解大海", "曾晓芳"),
        ("欧阳金山", "苏秀英", "何春生"),
        1_200_000,
    ),
    Village(
        "990101100002",
        "桂花社区",
        "community",
        ("李素珍", "汪春花", "陶永平", "孔令辉", "蒋玉兰"),
        ("卢立新", "尹桂芳", "许大明"),
        900_000,
    ),
    Village(
        "990101101001",
        "荷塘村",
        "rural",
        ("赵长河", "熊国平", "方秋月", "石志勇", "付小燕"),
        ("马德福", "胡翠萍", "丁文斌"),
        800_000,
    ),
    Village(
        "990101101002",
        "松岭村",
        "rural",
        ("陈守义", "黎军", "彭银花", "邱国庆", "万淑珍"),
        ("魏长青", "贺红梅", "龙小兵"),
        6_000,
    ),
)
"""The last one's budget is soon used up, so that 待拨付 can be seen."""
OFFICE = (
    Someone("周敏", Role.DEPARTMENT, str(COUNTY), Employment.OFFICIAL),
    Someone("高峰", Role.ADMIN, str(COUNTY), Employment.OFFICIAL),
    Someone("沈静", Role.AUDITOR, str(COUNTY), Employment.OFFICIAL),
    Someone("尹玉梅", Role.INSTRUCTOR, "990101100", Employment.OFFICIAL),
    Someone("薛卫东", Role.INSTRUCTOR, "990101101", Employment.OFFICIAL),
    Someone("程远", Role.DEPARTMENT, str(COUNTY), Employment.OFFICIAL),
)
"""Two of the department, because who received an objection does not decide it."""
CADRES = (Role.CHIEF, Role.LEAD, Role.COMMITTEE, Role.SUPERVISOR, Role.ACCOUNTANT)
SHOPS = (
    ("990101100", "青石镇积分超市", "青石镇供销合作社", "孟国平"),
    ("990101101", "白鹭乡积分超市", "白鹭乡供销合作社", "文慧"),
)
"""Unit, name, settlement account, keeper."""
GOODS = (
    Goods("肥皂", "块", Category.WASHING, 50, 450, 60),
    Goods("牙膏", "支", Category.WASHING, 80, 700, 50),
    Goods("抽纸6包", "提", Category.PAPER, 150, 1350, 30),
    Goods("食盐400g", "袋", Category.SEASONING, 30, 250, 50),
    Goods("大米5kg", "袋", Category.GRAIN, 350, 3300, 40),
    Goods("食用油5L", "桶", Category.GRAIN, 850, 8000, 20, 2),
    Goods("笔记本", "本", Category.STATIONERY, 40, 320, 4),
    Goods("雨衣", "件", Category.CLOTHING, 300, 2700, 25),
)
WORK = (
    ("ORG-02", "参加网格例会", 1, ""),
    ("ORG-04", "参加清洁行动", 1, ""),
    ("SVC-01", "代办医保缴费", 1, ""),
    ("SVC-01", "代办高龄津贴认证", 1, ""),
    ("SVC-02", "上门代取药品", 1, ""),
    ("OPN-01", "上报路灯损坏", 1, ""),
    ("MED-01", "劝解邻里纠纷", 1, ""),
    ("MED-01", "劝解家庭纠纷", 1, ""),
    ("CARE-01", "探访独居老人", 1, "3-12"),
    ("LAW-04", "反诈宣传进院坝", 1, ""),
)
"""Rule, text, quantity, household: what each gridworker did last month."""
OPENING = 600
"""0.1 point brought over from the old books, for each gridworker."""


def units() -> Iterator[Unit]:
    """Below the county, parents first."""
    yield from TOWNSHIPS
    for village in VILLAGES:
        yield Unit(village.code, village.name, village.grid_type)
        for number in range(1, len(village.workers) + 1):
            yield Unit(
                f"{village.code}{number:03d}",
                f"第{'一二三四五'[number - 1]}网格",
                village.grid_type,
                80 + 7 * number,
            )


def people() -> Iterator[Someone]:
    """Everybody but the shopkeepers, the office first."""
    yield from OFFICE
    for village in VILLAGES:
        for role, name in zip(CADRES, village.cadres, strict=True):
            yield Someone(name, role, village.code, Employment.CADRE)
        for number, name in enumerate(village.workers, start=1):
            yield Someone(name, Role.GRIDWORKER, f"{village.code}{number:03d}")


def phone(serial: int) -> str:
    """Numbers that no operator gives out."""
    return f"199{serial:08d}"
