"""Reads a table out of an office workbook: whatever stands around it is recognised and left out.

The header may stand below title rows, on several sheets, with notes in its titles; signature,
total and blank rows are skipped; merged cells are filled downwards. A wrong cell becomes a Fault
with one sentence, a wrong file raises BadFile. ``shared.documents.faults`` writes the same
workbook back with the faults marked.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shared.documents import cells, files
from shared.documents.errors import BadFile
from shared.documents.files import Grid

HEADER_WITHIN = 30
"""Rows from the top in which a header is looked for."""
ENOUGH = 2
"""Known titles that make a row a header when a required one is missing."""
FOOTER = re.compile(
    r"(制表|审核|填表|填报|负责|经办|复核|审批|批准|单位|联系|报送|打印|盖章|签字|备注|说明|注|附)[^，。]{0,8}[:：(（]"
)
SIGNATURE = re.compile(r"(制表|审核|填表|填报|负责|经办|复核|审批|打印)[^，。]{0,8}[:：]")
TOTAL = re.compile(r"(合|总|小|共)\s*计\s*(人数|户数|数量|金额|积分)?\s*([:：(（\d].*)?", re.DOTALL)
NOTHING = frozenset({"", "/", "\\", "-", "--", "—", "——", "–", "―", "─", "无", "暂无", "空"})
"""What offices write into a cell that has nothing to say."""
SAME = frozenset({"同上", "〃", "′′", '"', "''", "”", "“"})
"""What they write for the cell above, which may be another one by now: rows are sorted."""
ORDINAL = frozenset({"序号", "编号", "序", "行号"})
MERGED = "这是合并单元格，分不清是每行各有这么多，还是几行一共。请取消合并，每行各填各的。"
MAX_FAULTS = 20_000
SHOWN_RUNS = 10
REMEMBERED = 20_000
"""Cells of a column whose meaning is remembered: days, codes and names come again and again."""


class Column(msgspec.Struct, frozen=True):
    """A column that is looked for; ``required`` needs the column and every row's cell filled."""

    title: str
    kind: cells.Kind = "text"
    required: bool = False
    aliases: tuple[str, ...] = ()
    alone: bool = False
    """A sum that is each row's own: a merged cell would give all of it to every row it covers."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one cell; rows are numbered as Excel shows them."""

    sheet: int
    row: int
    column: str
    sentence: str


class Row(msgspec.Struct):
    """One line of data; ``row["姓名"]`` is the converted cell, None when blank or faulty."""

    sheet: int
    number: int
    values: dict[str, Any]

    def __getitem__(self, title: str) -> Any:
        return self.values[title]


class Place(msgspec.Struct):
    """Where a sheet's table stands: header row (0-based) and column index by title."""

    sheet: int
    header: int
    columns: dict[str, int]


class Table(msgspec.Struct):
    """The rows that were read, what was left out, and every fault found so far."""

    grids: list[Grid]
    places: list[Place]
    rows: list[Row]
    faults: list[Fault]
    dropped: list[str]
    """Titles left out on purpose, as the file writes them."""
    unknown: list[str]
    """Titles that nobody asked for, and sheets without a table."""
    hidden: list[tuple[int, int]] = []
    """Sheet and number of the rows that were read though the office does not see them."""

    def fault(self, row: Row, column: str, sentence: str) -> None:
        """Add what the feature found wrong."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(row.sheet, row.number, column, sentence))

    def has(self, title: str) -> bool:
        """Whether any sheet has the column."""
        return any(title in place.columns for place in self.places)

    def where(self, row: Row | Fault) -> str:
        """第 12 行, with the sheet's name when there are several."""
        number = row.number if isinstance(row, Row) else row.row
        if len(self.places) == 1:
            return f"第 {number} 行"
        return f"“{self.grids[row.sheet].name}”第 {number} 行"

    def hidden_note(self) -> str:
        """Says which hidden rows were read; empty if there are none."""
        names = [grid.name for grid in self.grids]
        return _hidden_note(self.hidden, names if len(self.places) > 1 else None)

    def sentences(self, limit: int = 200) -> list[str]:
        """The faults as whole sentences, by row."""
        ordered = sorted(self.faults, key=lambda fault: (fault.sheet, fault.row))
        return [
            f"{self.where(fault)}“{fault.column}”：{fault.sentence}" for fault in ordered[:limit]
        ]


