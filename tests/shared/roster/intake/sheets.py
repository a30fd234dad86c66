"""Roster workbooks of a small county, as the office of 421222 lays them out."""

from typing import Any

from tests.shared.documents import books

HEADER = [
    "序号",
    "乡镇",
    "村社区",
    "村代码",
    "网格名称",
    "网格编码",
    "户数",
    "姓名",
    "性别",
    "身份证号",
    "手机号",
    "岗位",
    "用工形式",
    "政治面貌",
    "到岗日期",
    "备注",
]
TOWN = ("隽水镇", "雁塔社区居委会", "421222100001")
VILLAGE = ("隽水镇", "石南村委会", "421222100200")
FOOTER = ["制表人：", "", "", "", "审核人："]

Cells = dict[str, Any]


def person(
    name: str,
    phone: str,
    role: str = "网格员",
    grid: int | None = 1,
    place: tuple[str, str, str] = TOWN,
    **cells: Any,
) -> Cells:
    """One row; grid None leaves the grid columns blank."""
    township, village, code = place
    row: Cells = {
        "乡镇": township,
        "村社区": village,
        "村代码": code,
        "网格名称": "" if grid is None else f"{village[:4]}第{grid}网格",
        "网格编码": "" if grid is None else f"{code}{grid:03d}",
        "户数": "" if grid is None else 100 + grid,
        "姓名": name,
        "性别": "男",
        "身份证号": "421222199001011239",
        "手机号": phone,
        "岗位": role,
        "用工形式": "合同制",
        "政治面貌": "群众",
        "到岗日期": "2026-01-01",
    }
    return row | cells


def instructor(name: str, phone: str, **cells: Any) -> Cells:
    """Township staff: only the township's name."""
    blank = {"村社区": "", "村代码": "", "用工形式": "在编干部"}
    return person(name, phone, "网格指导员", None, **(blank | cells))


def staff() -> list[Cells]:
    """Eight people of one township: instructor, chief, two leads, four gridworkers."""
    return [
        instructor("尹玉梅", "17731300632"),
        person("余伟", "13649782844", "总网格长", None, 用工形式="村干部兼任"),
        person("郑志强", "15007955994", "网格长", 1, 用工形式="村干部兼任"),
        person("汪春花", "19990951662", "网格长", 2, 用工形式="村干部兼任"),
        person("欧阳金山", "18064884206", grid=1),
        person("苏建国", "18040103282", grid=2),
        person("卢立新", "13550329386", grid=1, place=VILLAGE),
        person("仇桂兰", "18929602030", grid=2, place=VILLAGE),
    ]


def rows(people: list[Cells], header: list[str] | None = None) -> list[list[Any]]:
    """The whole sheet with title and signature rows; data begins in row 4."""
    titles = header or HEADER
    return [
        ["通城县网格员花名册（2026年11月）"],
        ["填报单位：中共通城县委组织部", "", "", "填报日期：2026年11月20日"],
        titles,
        *([number, *(cells.get(title, "") for title in titles[1:])]
          for number, cells in enumerate(people, 1)),
        [],
        FOOTER,
    ]  # fmt: skip


def workbook(people: list[Cells], header: list[str] | None = None) -> bytes:
    return books.xlsx(rows(people, header))


def divisions() -> bytes:
    """The two villages, as the national divisions file writes them."""
    lines = ["county_code,county,township_code,township,village_code,village"]
    for township, village, code in (TOWN, VILLAGE):
        lines.append(f"421222,通城县,{code[:9]},{township},{code},{village}")
    return ("\n".join(lines) + "\n").encode()
