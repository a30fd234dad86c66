"""兑换台账 and 积分汇总 as Excel files: pure functions of their rows."""

from collections.abc import Sequence
from datetime import date, timedelta

from points.ledger.seal.schemas import DayRow
from points.settlement.documents import KINDS, short
from points.settlement.reports.schemas import LedgerFilter, LedgerRow, SummaryRow
from shared.clock import LOCAL_ZONE
from shared.dates import chinese_period
from shared.documents.excel import Column, Sheet, workbook
from shared.months import month_cn

LEDGER_COLUMNS = (
    Column("时间", "time", 17),
    Column("乡镇", "text", 10),
    Column("村（社区）", "text", 16),
    Column("网格", "text", 12),
    Column("网格员", "text", 9),
    Column("积分超市", "text", 18),
    Column("商品", "text", 30),
    Column("积分", "points", 8, total=True),
    Column("类别", "text", 8),
    Column("经办人", "text", 9),
    Column("代领人", "text", 9),
    Column("单号", "text", 14),
    Column("领取人签字", "text", 12),
    Column("村监委签字", "text", 12),
)
SUMMARY_COLUMNS = (
    Column("乡镇", "text", 10),
    Column("村（社区）", "text", 16),
    Column("网格", "text", 12),
    Column("姓名", "text", 9),
    Column("组织生活参与", "points", 9, total=True),
    Column("民生事项服务", "points", 9, total=True),
    Column("社情民意收集", "points", 9, total=True),
    Column("矛盾纠纷劝调", "points", 9, total=True),
    Column("特殊人群帮教", "points", 9, total=True),
    Column("政策法律宣传", "points", 9, total=True),
    Column("其他", "points", 8, total=True),
    Column("扣分", "points", 8, total=True),
    Column("合计", "points", 9, total=True),
    Column("已兑换", "points", 9, total=True),
    Column("可兑换余额（填报日）", "points", 10, total=True),
)
SUMMARY_NOTE = (
    "各类得分按工作日期计，补审入账的以后会加进来；扣分、冲回、兑换、撤销兑换计在办理的当天。"
)


SEAL_COLUMNS = (
    Column("日期", "date", 12),
    Column("首页", "number", 9),
    Column("末页", "number", 9),
    Column("记账（笔）", "number", 10, total=True),
    Column("当日封印", "text", 76),
    Column("封账时间", "time", 17),
)


def ledger(
    county: str, wanted: LedgerFilter, rows: Sequence[LedgerRow], on: date, taken: str
) -> bytes:
    """Oldest first; an undoing is a row of its own, on its own day, that takes the points back."""
    return workbook(
        Sheet(
            name="兑换台账",
            title=f"{county}积分兑换台账（{chinese_period(*days_of(wanted))}）",
            unit=county,
            on=on,
            columns=LEDGER_COLUMNS,
            rows=[
                (
                    row.at,
                    row.township,
                    row.village,
                    row.grid,
                    row.worker,
                    row.shop,
                    row.goods,
                    row.points,
                    KINDS[row.kind],
                    row.clerk,
                    row.collector,
                    short(row.id),
                    None,
                    None,
                )
                for row in rows
            ],
        ),
        taken=taken,
    )


def summary(
    county: str, days: tuple[date, date], rows: Sequence[SummaryRow], on: date, taken: str
) -> bytes:
    """By township with sub-totals; 可兑换余额 is that of the day on which the file was made."""
    return workbook(
        Sheet(
            name="积分汇总",
            title=f"{county}网格员积分汇总表（{chinese_period(*days)}）",
            unit=county,
            on=on,
            columns=SUMMARY_COLUMNS,
            group=0,
            rows=[
                (
                    row.township,
                    row.village,
                    row.grid,
                    row.worker,
                    row.org,
                    row.svc,
                    row.opn,
                    row.med,
                    row.care,
                    row.law,
                    row.other,
                    row.deducted,
                    row.total,
                    row.redeemed,
                    row.wallet,
                )
                for row in rows
            ],
            notes=(SUMMARY_NOTE,),
        ),
        taken=taken,
    )


def seals(county: str, month: str, rows: Sequence[DayRow], on: date) -> bytes:
    """The month's daily roots; a day without entries has no pages."""
    return workbook(
        Sheet(
            name="每日封印",
            title=f"{county}积分台账每日封印（{month_cn(month)}）",
            unit=county,
            on=on,
            columns=SEAL_COLUMNS,
            rows=[
                (
                    row.day,
                    row.first_batch if row.transfers else None,
                    row.last_batch if row.transfers else None,
                    row.transfers,
                    row.root.hex(),
                    row.closed_at,
                )
                for row in rows
            ],
        )
    )


def period(wanted: LedgerFilter) -> str:
    """``2026-10-01至2026-10-31``, both included."""
    return "{}至{}".format(*days_of(wanted))


def days_of(wanted: LedgerFilter) -> tuple[date, date]:
    """The first and the last day, in China."""
    last = wanted.last - timedelta(seconds=1)
    return wanted.first.astimezone(LOCAL_ZONE).date(), last.astimezone(LOCAL_ZONE).date()
