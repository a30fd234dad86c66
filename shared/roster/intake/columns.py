"""The columns of a roster workbook and what their cells may say."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

from shared.dates import chinese_date
from shared.documents import cells
from shared.documents.errors import BadFile
from shared.documents.read import Column, Row, Table, read_table
from shared.roster import phones
from shared.roster.intake.schemas import Division, Divisions, Entry
from shared.roster.roles import EMPLOYMENT_NAMES, ROLE_NAMES, Employment, Role
from shared.roster.rules import county_code

ID_TITLE = "任职编号"
"""The hidden column of our export: a row that carries it is known whatever else changed."""
COLUMNS = (
    Column(ID_TITLE),
    Column("乡镇", aliases=("乡镇街道", "所属乡镇", "乡镇名称", "街道", "镇乡")),
    Column("村社区", aliases=("村", "社区", "村居", "行政村", "村社区名称", "村名", "所属村社区")),
    Column(
        "村代码", "code", aliases=("村社区代码", "村编码", "区划代码", "行政区划代码", "单位代码")
    ),
    Column("网格名称", aliases=("网格", "所属网格")),
    Column("网格编码", "code", aliases=("网格代码", "网格编号")),
    Column("户数", "integer", aliases=("居民户数", "总户数", "网格户数")),
    Column("姓名", "name", required=True),
    Column(
        "手机号",
        "code",
        required=True,
        aliases=("手机号码", "手机", "联系电话", "电话", "联系方式", "电话号码"),
    ),
    Column("岗位", required=True, aliases=("岗位名称", "职务", "网格岗位")),
    Column("用工形式", required=True, aliases=("用工性质", "用工类型", "用工方式")),
    Column("专职兼职", aliases=("专兼职", "专职或兼职", "是否专职")),
    Column("政治面貌"),
    Column(
        "到岗日期", "date", aliases=("到岗时间", "任职日期", "任职时间", "上岗日期", "上岗时间")
    ),
)
DROPPED = ("性别", "身份证号", "身份证号码", "身份证", "公民身份号码", "公民身份证号")
"""Recognised and not kept: the product has no use for them (PIPL 6)."""
MAX_ROWS = 20_000

ROLES = {name: role for role, name in ROLE_NAMES.items()} | {
    "网格长(村两委)": Role.LEAD,
    "专职网格员": Role.GRIDWORKER,
    "兼职网格员": Role.GRIDWORKER,
    "指导员": Role.INSTRUCTOR,
    "监委会成员": Role.SUPERVISOR,
    "村监委会成员": Role.SUPERVISOR,
    "两委": Role.COMMITTEE,
    "会计": Role.ACCOUNTANT,
    "人民调解员": Role.MEDIATOR,
}
REFUSED = {
    Role.SHOPKEEPER: "店主请用“积分超市名录”导入，不写在网格员花名册里。",
    Role.DEPARTMENT: "组织部人员由系统管理员在账号页面设置，不能从花名册导入。",
    Role.AUDITOR: "审计人员由系统管理员在账号页面设置，不能从花名册导入。",
    Role.ADMIN: "系统管理员不能从花名册导入。",
}
IMPORTABLE = frozenset(Role) - REFUSED.keys()
EMPLOYMENTS = {name: kind for kind, name in EMPLOYMENT_NAMES.items()} | {
    "合同": Employment.CONTRACT,
    "合同工": Employment.CONTRACT,
    "劳动合同": Employment.CONTRACT,
    "派遣": Employment.DISPATCHED,
    "劳务派遣制": Employment.DISPATCHED,
    "政府购买": Employment.PURCHASED,
    "购买服务": Employment.PURCHASED,
    "村补贴": Employment.VILLAGE_PAID,
    "村级补贴": Employment.VILLAGE_PAID,
    "村干部": Employment.CADRE,
    "村干兼任": Employment.CADRE,
    "志愿": Employment.VOLUNTEER,
    "在编": Employment.OFFICIAL,
    "公务员": Employment.OFFICIAL,
}
FULL_TIME = {"专职": True, "是": True, "兼职": False, "否": False}
PERSON_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffffA-Za-z·. ]{1,30}")
MASKED_PHONE = re.compile(r"1\d\d\*{4}\d{4}")
VILLAGE_CODE = re.compile(r"\d{12}")
UPPER_CODE = re.compile(r"\d{6}|\d{9}|\d{12}")
CODE_SHAPES = {
    Role.INSTRUCTOR: UPPER_CODE,
    Role.AGENCY: UPPER_CODE,
    Role.TRAINER: UPPER_CODE,
    Role.MEDIATOR: re.compile(r"\d{9}|\d{12}"),
}
"""Whose posts stand above a village as well; our export writes the post's unit there."""
GRID_CODE = re.compile(r"\d{15}")
SEPARATORS = re.compile(r"[、,，;；/]+")
MAX_TEXT = 60
MAX_HOUSEHOLDS = 100_000
EARLIEST = date(1950, 1, 1)
AHEAD = timedelta(days=366)

