"""What may be sold for points, and at which price: decisions without a database.

Points are integers of 0.1 point, money is integers of fen, one point has a reference value in fen
(``point_value_fen``, default 100).
"""

import unicodedata
from decimal import Decimal, InvalidOperation
from enum import StrEnum

import msgspec

from shared.documents.read import Row, Table

MAX_NAME = 50
"""Characters of a name."""
MAX_PIECES = 1_000_000
"""On a shelf, of a limit, of a reminder: more is a typing error."""


class Category(StrEnum):
    """The fixed list of what may be exchanged; a product outside it cannot be entered."""

    GRAIN = "grain"
    SEASONING = "seasoning"
    WASHING = "washing"
    PAPER = "paper"
    STATIONERY = "stationery"
    KITCHEN = "kitchen"
    APPLIANCE = "appliance"
    CLOTHING = "clothing"
    FARM = "farm"
    DAILY = "daily"


CATEGORY_NAMES = {
    Category.GRAIN: "米面粮油",
    Category.SEASONING: "调味副食",
    Category.WASHING: "洗护清洁",
    Category.PAPER: "纸品",
    Category.STATIONERY: "文具图书",
    Category.KITCHEN: "厨具餐具",
    Category.APPLIANCE: "小家电",
    Category.CLOTHING: "服装雨具",
    Category.FARM: "农具种子",
    Category.DAILY: "其他日用品",
}

_HINTS = (
    (Category.APPLIANCE, ("电", "暖手宝", "风扇", "插座")),
    (Category.GRAIN, ("大米", "食用油", "菜油", "挂面", "面粉", "面条", "杂粮", "小米", "米5")),
    (Category.SEASONING, ("盐", "酱油", "醋", "料酒", "糖", "味精", "鸡精", "酱")),
    (Category.WASHING, ("皂", "牙膏", "牙刷", "洗", "毛巾", "沐浴", "清洁")),
    (Category.PAPER, ("纸",)),
    (Category.STATIONERY, ("本", "笔", "书")),
    (Category.KITCHEN, ("锅", "碗", "筷", "刀", "杯", "盆", "勺")),
    (Category.CLOTHING, ("雨衣", "雨靴", "雨鞋", "雨伞", "手套", "袜", "帽", "衣", "鞋")),
    (Category.FARM, ("锄", "镰", "种子", "化肥", "喷雾")),
)

PROHIBITED = {
    "现金和有价卡券": (
        "现金", "红包", "人民币", "购物卡", "礼品卡", "储值卡", "充值卡", "充值",
        "话费", "油卡", "提货卡", "超市卡", "京东卡", "点卡", "提现", "券", "彩票", "黄金", "找零",
    ),
    "烟": ("烟", "雪茄"),
    "酒": ("酒", "茅台", "五粮液"),
    "药品和保健品": (
        "药", "保健", "胶囊", "口服液", "蛋白粉", "钙片", "鱼肝油",
        "冲剂", "疫苗", "医疗器械", "膏方",
    ),
    "烟花爆竹": ("烟花", "爆竹", "鞭炮", "礼炮", "焰火", "摔炮", "炮仗", "仙女棒"),
}  # fmt: skip
"""Words that give prohibited goods away, whatever category was chosen."""

HARMLESS = (
    "料酒", "酒精", "酒酿", "酒杯", "酒精湿巾", "油烟", "无烟", "烟灰缸", "烟感", "烟道",
    "烟雾报警", "防烟",
    "药皂", "中药牙膏", "白药牙膏", "药箱", "喷药", "打药",
)  # fmt: skip
"""Everyday goods whose names contain such a word; they are cut out before looking."""


class PriceTerms(msgspec.Struct, frozen=True):
    """One proposed price: points in 0.1, money in fen; ``market_fen`` empty = not known."""

    points: int
    purchase_fen: int
    market_fen: int | None = None


