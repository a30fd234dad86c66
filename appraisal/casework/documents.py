"""The list of cases as a workbook."""

from collections.abc import Sequence
from datetime import date

from appraisal.casework.schemas import CaseRow
from shared.clock import today
from shared.documents.excel import Column, Sheet, workbook

COLUMNS = (
    Column("姓名", width=10),
    Column("乡镇"),
    Column("村社区", width=16),
    Column("网格", width=18),
    Column("类别", width=12),
    Column("事项", width=26),
    Column("依据的考核", width=24),
    Column("立案日期", kind="date", width=12),
    Column("现在到哪一步", width=24),
    Column("轮到谁", width=22),
    Column("期限", kind="date", width=12),
    Column("状态", width=8),
    Column("结果", width=14),
)
NOTES = ("状态“逾期”指超过承诺的日期还没有办的；“办结”指没有人再要办什么。",)


def cases(title: str, unit: str, on: date, rows: Sequence[CaseRow], taken: str) -> bytes:
    """Equal rows give an equal file."""
    return workbook(
        Sheet(
            name="考核事项",
            title=title,
            unit=unit,
            on=on,
            columns=COLUMNS,
            rows=[_cells(row, unit) for row in rows],
            notes=NOTES,
        ),
        taken=taken,
    )


def _cells(row: CaseRow, department: str) -> tuple[object, ...]:
    return (
        row.name,
        row.township_name,
        row.village_name,
        row.unit_name,
        row.pool_name,
        row.title,
        row.cycle_title,
        today(row.opened_at),
        row.state_name,
        row.waits_for(department),
        row.due_on,
        "办结" if row.done else "逾期" if row.overdue_on else "在办",
        row.outcome_name,
    )
