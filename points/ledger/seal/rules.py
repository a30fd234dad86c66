"""How a day's tree begins, and what a receipt proves. No database and no network.

``check`` and the page ``points/static/check-receipt.html`` say the same, sentence for sentence;
``tests/points/ledger/seal/vectors.json`` holds both to it.
"""

import codecs
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from points.ledger.seal import merkle
from points.ledger.seal.schemas import BatchPart, DayPart, DayRow, Line, ReceiptFile
from points.ledger.words import WORDS
from shared.clock import LOCAL_ZONE

VERSION = 1
GOOD, BAD, OPEN, SAYS = "✓", "✗", "？", "·"
LEAST_DIGITS = 16
"""Fewest digits of a printed root that count as a comparison."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"wallet": "可兑换积分", "merit": "履职积分"}
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-", max_length=36)]
Row = tuple[Literal["transfer"], Id, int, int, str, str, str, str, int, str]
"""The canonical row: kind, id, batch, position, unit, code, debit, credit, amount, about.

The id begins with the batch's time in milliseconds.
"""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def first_leaf(county_id: int, day: DayRow) -> bytes:
    """Leaf 0 of a day's tree: the day before and the chain's head, so that a root seals both."""
    text = json.dumps(
        [
            "day",
            county_id,
            f"{day.day:%Y-%m-%d}",
            day.first_batch,
            day.last_batch,
            day.transfers,
            day.previous.hex(),
            day.head.hex(),
        ]
    )
    return merkle.leaf(text.encode())


def check(data: bytes, printed: str = "") -> list[Line]:
    """What a receipt file proves, alone and against a printed root; the first line says what it is.

    Never raises: a file that is no receipt is one ✗.
    """
    try:
        receipt = msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=ReceiptFile)
    except UNREADABLE:
        return [Line(BAD, "这不是积分凭证，或者内容不完整。请重新下载，不要改动文件。")]
    if receipt.version != VERSION:
        return [Line(BAD, "这张凭证的版本太新或太旧，请换用新的核对程序。")]
    try:
        row = msgspec.json.decode(receipt.transfer, type=Row)
    except UNREADABLE:
        return [Line(BAD, "凭证里的记账行不完整。请重新下载，不要改动文件。")]
    lines = [_said(row), *_batch(receipt, row), _day(receipt)]
    if receipt.day is not None:
        lines.append(_printed(receipt.day, printed))
    lines.append(Line(OPEN, "凭证只说明这一笔记账没有被改动，不说明事情本身是否属实。"))
    return lines


def verdict(lines: Sequence[Line]) -> Line:
    """The whole in one line: ✗ if anything is wrong."""
    if any(line.mark == BAD for line in lines):
        return Line(BAD, "不符：凭证或账目被改动过，或者抄写有误。")
    return Line(GOOD, "能核对的都相符。")


def _said(row: Row) -> Line:
    seconds = int(row[1][:8] + row[1][9:13], 16) // 1000
    at = (EPOCH + timedelta(seconds=seconds)).astimezone(LOCAL_ZONE)
    whole, tenth = divmod(row[8], 10)
    points = f"{whole}.{tenth}" if tenth else f"{whole}"
    word, unit = WORDS.get(row[5], row[5]), UNITS.get(row[4], row[4])
    return Line(
        SAYS,
        f"凭证写明：{at:%Y-%m-%d %H:%M}，{word}，{unit} {points} 分，"
        f"记在第 {row[2]} 页第 {row[3]} 笔。",
    )


def _batch(receipt: ReceiptFile, row: Row) -> list[Line]:
    batch = receipt.batch
    if row[2] != batch.number:
        return [Line(BAD, "记账行写的页码和凭证写的页码不同。")]
    if batch.leaves is None or batch.place is None:
        return [
            Line(OPEN, f"第 {batch.number} 页太长，凭证没有带上整页，这一页的封印不能单独核对。")
        ]
    leaf = sha256(receipt.transfer.encode()).hexdigest()
    inside = batch.place < len(batch.leaves) and batch.leaves[batch.place] == leaf
    if not inside or len(batch.leaves) != batch.rows:
        return [Line(BAD, f"这一笔不在第 {batch.number} 页里：内容被改动过。")]
    if _block_hash(batch, batch.leaves) != batch.hash:
        return [Line(BAD, f"第 {batch.number} 页的封印对不上：内容被改动过。")]
    return [Line(GOOD, f"第 {batch.number} 页的封印对得上，这一笔在里面。")]


def _block_hash(batch: BatchPart, leaves: Sequence[str]) -> str:
    """As ``points.chain_hash`` computes it."""
    content = sha256(b"".join(bytes.fromhex(leaf) for leaf in leaves)).digest()
    header = json.dumps([batch.county_id, batch.number, batch.at, batch.items, batch.rows])
    whole = bytes.fromhex(batch.previous_hash) + header.encode() + content
    return sha256(whole).hexdigest()


def _day(receipt: ReceiptFile) -> Line:
    day = receipt.day
    if day is None:
        return Line(OPEN, "这一天还没有封账，凭证里没有当日封印。第二天再下载一次就有了。")
    path = [bytes.fromhex(neighbour) for neighbour in day.proof]
    found = merkle.climb(merkle.leaf(receipt.transfer.encode()), day.index, day.size, path)
    if found is None or found.hex() != day.root:
        return Line(BAD, f"{day.date} 的当日封印对不上：内容被改动过。")
    return Line(
        GOOD,
        f"{day.date} 的当日封印对得上，这一笔是当天 {day.size - 1} 笔中的第 {day.index} 笔。",
    )


def _printed(day: DayPart, printed: str) -> Line:
    typed = "".join(printed.split()).lower()
    if not typed:
        return Line(
            OPEN,
            "当日封印是不是公开的那一个，这里不能判断："
            f"请与村里张贴的公示或对账单上 {day.date} 的封印比对。",
        )
    if not LEAST_DIGITS <= len(typed) <= len(day.root) or set(typed) - set("0123456789abcdef"):
        return Line(BAD, "输入的当日封印不能识别：应是 16 到 64 位的数字和字母 a 到 f。")
    if not day.root.startswith(typed):
        return Line(
            BAD,
            f"和您输入的当日封印不一致。请先核对日期（{day.date}）和抄写；"
            "确实不一致的，请向县里反映。",
        )
    return Line(GOOD, f"和您输入的当日封印一致（比对了前 {len(typed)} 位）。")


def day_after(last: DayRow | None, first: date) -> date:
    """The day to close next."""
    return first if last is None else date.fromordinal(last.day.toordinal() + 1)
