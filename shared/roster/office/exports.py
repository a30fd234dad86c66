"""The roster as a workbook: the same headers as the import reads, and a hidden id column.

What is exported, changed and imported again is recognised row by row; an unchanged export
imported again changes nothing.
"""

import asyncio
from datetime import datetime

from shared.audit import service as audit
from shared.clock import today
from shared.documents.excel import Column, Sheet, file_name, stamp, workbook
from shared.errors import NotFound
from shared.identity.access import Action, Target, reach, require, whole_county
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.months import month_cn
from shared.roster import phones
from shared.roster import service as roster
from shared.roster.intake.columns import ID_TITLE, IMPORTABLE
from shared.roster.office import queries
from shared.roster.office.schemas import ExportRow
from shared.roster.roles import EMPLOYMENT_NAMES, ROLE_NAMES, Role
from shared.roster.schemas import UnitRow
from shared.settings_county import get as county_settings

COLUMNS = (
    Column("乡镇"),
    Column("村社区", width=18),
    Column("村代码", width=15),
    Column("网格名称", width=20),
    Column("网格编码", width=18),
    Column("户数", kind="number", width=7),
    Column("姓名", width=10),
    Column("手机号", kind="phone", width=14),
    Column("岗位", choices=tuple(ROLE_NAMES[role] for role in Role if role in IMPORTABLE)),
    Column("用工形式", width=13, choices=tuple(EMPLOYMENT_NAMES.values())),
    Column("专职兼职", width=9, choices=("专职", "兼职")),
    Column("政治面貌", width=10),
    Column("到岗日期", kind="date"),
    Column(ID_TITLE, width=36, hidden=True),
)
TEMPLATE_NOTES = (
    "填写说明：姓名、手机号、岗位、用工形式必填；手机号一人一个，兼两种岗位的写两行。",
    "村代码 12 位，网格编码 15 位（村代码加 3 位）；网格指导员只填乡镇。",
    "身份证号、性别不用填，系统不保存。",
)


async def roster_file(actor: Actor, code: str, purpose: str, now: datetime) -> tuple[str, bytes]:
    """File name and workbook of a subtree; phones masked, logged.

    Raises ConfirmFirst, NotFound.
    """
    code = code or actor.county_code
    require(actor, Action.EXPORT, Target(unit_code=code))
    require(actor, Action.ROSTER_VIEW, Target(unit_code=code))
    require_confirmed(actor, now)
    units = {unit.code: unit for unit in await roster.units_below(actor.county_id, code)}
    if code not in units:
        raise NotFound
    rows = await queries.rows(actor.county_id, [code], sorted(IMPORTABLE))
    for length in (6, 9, 12):
        if length < len(code) and (
            above := await roster.unit_by_code(actor.county_id, code[:length])
        ):
            units[above.code] = above
    name = units[code].name
    cells, taken = [_cells(row, units) for row in rows], stamp(actor.name, now)
    content = await _workbook(actor, name, now, cells, taken=taken)
    await audit.log_export(actor, "网格员花名册", purpose, len(rows), now, unit_code=code)
    return file_name(f"{name}网格员花名册", f"{today(now):%Y-%m}", now), content


async def template_file(actor: Actor, now: datetime) -> tuple[str, bytes]:
    """An empty workbook to fill in."""
    if not reach(actor, Action.ROSTER_IMPORT):
        require(actor, Action.ROSTER_IMPORT, whole_county(actor.county_id))
    content = await _workbook(actor, "", now, [], notes=TEMPLATE_NOTES)
    return "网格员花名册导入模板.xlsx", content


async def _workbook(
    actor: Actor,
    name: str,
    now: datetime,
    rows: list[tuple[object, ...]],
    notes: tuple[str, ...] = (),
    taken: str = "",
) -> bytes:
    settings = await county_settings(actor.county_id)
    day = today(now)
    return await asyncio.to_thread(
        workbook,
        Sheet(
            name="网格员花名册",
            title=f"{name}网格员花名册（{month_cn(day)}）",
            unit=settings.department_name,
            on=day,
            columns=COLUMNS,
            rows=rows,
            notes=notes,
        ),
        taken=taken,
    )


def _cells(row: ExportRow, units: dict[str, UnitRow]) -> tuple[object, ...]:
    code = row.unit_code
    grids = (code,) * (len(code) == 15)
    if row.role is Role.LEAD:  # a merged grid that the row still names would come back to life
        grids = tuple(grid for grid in row.grids if units[grid].closed_on is None)
    grid = units.get(grids[0]) if len(grids) == 1 else None
    village = units.get(code[:12]) if len(code) >= 12 else None
    township = units.get(code[:9]) if len(code) >= 9 else None
    return (
        township.name if township else "",
        village.name if village else "",
        code[:12],
        grid.name if grid else "",
        "、".join(grids),
        grid.households if grid else None,
        row.name,
        phones.open_(row.phone_cipher),
        ROLE_NAMES[row.role],
        EMPLOYMENT_NAMES[row.employment_type],
        "专职" if row.full_time else "兼职",
        row.political or "",
        row.valid_from,
        str(row.assignment_id),
    )