def normal(text: str) -> str:
    """A name as it is kept: full-width forms made plain, spaces collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def prohibited(name: str) -> str | None:
    """Which group of prohibited goods a product name belongs to, or None.

    Cash and its likes, tobacco, alcohol, medicine and health products, fireworks may not be
    exchanged; a category cannot hide them.
    """
    text = normal(name).replace(" ", "")
    for word in sorted(HARMLESS, key=len, reverse=True):
        text = text.replace(word, "·")
    for group in reversed(PROHIBITED):  # fireworks (烟花) before tobacco (烟)
        if any(word in text for word in PROHIBITED[group]):
            return group
    return None


def guess_category(name: str) -> Category:
    """The likeliest category where an office file has no column for it."""
    return next(
        (category for category, hints in _HINTS if any(hint in name for hint in hints)),
        Category.DAILY,
    )


def category_of(text: str) -> Category | None:
    """The category with this Chinese name, or None."""
    wanted = normal(text)
    return next((item for item, name in CATEGORY_NAMES.items() if name == wanted), None)


def price_fault(
    terms: PriceTerms, point_value_fen: int, funded_fen: int | None = None
) -> str | None:
    """Why a price may not be set, as a sentence; None if it may.

    points × reference value must cover the agreed purchase price, or the village would pay more
    than it gave out, and may not exceed the market price, or points would be worth less than money.
    A fund keeps the reference value it was opened with: ``funded_fen`` is the least of them.
    """
    if terms.points <= 0 or terms.points % 10:
        return "兑换积分要填大于 0 的整数分。"
    if terms.purchase_fen < 0:
        return "协议进价不能是负数。"
    worth = terms.points // 10 * point_value_fen
    paid = terms.points // 10 * min(point_value_fen, funded_fen or point_value_fen)
    if paid < terms.purchase_fen:
        return (
            f"{terms.points // 10} 分只值 {yuan(paid)} 元，低于协议进价 "
            f"{yuan(terms.purchase_fen)} 元，请提高兑换积分或压低进价。"
        )
    if terms.market_fen is not None and worth > terms.market_fen:
        return (
            f"{terms.points // 10} 分值 {yuan(worth)} 元，高于市场价 "
            f"{yuan(terms.market_fen)} 元，请降低兑换积分。"
        )
    return None


def limit_faults(monthly_limit: int | None, low_mark: int | None) -> dict[str, str]:
    """Why pieces a person and month, or of a reminder, may not be set; empty if they may."""
    faults = {}
    if monthly_limit is not None and monthly_limit < 1:
        faults["monthly_limit"] = "每月限兑要填正整数，不限就留空。"
    elif monthly_limit is not None and monthly_limit > MAX_PIECES:
        faults["monthly_limit"] = f"每月限兑太大了，最多 {MAX_PIECES} 件。"
    if low_mark is not None and low_mark < 0:
        faults["low_mark"] = "低库存提醒要填 0 或正整数。"
    elif low_mark is not None and low_mark > MAX_PIECES:
        faults["low_mark"] = f"低库存提醒太大了，最多 {MAX_PIECES} 件。"
    return faults


def yuan(fen: int) -> str:
    """Fen as yuan for people: 450 → 4.5, 3300 → 33."""
    return f"{Decimal(fen) / 100:.2f}".rstrip("0").rstrip(".")


def parse_yuan(text: str) -> int:
    """Yuan of an office file or form as fen.

    Spreadsheets carry 33.300000000000004: within 0.0001 yuan of a fen it is that fen, otherwise
    ValueError, because nobody may guess at money.
    """
    try:
        value = Decimal(normal(text).replace(",", "").removesuffix("元").removeprefix("¥"))
    except InvalidOperation as error:
        raise ValueError("金额要填数字，例如 4.5。") from error
    if not value.is_finite() or abs(value) > Decimal(10_000_000):
        raise ValueError("金额超出范围。")
    fen = (value * 100).to_integral_value()
    if abs(value - fen / 100) > Decimal("0.0001"):
        raise ValueError("金额最多到分（两位小数）。")
    if fen < 0:
        raise ValueError("金额不能是负数。")
    return int(fen)


def parse_whole(text: str, *, least: int, most: int) -> int:
    """A whole number of a file or form (5, ５, 5.0); ValueError says what is wrong."""
    try:
        value = Decimal(normal(text).replace(",", "").removesuffix("分"))
    except InvalidOperation as error:
        raise ValueError("要填整数。") from error
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError("要填整数，不能有小数。")
    if not least <= value <= most:
        raise ValueError(f"要在 {least} 到 {most} 之间。")
    return int(value)


def check_names(row: Row, table: Table, columns: tuple[str, ...]) -> bool:
    """Whether the row's names are short enough; one that is not becomes a fault."""
    long = [column for column in columns if len(normal(row[column] or "")) > MAX_NAME]
    for column in long:
        table.fault(row, column, f"最多 {MAX_NAME} 个字。")
    return not long
