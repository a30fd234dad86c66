"""What may be sold for points and at which price."""

import pytest

from points.mall.rules import (
    Category,
    PriceTerms,
    guess_category,
    parse_whole,
    parse_yuan,
    price_fault,
    prohibited,
    yuan,
)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("现金红包", "现金和有价卡券"),
        ("话费充值 50元", "现金和有价卡券"),
        ("超市购物券", "现金和有价卡券"),
        ("大闸蟹提货卡", "现金和有价卡券"),
        ("黄鹤楼香烟", "烟"),
        ("白 酒 500ml", "酒"),
        ("无烟白酒", "酒"),
        ("感冒药", "药品和保健品"),
        ("蛋白粉（保健）", "药品和保健品"),
        ("钙片60粒", "药品和保健品"),
        ("电子烟雾化器", "烟"),
        ("烟花礼盒", "烟花爆竹"),
        ("儿童摔炮", "烟花爆竹"),
    ],
)
def test_prohibited_goods_are_named(name: str, group: str) -> None:
    """Cash, cards, tobacco, alcohol, medicine and fireworks are found by their words."""
    assert prohibited(name) == group


@pytest.mark.parametrize(
    "name",
    [
        "料酒500ml",
        "酒精湿巾",
        "油烟净",
        "硫磺药皂",
        "云南白药牙膏",
        "烟雾报警器",
        "大米5kg",
        "雨衣",
    ],
)
def test_everyday_goods_are_not_mistaken(name: str) -> None:
    """A word inside a harmless name does not refuse the product."""
    assert prohibited(name) is None


def test_price_must_cover_the_purchase_price() -> None:
    """Points × reference value ≥ purchase price: 4 points do not pay for 4.50 yuan, 5 do."""
    assert "低于协议进价 4.5 元" in (price_fault(PriceTerms(40, 450), 100) or "")
    assert price_fault(PriceTerms(50, 450), 100) is None
    assert price_fault(PriceTerms(50, 500), 100) is None
    assert price_fault(PriceTerms(50, 700), 150) is None
    assert "只值 5 元，低于协议进价 7 元" in (price_fault(PriceTerms(50, 700), 150, 100) or "")


def test_price_may_not_exceed_the_market_price() -> None:
    """A point never buys less than the market gives; an unknown market price is not checked."""
    assert "高于市场价" in (price_fault(PriceTerms(60, 450, 590), 100) or "")
    assert price_fault(PriceTerms(60, 450, 600), 100) is None


@pytest.mark.parametrize("points", [0, -10, 5, 55])
def test_price_is_whole_positive_points(points: int) -> None:
    """A price of 0, below 0, or with half points is refused."""
    assert price_fault(PriceTerms(points, 0), 100) == "兑换积分要填大于 0 的整数分。"


@pytest.mark.parametrize(
    ("text", "fen"),
    [("4.5", 450), ("33.300000000000004", 3330), ("４．５", 450), ("1,200元", 120000), ("0", 0)],
)
def test_yuan_of_files_becomes_fen(text: str, fen: int) -> None:
    """Floats of spreadsheets and full-width digits are read as the fen they mean."""
    assert parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["4.505", "4.5002", "-1", "abc", "", "NaN", "1e30"])
def test_doubtful_money_is_refused(text: str) -> None:
    """More than 0.0001 yuan away from a fen, negative, or no number: never guessed."""
    with pytest.raises(ValueError, match=r"\S"):
        parse_yuan(text)


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "十", "100001", "Infinity"])
def test_whole_numbers_only(text: str) -> None:
    """Zero, negative, decimal and huge amounts are refused."""
    with pytest.raises(ValueError, match=r"\S"):
        parse_whole(text, least=1, most=100_000)


def test_whole_number_as_spreadsheets_write_it() -> None:
    """5.0 and ５ are 5."""
    assert [parse_whole(text, least=1, most=10) for text in ("5.0", "５", " 5分")] == [5, 5, 5]


def test_category_is_guessed_from_the_name() -> None:
    """Every product of the sample catalogue finds its shelf."""
    assert guess_category("大米5kg") is Category.GRAIN
    assert guess_category("电水壶") is Category.APPLIANCE
    assert guess_category("手电筒") is Category.APPLIANCE
    assert guess_category("洗衣液2kg") is Category.WASHING
    assert guess_category("笔记本") is Category.STATIONERY
    assert guess_category("指甲剪") is Category.DAILY


def test_yuan_is_shown_without_needless_zeros() -> None:
    """450 fen are 4.5 yuan, 3300 are 33, 0 is 0."""
    assert [yuan(450), yuan(3300), yuan(0), yuan(12345)] == ["4.5", "33", "0", "123.45"]
