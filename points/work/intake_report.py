"""What an import of work records reports: every row, and the sums in words."""

from datetime import date

import msgspec

from points.rulebook.rules import show
from shared.documents import excel


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row; points are 0.1, before the month is posted a forecast."""

    sheet: str = ""
    """Its name, where there are several."""
    number: int
    on: date | None
    grid_code: str
    name: str
    code: str
    text: str
    quantity: int | None = None
    household: str = ""
    confirmed_by: str = ""
    outcome: str
    gives: int = 0
    counts: int = 0
    words: str = ""


class Imported(msgspec.Struct, kw_only=True):
    """The whole import in figures."""

    rows: int
    added: int = 0
    repeated: int = 0
    """Rows that an earlier import of the same content brought."""
    refused: int = 0
    confirmed: int = 0
    """Rows whose 核实人 had the authority."""
    cut: int = 0
    """Added rows that a cap cuts, in part or whole."""
    forecast: bool = True
    """Whether ``counts`` and the cuts were worked out; not for very large files."""
    gives: int = 0
    counts: int = 0
    cuts: dict[str, int] = {}
    reasons: dict[str, int] = {}
    """Refusals by kind."""
    notes: list[str] = []
    lines: list[Line] = []
    left_out: list[str] = []
    posted: int = 0
    seconds: float = 0.0


def workbook(result: Imported, county_name: str, on: date) -> bytes:
    """Every row with its outcome, and the sums below; corrected, an import reads it again."""
    rows = (
        (
            line.number,
            line.on,
            line.grid_code,
            line.name,
            line.code,
            line.text,
            line.quantity,
            line.household,
            line.confirmed_by,
            line.outcome,
            line.gives,
            line.counts,
            line.words,
            line.sheet,
        )
        for line in result.lines
    )
    columns = (
        excel.Column("原行号", "number", 8),
        excel.Column("日期", "date", 12),
        excel.Column("网格编码", "text", 18),
        excel.Column("姓名", "text", 10),
        excel.Column("规则编号", "text", 10),
        excel.Column("内容", "text", 28),
        excel.Column("数量", "number", 8),
        excel.Column("户号", "text", 12),
        excel.Column("核实人", "text", 12),
        excel.Column("结果", "text", 14),
        excel.Column("规则给分", "points", 10, total=True),
        excel.Column("预计计分", "points", 10, total=True),
        excel.Column("说明", "text", 60),
        excel.Column("工作表", "text", 14),
    )
    sheet = excel.Sheet(
        name="逐行结果",
        title=f"{county_name}工作记录导入结果",
        unit=county_name,
        on=on,
        columns=columns,
        rows=rows,
        notes=tuple(sentences(result)),
    )
    return excel.workbook(sheet)


def sentences(result: Imported) -> list[str]:
    """The sums in words."""
    head = f"共 {result.rows} 行：新记 {result.added} 条，以前已导入 {result.repeated} 条，"
    found = [f"{head}拒绝 {result.refused} 条。"]
    if result.reasons:
        kinds = "，".join(f"{kind} {count}" for kind, count in sorted(result.reasons.items()))
        found.append(f"拒绝的原因：{kinds}。")
    if result.added and not result.forecast:
        found.append(f"新记的按规则给 {show(result.gives)} 分，上限在入账时执行。")
    elif result.added:
        found.append(
            f"新记的按规则给 {show(result.gives)} 分，核实后预计计 {show(result.counts)} 分；"
            f"有 {result.cut} 条被削减或不计分。"
        )
    found += [f"  {cap}：减 {show(amount)} 分" for cap, amount in sorted(result.cuts.items())]
    return [*found, *result.notes]