DIVISION_COLUMNS = (
    Column("county_code", "code", required=True, aliases=("县代码", "县编码")),
    Column("county", aliases=("县", "县名", "县名称")),
    Column("township_code", "code", required=True, aliases=("乡镇代码", "乡镇编码")),
    Column("township", required=True, aliases=("乡镇", "乡镇名称")),
    Column("village_code", "code", required=True, aliases=("村代码", "村编码")),
    Column("village", required=True, aliases=("村", "村社区", "村名", "村名称")),
)


def read_roster(data: bytes, name: str) -> Table:
    """The table of a roster workbook. Raises BadFile."""
    table = read_table(data, name, COLUMNS, dropped=DROPPED)
    if len(table.rows) > MAX_ROWS:
        raise BadFile(f"一次最多导入 {MAX_ROWS} 人。请按乡镇拆成几个文件再传。")
    if not table.has("村代码") and not table.has("网格编码"):
        raise BadFile("表头里没有“村代码”，也没有“网格编码”。请补上单位代码的列后再传。")
    return table


def read_divisions(data: bytes, name: str, county_id: int) -> Divisions:
    """The villages of one county out of a divisions file. Raises BadFile."""
    table = read_table(data, name, DIVISION_COLUMNS)
    county = county_code(county_id)
    rows = [row for row in table.rows if row["county_code"] == county]
    if table.faults:
        raise BadFile(f"区划表有错：{table.sentences(1)[0]}")
    if not rows:
        raise BadFile(f"区划表里没有代码为 {county} 的县，请核对 --county 和区划表。")
    for row in rows:
        if not (row["village_code"].startswith(row["township_code"]) and
                row["township_code"].startswith(county) and
                VILLAGE_CODE.fullmatch(row["village_code"])):  # fmt: skip
            raise BadFile(f"区划表{table.where(row)}的代码不成上下级，请核对。")
    return Divisions(
        county=rows[0]["county"] or "",
        villages=tuple(
            Division(row["township_code"], row["township"], row["village_code"], row["village"])
            for row in rows
        ),
    )


def read_entries(table: Table, county_id: int, today: date) -> list[Entry]:
    """The rows whose own cells are right; what is wrong with the others is in table.faults."""
    _refuse_repeated_phones(table)
    _refuse_repeated_ids(table)
    faulty = {(fault.sheet, fault.row) for fault in table.faults}
    entries = []
    for line, row in enumerate(table.rows):
        reader = _Reader(table, row, county_id, today)
        reader.sound = (row.sheet, row.number) not in faulty
        if entry := reader.entry(line):
            entries.append(entry)
    return entries