class Stream(msgspec.Struct):
    """A table that is read row by row, once, and never held as a whole."""

    places: list[Place]
    dropped: list[str]
    unknown: list[str]
    names: list[str]
    """The sheets' names."""
    readers: list[tuple["_Reader", Iterable[list[Any]], frozenset[int]]]
    """With the indexes of the sheet's hidden rows."""
    hidden: list[tuple[int, int]] = []
    """Sheet and number of the rows read so far that the office does not see."""

    def rows(self) -> Iterator[tuple[Row, list[Fault]]]:
        """Each row of data with what is wrong with its cells. Raises BadFile."""
        for reader, raw_rows, hidden in self.readers:
            for index, raw in enumerate(raw_rows, reader.place.header + 1):
                if found := reader.read(index + 1, raw):
                    if index in hidden:
                        self.hidden.append((reader.place.sheet, index + 1))
                    yield found

    def where(self, sheet: int, number: int) -> str:
        """第 12 行, with the sheet's name when there are several."""
        if len(self.places) == 1:
            return f"第 {number} 行"
        return f"“{self.names[sheet]}”第 {number} 行"

    def hidden_note(self) -> str:
        """Says which of the rows read so far are hidden; empty if there are none."""
        return _hidden_note(self.hidden, self.names if len(self.places) > 1 else None)


def read_table(
    data: bytes,
    name: str,
    columns: Sequence[Column],
    *,
    dropped: Iterable[str] = (),
    rows: int = files.MAX_ROWS,
) -> Table:
    """Read every visible sheet that has the header.

    ``dropped`` are titles that are recognised and not kept; ``rows`` limits a .csv, a workbook has
    its own limit. Raises BadFile.
    """
    grids = files.open_sheets(data, name, rows)
    found = _stream(grids, columns, dropped)
    table = Table(grids, found.places, [], [], found.dropped, found.unknown)
    for row, faults in found.rows():
        table.rows.append(row)
        table.faults.extend(faults[: MAX_FAULTS - len(table.faults)])
    table.hidden = found.hidden
    if not table.rows:
        raise BadFile("表头下面没有数据行，请检查后重新选择文件。")
    return table


def read_stream(
    source: bytes | Path, name: str, columns: Sequence[Column], *, dropped: Iterable[str] = ()
) -> Stream:
    """The same row by row; a .csv on disk may be far larger than memory. Raises BadFile."""
    if isinstance(source, Path):
        if raw_rows := files.stream_csv(source, name):
            head = list(itertools.islice(raw_rows, HEADER_WITHIN))
            return _stream([Grid(name="", rows=head)], columns, dropped, raw_rows)
        source = source.read_bytes()
    return _stream(files.open_sheets(source, name), columns, dropped)


def _stream(
    grids: list[Grid],
    columns: Sequence[Column],
    dropped: Iterable[str],
    rest: Iterable[list[Any]] = (),
) -> Stream:
    """``rest`` are the rows that follow those of the last grid."""
    titles = {_plain(alias): c.title for c in columns for alias in (c.title, *c.aliases)}
    places, skipped = _places(grids, columns, titles)
    found = Stream(places, [], skipped, [grid.name for grid in grids], [])
    unwanted = {_plain(title) for title in dropped}
    for place in places:
        rows = grids[place.sheet].rows
        _sort_titles(found, place, rows[place.header], unwanted)
        reader = _Reader(place, rows[place.header], columns, grids[place.sheet].merges)
        hidden = frozenset(grids[place.sheet].hidden_rows)
        below = itertools.chain(rows[place.header + 1 :], rest)
        found.readers.append((reader, below, hidden))
    return found


def _hidden_note(hidden: Sequence[tuple[int, int]], names: Sequence[str] | None) -> str:
    """``names``: of the sheets, where there are several."""
    runs: list[tuple[int, int, int]] = []
    for sheet, number in hidden:
        if runs and runs[-1][0] == sheet and runs[-1][2] == number - 1:
            runs[-1] = sheet, runs[-1][1], number
        else:
            runs.append((sheet, number, number))
    if not runs:
        return ""
    where = "、".join(
        (f"“{names[sheet]}”" if names else "")
        + (f"第 {first} 行" if first == last else f"第 {first} 至 {last} 行")
        for sheet, first, last in runs[:SHOWN_RUNS]
    )
    more = "等" if len(runs) > SHOWN_RUNS else ""
    return (
        f"表里有 {len(hidden)} 行被筛选或隐藏（{where}{more}），也在导入之列。"
        "不该导入的，请从表里删掉再传。"
    )


def _places(
    grids: Sequence[Grid], columns: Sequence[Column], titles: dict[str, str]
) -> tuple[list[Place], list[str]]:
    """Where the tables stand, and which sheets are left out. Raises BadFile.

    A sheet that lacks one of several required columns is no explanation but a part of the list.
    """
    required = {column.title for column in columns if column.required}
    places, near, skipped = [], [], []
    for index, grid in enumerate(grids):
        place = _place(index, grid, titles)
        found = required.intersection(place.columns if place else ())
        if place is not None and len(found) == len(required):
            _refuse_twins(place, grid, titles)
            places.append(place)
        elif place is not None and len(found) * 2 > len(required):
            near.append(grid)
        elif grid.hidden or any(cell != "" for row in grid.rows for cell in row):
            skipped.append(f"{'隐藏的' if grid.hidden else ''}工作表“{grid.name}”")
    if not places:
        raise BadFile(_missing_header(grids, columns, titles))
    if near:
        sentence = _missing_header(near, columns, titles)
        raise BadFile(f"工作表“{near[0].name}”{sentence}不用导入的工作表，请删掉再传。")
    return places, skipped


