"""Movements of points in the words people know."""

WORDS = {
    "redeem": "兑换商品",
    "post_hold": "取走预订",
    "undo": "撤销兑换",
    "expire": "到期清零",
    "reverse": "记录冲回",
    "opening": "期初结转",
    "offset": "抵扣冲回",
    "settle": "抵扣冲回",
    "release": "待拨付到账",
}


def label(code: str, memo: str) -> str:
    """What a movement is called: its memo, else the word for its code."""
    return memo or WORDS.get(code, "积分变动")
