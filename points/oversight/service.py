"""异常线索: what of a month an auditor should look at. Nothing follows from a clue by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from points.oversight import queries, rules
from points.oversight.schemas import Clue, Found
from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.documents.excel import Column, Sheet, file_name, stamp, workbook
from shared.errors import Invalid, NotFound
from shared.identity import sessions
from shared.identity.access import Action, reach
from shared.identity.actor import Actor
from shared.months import month_cn
from shared.plan_queries import planned_each_time
from shared.roster import service as roster

NAME = "异常线索"
NOTE = (
    "这里只列事实，是线索，不是结论。系统不据此办理任何事项，也不计入考核；"
    "请看明细，听本人和村里说明。"
)
Ask = Callable[[int, Sequence[str], str], Awaitable[Sequence[Clue]]]
KINDS: tuple[tuple[str, str, Ask], ...] = (
    (
        "同一人在同一家店兑换多",
        (
            f"不少于 {rules.PAIR_TIMES} 笔；或者占该店积分的 {rules.SHARE}% 以上，"
            f"该店不少于 {rules.SHOP_TIMES} 笔。"
        ),
        queries.pairs,
    ),
    ("店里的人在本店兑换", "兑换当天是这家店的店主或店员。", queries.own_shop),
    (
        "撤销多的店",
        f"撤销不少于 {rules.UNDONE_TIMES} 笔，占兑换的 {rules.UNDONE_SHARE}% 以上。",
        queries.undone,
    ),
    (
        "库存改数多的店",
        f"盘盈、盘亏和破损出库合计不少于 {rules.PIECES} 件。",
        queries.corrected,
    ),
    (
        "月底集中补记",
        (
            "自己用手机记的，到做事当月最后两天或次月才记的"
            f"不少于 {rules.LATE_TIMES} 条、占 {rules.LATE_SHARE}% 以上。"
        ),
        queries.late,
    ),
    (
        "内容相同的记录多",
        f"同一人、同一规则、同样的话，不少于 {rules.SAME_TIMES} 条。",
        queries.same,
    ),
    (
        "全部通过、核实很快",
        f"不少于 {rules.PASSED_TIMES} 条而没有退回；或者一分钟内不少于 {rules.MINUTE_TIMES} 条。",
        queries.answered,
    ),
    (
        "代录和核实集中在两个人",
        f"同一村两个人，一人代录、一人核实，不少于 {rules.PAPER_TIMES} 条。",
        queries.paper,
    ),
)
"""Title, from where on something counts, and who answers it, in the order of the page."""


async def look(actor: Actor, month: str) -> list[Found]:
    """Every kind with its clues in the actor's units, also the kinds without any."""
    codes = reach(actor, Action.AUDIT_READ)
    async with planned_each_time():
        return [
            Found(title, condition, await ask(actor.county_id, codes, month))
            for title, condition, ask in KINDS
        ]


async def export(actor: Actor, month: str, purpose: str, now: datetime) -> tuple[str, bytes]:
    """The same as Excel. Raises NotFound, ConfirmFirst (give the password again), Invalid."""
    if not reach(actor, Action.AUDIT_READ):
        raise NotFound
    sessions.require_confirmed(actor, now)
    if not purpose.strip():
        raise Invalid("请写明导出的用途。", {"purpose": "请写明导出的用途。"})
    found = await look(actor, month)
    rows = [(kind.title, clue.place, clue.sentence) for kind in found for clue in kind.clues]
    settings = await settings_county.get(actor.county_id)
    county = await roster.unit_name(actor.county_id, actor.county_code)
    sheet = Sheet(
        name=NAME,
        title=f"{county}{NAME}（{month_cn(month)}）",
        unit=settings.department_name,
        on=today(now),
        columns=(Column("类别", width=22), Column("单位", width=22), Column("事实", width=90)),
        rows=rows,
        notes=(NOTE, *(f"{kind.title}：{kind.condition}" for kind in found)),
    )
    await audit.log_export(actor, NAME, purpose.strip(), len(rows), now)
    content = await asyncio.to_thread(workbook, sheet, taken=stamp(actor.name, now))
    return file_name(f"{county}{NAME}", month, now), content