def _refuse_twins(place: Place, grid: Grid, titles: dict[str, str]) -> None:
    """Two tables side by side: of the second nothing would be read."""
    header = [_plain(cell) for cell in grid.rows[place.header] if isinstance(cell, str)]
    if twins := [title for title in header if title in titles and header.count(title) > 1]:
        sheet = f"工作表“{grid.name}”" if grid.name else ""
        raise BadFile(
            f"{sheet}第 {place.header + 1} 行的表头里有几列“{twins[0]}”，分不清用哪一列。"
            "并排的几栏请接成一栏，多余的列请删掉再传。"
        )


def _place(index: int, grid: Grid, titles: dict[str, str]) -> Place | None:
    """The row with most known titles; of equals that follow each other, the last.

    A column's own title goes before another name of it: 电话 beside 手机号 is another telephone.
    """
    best: Place | None = None
    for number, row in enumerate(grid.rows[:HEADER_WITHIN]):
        found: dict[str, int] = {}
        for position, cell in enumerate(row):
            title = titles.get(_plain(cell)) if isinstance(cell, str) else None
            if title is not None and (title not in found or _plain(cell) == _plain(title)):
                found[title] = position
        follows = best is not None and number == best.header + 1
        more = 0 if best is None else len(best.columns)
        if len(found) > more or (found and len(found) == more and follows):
            best = Place(index, number, found)
    return best


def _missing_header(
    grids: Sequence[Grid], columns: Sequence[Column], titles: dict[str, str]
) -> str:
    """Say which required column is missing from what looks most like the header."""
    required = [column.title for column in columns if column.required]
    hidden = "隐藏的工作表不读取，要导入的请取消隐藏。" if any(g.hidden for g in grids) else ""
    if not any(any(cell != "" for cell in row) for grid in grids for row in grid.rows):
        return f"表格是空的，没有任何内容。{hidden}请检查后重新选择。"
    found = [_place(index, grid, titles) for index, grid in enumerate(grids)]
    nearest = max((place for place in found if place), key=lambda p: len(p.columns), default=None)
    if nearest is None or len(nearest.columns) < min(ENOUGH, len(columns)):
        names = "、".join(required)
        return f"没有找到表头。表格里应有一行写着：{names}。{hidden}请对照导入模板检查。"
    missing = "、".join(f"“{title}”" for title in required if title not in nearest.columns)
    return f"第 {nearest.header + 1} 行是表头，但缺少{missing}这一列。请补上后再传。"


def _sort_titles(found: Stream, place: Place, header: Sequence[Any], unwanted: set[str]) -> None:
    """Columns that are not read: left out on purpose, or unknown."""
    used = set(place.columns.values())
    for position, cell in enumerate(header):
        title = cells.text(cell)
        if position in used or not title or _plain(title) in ORDINAL or title == ERROR_TITLE:
            continue
        listed = found.dropped if _plain(title) in unwanted else found.unknown
        if title not in listed:
            listed.append(title)


