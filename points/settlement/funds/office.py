"""The office's list of resolutions (funds.xlsx), read into funds.

Nothing is written while a cell is wrong; a dry run is the real path, rolled back. A resolution
that is known changes nothing; the same number with another date or amount is a fault, because a
resolution is a signed paper.
"""

from datetime import date, datetime

from points import imports
from points.imports import Imported, Run
from points.settlement import rules
from points.settlement.funds import queries, service
from points.settlement.funds.schemas import ResolutionForm
from shared.clock import today
from shared.documents.read import Column, Row, Table
from shared.errors import Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.roles import UnitKind
from shared.roster.rules import county_code
from shared.roster.schemas import UnitRow

COLUMNS = (
    Column("村代码", "code", required=True, aliases=("单位代码", "代码", "村社区代码")),
    Column("村社区", aliases=("村", "社区", "单位", "村名称")),
    Column("资金来源", required=True, aliases=("来源", "资金归属")),
    Column("决议文号", required=True, aliases=("文号", "决议编号", "决议号")),
    Column("决议日期", "date", required=True, aliases=("日期", "通过日期")),
    Column(
        "预算金额元",
        "yuan",
        required=True,
        aliases=("预算金额", "金额元", "金额", "预算元"),
        alone=True,
    ),
)


async def import_funds(
    actor: Actor | None,
    county_id: int,
    data: bytes,
    name: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Imported:
    """Read a list of resolutions. Raises BadFile; wrong cells are faults of the result."""
    if actor:
        require(actor, Action.FUND_EDIT, whole_county(county_id))
    return await imports.run(
        actor, county_id, "funds", COLUMNS, (name, data), _import, now, dry_run=dry_run
    )


async def _import(run: Run) -> None:
    forms = await _forms(run)
    if run.table.faults:
        return
    total = opened = 0
    for form in forms:
        resolved = await service.resolve(run.actor, run.county_id, form, run.now)
        opened += resolved.opened
        total += form.amount_fen
        run.result.add(f"{form.unit_code}：{form.number}，{form.amount_fen / 100:.2f} 元")
    if forms:
        run.result.lines.append(f"新立资金 {opened} 笔，预算合计 {total / 100:.2f} 元")


async def _forms(run: Run) -> list[ResolutionForm]:
    """The resolutions that are new; a wrong line becomes a fault, a known one is only counted."""
    county_id, table = run.county_id, run.table
    units = {
        unit.code: unit for unit in await roster.units_below(county_id, county_code(county_id))
    }
    forms: list[ResolutionForm] = []
    seen: set[tuple[str, str]] = set()
    for row in table.rows:
        form = _form(row, table, units, today(run.now))
        if form is None:
            continue
        key = (form.unit_code, rules.paper_key(form.number))
        if key in seen:
            table.fault(row, "决议文号", "文件里有两行相同的文号，请核对。")
        elif await _known(county_id, form, row, table):
            run.result.same += 1
        else:
            forms.append(form)
        seen.add(key)
    return sorted(forms, key=lambda form: (-len(form.unit_code), form.unit_code, form.resolved_on))


def _form(row: Row, table: Table, units: dict[str, UnitRow], on: date) -> ResolutionForm | None:
    code, source = row["村代码"], row["资金来源"]
    if None in {code, source, row["决议文号"], row["决议日期"], row["预算金额元"]}:
        return None
    unit = units.get(code)
    if unit is None or unit.kind == UnitKind.GRID:
        table.fault(row, "村代码", f"名册里没有代码为 {code} 的村（社区），请核对。")
        return None
    if row["村社区"] and row["村社区"] != unit.name:
        table.fault(row, "村社区", f"代码 {code} 是“{unit.name}”，与这里写的名称不同，请核对。")
        return None
    try:
        owner = rules.fund_owner(code, source)
        form = ResolutionForm(
            unit_code=owner,
            number=row["决议文号"],
            resolved_on=row["决议日期"],
            amount_fen=row["预算金额元"],
        )
        service.checked(form, on)
    except ValueError as error:
        table.fault(row, "资金来源", str(error))
        return None
    except Invalid as error:
        for field, sentence in error.fields.items():
            table.fault(row, TITLES[field], sentence)
        return None
    return form


async def _known(county_id: int, form: ResolutionForm, row: Row, table: Table) -> bool:
    """Whether this resolution is registered; another one of its number is a fault."""
    fund_id = await queries.fund_of_unit(county_id, form.unit_code)
    known = await service.alike(county_id, fund_id, form.number) if fund_id else None
    if known is None:
        return False
    if (known.resolved_on, known.stands_fen) == (form.resolved_on, form.amount_fen):
        return True
    table.fault(
        row,
        "决议文号",
        f"文号“{known.number}”已登记为 {known.resolved_on}、{known.stands_fen / 100:.2f} 元，"
        "与本行不同。追加预算请用新的决议文号；登记错了请在资金页更正。",
    )
    return False


TITLES = {
    "number": "决议文号",
    "resolved_on": "决议日期",
    "amount_fen": "预算金额元",
    "unit_code": "村代码",
}