def _refuse_repeated_phones(table: Table) -> None:
    """A phone belongs to one person; a fault of every row that has it.

    Rows of our own export may repeat one, and those of one name in two kinds of post: cadres often
    hold two.
    """
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        with suppress(ValueError):
            if row["手机号"] is not None and row[ID_TITLE] is None:
                rows[cells.phone(row["手机号"])].append(row)
    for same in rows.values():
        for row in same:
            others = "、".join(
                table.where(other)
                for other in same
                if other is not row
                and (other["姓名"] != row["姓名"] or other["岗位"] == row["岗位"])
            )
            if others:
                table.fault(row, "手机号", f"与{others}的手机号相同，一个号码只能登记一个人。")


def _refuse_repeated_ids(table: Table) -> None:
    """A row copied to add somebody brings the hidden id along, and would be the other person."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        if row[ID_TITLE] is not None:
            rows[row[ID_TITLE].lower()].append(row)
    for same in rows.values():
        for row in same:
            if others := "、".join(table.where(other) for other in same if other is not row):
                sentence = f"与{others}的编号相同。复制出来加新人的那一行，请清空这一格。"
                table.fault(row, ID_TITLE, sentence)


class _Reader:
    """Reads one row; ``sound`` turns false with the first fault."""

    def __init__(self, table: Table, row: Row, county_id: int, today: date) -> None:
        self.table = table
        self.row = row
        self.county_id = county_id
        self.county = county_code(county_id)
        self.today = today
        self.sound = True

    def entry(self, line: int) -> Entry | None:
        """Every check runs, so that the report names all faults of a row at once."""
        row = self.row
        role, full_time = self._role(), self._full_time()
        employment = self._choice("用工形式", EMPLOYMENTS)
        phone = self._phone()
        tenure_id = self._tenure_id()
        village_code = self._village_code(role)
        grids = self._grids(role, village_code)
        self._check_texts()
        self._check_date()
        if not self.sound or role is None or employment is None:
            return None
        if phone is None and tenure_id is None:
            self._fault("手机号", "手机号不完整，请填写全部 11 位数字。")
            return None
        return Entry(
            line=line,
            name=row["姓名"],
            phone=phone,
            fingerprint=phones.fingerprint(self.county_id, phone) if phone else None,
            role=role,
            employment=employment,
            full_time=full_time,
            political=row["政治面貌"],
            valid_from=row["到岗日期"],
            township=row["乡镇"],
            village=row["村社区"],
            village_code=village_code or (grids[0][:12] if grids else None),
            grid_name=row["网格名称"],
            grids=grids,
            households=row["户数"],
            tenure_id=tenure_id,
        )

    def _fault(self, column: str, sentence: str) -> None:
        self.table.fault(self.row, column, sentence)
        self.sound = False

    def _choice(self, column: str, names: dict[str, Employment]) -> Employment | None:
        found = self.row[column]
        if found is None:
            return None
        choice = names.get(_compact(found))
        if choice is None:
            known = "、".join(EMPLOYMENT_NAMES.values())
            self._fault(column, f"没有“{cells.shown(found)}”这种{column}，应为：{known}。")
        return choice

    def _role(self) -> Role | None:
        found = self.row["岗位"]
        if found is None:
            return None
        role = ROLES.get(_compact(found))
        if role is None:
            known = "、".join(ROLE_NAMES[item] for item in Role if item in IMPORTABLE)
            self._fault("岗位", f"没有“{cells.shown(found)}”这种岗位，应为：{known}。")
        elif role in REFUSED:
            self._fault("岗位", REFUSED[role])
        return role

    def _full_time(self) -> bool | None:
        found = self.row["专职兼职"]
        if found is None:
            role = self.row["岗位"] or ""
            return FULL_TIME.get(_compact(role)[:2]) if "职网格员" in role else None
        full_time = FULL_TIME.get(_compact(found))
        if full_time is None:
            self._fault("专职兼职", f"应为“专职”或“兼职”，现在是“{cells.shown(found)}”。")
        return full_time

    def _phone(self) -> str | None:
        found = self.row["手机号"]
        if found is None or MASKED_PHONE.fullmatch(found):
            return None
        try:
            return cells.phone(found)
        except ValueError as error:
            self._fault("手机号", str(error))
            return None

    def _tenure_id(self) -> UUID | None:
        found = self.row[ID_TITLE]
        if found is None:
            return None
        try:
            return UUID(found)
        except ValueError:
            self._fault(ID_TITLE, "编号被改动过。请清空这一格，或重新导出花名册再修改。")
            return None

    def _village_code(self, role: Role | None) -> str | None:
        found: str | None = self.row["村代码"]
        if found is None:
            return None
        shape = CODE_SHAPES.get(role, VILLAGE_CODE) if role else VILLAGE_CODE
        if not shape.fullmatch(found):
            self._fault("村代码", f"村代码应为 12 位数字，现在是“{cells.shown(found)}”。")
        elif not found.startswith(self.county):
            self._fault("村代码", f"村代码 {found} 不属于本县（{self.county}）。")
        else:
            return found
        return None

    def _grids(self, role: Role | None, village_code: str | None) -> tuple[str, ...]:
        found = self.row["网格编码"]
        if found is None:
            if role is Role.GRIDWORKER:
                self._fault("网格编码", "网格员须填写网格编码。")
            return ()
        codes = tuple(sorted({code for code in SEPARATORS.split(found) if code}))
        if role is not Role.LEAD and len(codes) > 1:
            self._fault("网格编码", "只有网格长可以写几个网格编码，其他岗位一行只写一个。")
        for code in codes:
            if not GRID_CODE.fullmatch(code):
                self._fault(
                    "网格编码",
                    f"网格编码应为 15 位数字（村代码加 3 位），现在是“{cells.shown(code)}”。",
                )
            elif not code.startswith(self.county):
                self._fault("网格编码", f"网格编码 {code} 不属于本县（{self.county}）。")
            elif village_code and not code.startswith(village_code[:12]):
                self._fault("网格编码", f"网格编码 {code} 不在村代码 {village_code} 之下。")
                self._fault("村代码", f"村代码与网格编码 {code} 对不上，请核对是哪一个错了。")
            elif not code.startswith(codes[0][:12]):
                self._fault("网格编码", "一个网格长的几个网格须在同一个村。")
        return codes

    def _check_texts(self) -> None:
        name = self.row["姓名"]
        if name is not None and not PERSON_NAME.fullmatch(name):
            self._fault(
                "姓名", f"“{cells.shown(name)}”不像姓名：只能有汉字、字母和间隔号，最多 30 个字。"
            )
        for column in ("乡镇", "村社区", "网格名称", "政治面貌"):
            found = self.row[column]
            if found is not None and len(found) > MAX_TEXT:
                self._fault(column, f"太长了，最多 {MAX_TEXT} 个字。")
        households = self.row["户数"]
        if households is not None and households > MAX_HOUSEHOLDS:
            self._fault("户数", f"户数 {households} 太大了，请核对。")

    def _check_date(self) -> None:
        day = self.row["到岗日期"]
        if day is not None and not EARLIEST <= day <= self.today + AHEAD:
            self._fault(
                "到岗日期", f"到岗日期{chinese_date(day)}不合常理，请核对（最多可提前一年登记）。"
            )


def _compact(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def county_name_of(table: Table) -> str | None:
    """The county's name out of the title rows: 通城县网格员花名册 → 通城县."""
    for place in table.places:
        for row in table.grids[place.sheet].rows[: place.header]:
            for cell in row:
                if match := re.search(r"([\u4e00-\u9fff]{1,8}?[县市区旗])", str(cell)):
                    return match[1].removeprefix("中共")
    return None


def columns_note(table: Table) -> Sequence[str]:
    """What was not kept, for the report."""
    notes = []
    if table.dropped:
        notes.append(f"不保存的个人信息列（读后即弃）：{'、'.join(table.dropped)}。")
    if table.unknown:
        notes.append(f"不认识、没有导入的列：{'、'.join(table.unknown)}。")
    if note := table.hidden_note():
        notes.append(note)
    return notes
