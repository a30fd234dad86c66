"""The files of settlement, as pure functions of what is stored: same rows, same bytes."""

from collections.abc import Sequence
from uuid import UUID

from points.settlement.schemas import LineRow, StatementRow
from shared.documents.excel import Column, Sheet, workbook

KINDS = {"redeem": "兑换", "undo": "撤销"}
COLUMNS = (
    Column("时间", "time", 17),
    Column("类别", "text", 7),
    Column("网格员", "text", 10),
    Column("网格", "text", 18),
    Column("商品", "text", 34),
    Column("兑换积分", "points", 10),
    Column("本资金积分", "points", 11, total=True),
    Column("金额（元）", "yuan", 11, total=True),
    Column("异议", "text", 9),
    Column("单号", "text", 14),
)


def statement_file(
    statement: StatementRow, lines: Sequence[LineRow], disputed: frozenset[UUID]
) -> bytes:
    """对账单 as an Excel file; ``disputed`` are the lines outside the payable sum."""
    sheet = Sheet(
        name="对账单",
        title=f"{statement.shop_name}积分兑换对账单（{statement.chinese_month}）",
        unit=statement.fund_name,
        on=statement.built_on,
        columns=COLUMNS,
        rows=[
            (
                line.at,
                KINDS[line.kind],
                line.worker,
                line.place,
                line.goods,
                line.whole_points,
                line.points,
                line.amount_fen,
                "有异议" if line.id in disputed else "",
                short(line.redemption_id),
            )
            for line in lines
        ],
        notes=tuple(f"{label}：{value}" for label, value in summary(statement)),
        signatures=("店主签字：", "村会计签字：", "村监委会签字："),
    )
    return workbook(sheet)


def summary(statement: StatementRow) -> list[tuple[str, str]]:
    """The figures under the table, in the order in which they add up."""
    return [
        ("期初结转", f"{yuan(statement.opening_fen)} 元"),
        ("本期合计", f"{yuan(statement.amount_fen)} 元，{statement.line_count} 笔"),
        ("有异议暂不付", f"{yuan(statement.disputed_fen)} 元"),
        ("本期应付", f"{yuan(statement.payable_fen)} 元"),
        ("结转下期", f"{yuan(statement.carry_fen)} 元"),
        ("收款账户名", statement.settlement_name),
    ]


def statement_name(statement: StatementRow) -> str:
    """``对账单_银城积分超市_雁塔社区``, without the period."""
    return f"对账单_{statement.shop_name}_{statement.fund_name}"


def short(number: UUID) -> str:
    """The last 12 digits of an id: enough to find a slip by."""
    return number.hex[-12:].upper()


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals: -450 → -4.50."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
