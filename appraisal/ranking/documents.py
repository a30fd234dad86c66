"""The ranking as a workbook: the list, and beside it the units right below in figures."""

from collections.abc import Sequence
from datetime import date

from appraisal.ranking.rules import Subtotal
from appraisal.ranking.schemas import GRID_TYPES, RankRow
from shared.documents.excel import Column, Sheet, workbook
from shared.roster.roles import EMPLOYMENT_NAMES

COLUMNS = (
    Column("名次", kind="number", width=6),
    Column("姓名", width=10),
    Column("乡镇"),
    Column("村社区", width=16),
    Column("网格", width=18),
    Column("网格类型", width=10),
    Column("用工形式", width=12),
    Column("任职天数", kind="number", width=8),
    Column("在岗", kind="yuan", width=7),
    Column("工单", kind="yuan", width=7),
    Column("信息", kind="yuan", width=7),
    Column("化解", kind="yuan", width=7),
    Column("满意度", kind="yuan", width=8),
    Column("积分", kind="yuan", width=7),
    Column("培训", kind="yuan", width=7),
    Column("加分", kind="yuan", width=7),
    Column("扣分", kind="yuan", width=7),
    Column("计算得分", kind="yuan", width=9),
    Column("校准得分", kind="yuan", width=9),
    Column("最终得分", kind="yuan", width=9),
    Column("等次", width=9),
    Column("测评分", kind="points", width=8),
    Column("有效票", kind="number", width=7),
    Column("误差±", kind="points", width=7),
    Column("说明", width=22),
)
"""Scores are hundredths, which the format of fen shows with two decimals."""
NOTES = (
    "空白的项目没有数据，不计零分，权重按比例分给其他项。",
    "同分同名次（1、1、3）。不定等次和一票否决的不参加排名。误差为测评分 95% 置信区间的半宽。",
)


SUBTOTALS = (
    Column("单位", width=22),
    Column("人数", kind="number", width=8, total=True),
    Column("平均得分", kind="yuan", width=10),
    Column("最高得分", kind="yuan", width=10),
    Column("最低得分", kind="yuan", width=10),
    Column("优秀", kind="number", width=8, total=True),
    Column("合格", kind="number", width=8, total=True),
    Column("基本合格", kind="number", width=9, total=True),
    Column("不合格", kind="number", width=8, total=True),
    Column("不定等次", kind="number", width=9, total=True),
    Column("有测评的人数", kind="number", width=12, total=True),
    Column("测评均分", kind="points", width=10),
    Column("有效票", kind="number", width=9, total=True),
)
SUBTOTAL_NOTES = (
    "按名单上的人小计，条件与名单相同。平均、最高、最低得分不含不定等次的人。",
    "测评均分是有测评的人的平均；同一网格有几个人的，有效票按人重复计。",
)


def ranking(
    title: str,
    unit: str,
    on: date,
    rows: Sequence[RankRow],
    subtotals: Sequence[Subtotal],
    taken: str,
) -> bytes:
    """Equal rows give an equal file."""
    return workbook(
        Sheet(
            name="考核排名",
            title=title,
            unit=unit,
            on=on,
            columns=COLUMNS,
            rows=[_cells(row) for row in rows],
            notes=NOTES,
        ),
        Sheet(
            name="小计",
            title=f"{title}小计",
            unit=unit,
            on=on,
            columns=SUBTOTALS,
            rows=[_subtotal(one) for one in subtotals],
            notes=SUBTOTAL_NOTES,
        ),
        taken=taken,
    )


def _subtotal(one: Subtotal) -> tuple[object, ...]:
    return (
        one.name,
        one.people,
        one.mean,
        one.best,
        one.worst,
        *one.grades,
        one.liked_people,
        one.liked,
        one.ballots,
    )


def _cells(row: RankRow) -> tuple[object, ...]:
    return (
        row.rank,
        row.name,
        row.township_name,
        row.village_name,
        row.grid_name,
        GRID_TYPES.get(row.grid_type, ""),
        EMPLOYMENT_NAMES[row.employment_type],
        row.days,
        row.attendance,
        row.orders,
        row.data,
        row.settled,
        row.satisfaction,
        row.merit,
        row.training,
        row.plus,
        row.minus,
        row.calculated,
        row.calibrated,
        row.final,
        row.grade_name,
        row.liked,
        row.ballots,
        row.half_width,
        row.note_name,
    )