class _Reader:
    """Turns the raw rows below one header into rows of data."""

    def __init__(
        self,
        place: Place,
        header: Sequence[Any],
        columns: Sequence[Column],
        merges: Iterable[tuple[int, int, int, int]],
    ) -> None:
        self.place = place
        self.header = [_plain(cell) for cell in header]
        self.ordinals = {index for index, title in enumerate(self.header) if title in ORDINAL}
        self.absent = {c.title: None for c in columns if c.title not in place.columns}
        self.columns = [(c, place.columns[c.title]) for c in columns if c.title in place.columns]
        self.required = [position for column, position in self.columns if column.required]
        self.known: dict[str, dict[str, Any]] = {column.title: {} for column, _ in self.columns}
        self.needed = [(at, self.known[c.title]) for c, at in self.columns if c.required]
        self.plain_starts: dict[str, bool] = {}
        self.used = {position for _, position in self.columns}
        alone = {position for column, position in self.columns if column.alone}
        self.merged = {
            (index + 1, left)
            for top, left, bottom, _ in merges
            if left in alone and bottom > top > place.header
            for index in range(top, bottom + 1)
        }
        """Row number and position of the sums that one cell says for several rows."""

    def read(self, number: int, raw: Sequence[Any]) -> tuple[Row, list[Fault]] | None:
        """The row and its faults; None for a row that is no data."""
        if not self.is_plain(raw) and self.is_noise(raw):
            return None
        row, faults, width = Row(self.place.sheet, number, dict(self.absent)), [], len(raw)
        for column, position in self.columns:
            cell = raw[position] if position < width else ""
            known = self.known[column.title]
            if self.merged and (number, position) in self.merged and cell not in {"", None}:
                row.values[column.title] = None
                faults.append(Fault(row.sheet, number, column.title, MERGED))
                continue
            if type(cell) is str and cell in known:
                row.values[column.title] = known[cell]
                continue
            value, sentence = _converted(column, cell)
            row.values[column.title] = value
            if sentence:
                faults.append(Fault(row.sheet, number, column.title, sentence))
            elif type(cell) is str:
                if len(known) >= REMEMBERED:
                    known.clear()
                known[cell] = value
        return row, faults

    def is_plain(self, raw: Sequence[Any]) -> bool:
        """Whether a row is data at first sight: every required cell filled, nothing odd in front.

        A quicker no of :meth:`is_noise`; what it is not sure of, that one decides.
        """
        first = raw[0] if raw else ""
        if type(first) is not str:
            return False
        if first not in self.plain_starts:
            if len(self.plain_starts) >= REMEMBERED:
                self.plain_starts.clear()
            text = cells.text(first)
            odd = not text or TOTAL.fullmatch(text) or SIGNATURE.match(text)
            self.plain_starts[first] = not odd and _plain(first) not in self.header
        return self.plain_starts[first] and all(
            at < len(raw) and known.get(raw[at]) is not None for at, known in self.needed
        )

    def is_noise(self, raw: Sequence[Any]) -> bool:
        """Whether a row is no data; a formula that failed beside the table makes it none."""
        seen = [
            cell if at in self.used or not _is_error(cell) else "" for at, cell in enumerate(raw)
        ]
        return _is_noise(seen, self.header, self.required, self.ordinals)


def _converted(column: Column, value: Any) -> tuple[Any, str]:
    """What a cell means, and the sentence that says why it means nothing."""
    plain = "" if value is None else unicodedata.normalize("NFKC", cells.text(value))
    if plain in NOTHING:
        return None, "不能空着，请填写。" if column.required else ""
    if plain.replace(" ", "") in SAME:
        return None, f"“{plain}”请改成实际的内容，系统不看上一行。"
    if plain == cells.NO_RESULT:
        return None, (
            "这一格是公式，文件里没有它的结果。请用 Excel 或 WPS 打开，保存后再传；"
            "还不行就改成数值。"
        )
    if cells.FORMULA_ERROR.fullmatch(plain):
        return None, f"“{plain}”是公式出错的结果，请改成实际的内容；没有就清空这一格。"
    try:
        return cells.READERS[column.kind](value), ""
    except ValueError as error:
        return None, str(error)


def _is_noise(
    raw: Sequence[Any], header: list[str], required: list[int], ordinals: set[int]
) -> bool:
    """Blank, numbered but empty, a repeated header, a total or a signature row."""
    filled = [(index, cells.text(cell)) for index, cell in enumerate(raw) if cell not in {"", None}]
    filled = [(index, found) for index, found in filled if found]
    if not filled or all(index in ordinals for index, _ in filled):
        return True
    if len(raw) == len(header) and all(map(_is_title, raw, header)):
        return True
    place, first = filled[0]
    named = sum(1 for at, found in filled if at in required and not SIGNATURE.match(found))
    if TOTAL.fullmatch(first) and (place in required or named < len(required)):
        return True  # a row with all that it needs was typed over the 合计 of our template
    if SIGNATURE.match(first) and named < len(required):
        return True
    if named > len(required) // 2:
        return False
    if named:  # a remark beside somebody's name makes it no footer
        filled = filled[:1]
    return any(TOTAL.fullmatch(found) or FOOTER.match(found) for _, found in filled)


def _is_error(cell: Any) -> bool:
    return type(cell) is str and (
        cell == cells.NO_RESULT or cells.FORMULA_ERROR.fullmatch(cell) is not None
    )


def _is_title(cell: Any, plain: str) -> bool:
    return _plain(cell) == plain


def _plain(title: Any) -> str:
    """A title without blanks, marks and the notes in brackets: 预算金额（元）* → 预算金额元."""
    found = unicodedata.normalize("NFKC", str(title))
    found = re.sub(r"\((必填|选填|可不填|可空)\)", "", found)
    return re.sub(r"[\s*:()/\[\]【】]", "", found)


ERROR_TITLE = "错误说明"
"""The column that shared.documents.faults adds; a corrected report may come back with it."""
