"""What the system keeps about oneself, for reading and taking away (self-service export).

Identity and roster answer here; a service adds its own sections through ``app.state.own_data``,
because shared knows neither points nor appraisal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from shared import settings_county
from shared.audit import service as audit
from shared.clock import today
from shared.documents.excel import Column, Sheet, stamp, workbook
from shared.identity import queries
from shared.identity.actor import Actor
from shared.retention.registry import PERSON, SIGN_IN
from shared.roster import service as roster
from shared.roster.roles import EMPLOYMENT_NAMES, role_names
from shared.web.filters import date_cn

WIDE = 24.0


class Section(msgspec.Struct, frozen=True):
    """A titled table; why it is kept and how long stands under the title."""

    title: str
    purpose: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def records(self) -> list[list[tuple[str, str]]]:
        """Each row with its heads, as a phone shows it."""
        return [list(zip(self.heads, row, strict=True)) for row in self.rows]


Contributor = Callable[[Actor], Awaitable[Section]]


async def sections(actor: Actor, more: Sequence[Contributor], now: datetime) -> list[Section]:
    """Everything about the actor, in reading order."""
    own = [await _person(actor), await _posts(actor), await _sign_ins(actor, now)]
    return [*own, *[await contribute(actor) for contribute in more]]


async def export(
    actor: Actor, more: Sequence[Contributor], now: datetime, department: str
) -> bytes:
    """The same as an Excel file, one sheet a section."""
    found = await sections(actor, more, now)
    rows = sum(len(section.rows) for section in found)
    await audit.log_export(actor, "本人资料", "本人下载", rows, now, about_id=actor.person_id)
    return await asyncio.to_thread(
        workbook,
        *(
            Sheet(
                name=section.title,
                title=section.title,
                unit=department,
                on=today(now),
                columns=tuple(Column(head, width=WIDE) for head in section.heads),
                rows=section.rows,
                notes=(section.purpose,),
                signatures=(),
            )
            for section in found
        ),
        taken=stamp(actor.name, now),
    )


async def _person(actor: Actor) -> Section:
    card = await roster.person(actor.county_id, actor.person_id)
    phone = await roster.phone_of(actor.county_id, actor.person_id)
    rows = [("姓名", actor.name), ("手机号", phone or "")]
    if card is not None:
        rows.append(("用工形式", EMPLOYMENT_NAMES[card.employment_type]))
        rows.append(("专职或兼职", "专职" if card.full_time else "兼职"))
        rows.append(("政治面貌", card.political or "未登记"))
    purpose = (
        "用于任职管理和登录；手机号加密保存，别人只看到中间打星的号码。离任 90 天后停止登录，"
        f"姓名、手机号、政治面貌保存到{PERSON.term}。"
    )
    return Section("个人信息", purpose, ("项目", "内容"), tuple(rows))


async def _posts(actor: Actor) -> Section:
    names = role_names((await settings_county.get(actor.county_id)).department_name)
    rows = tuple(
        (
            names[tenure.role],
            tenure.unit_name,
            date_cn(tenure.valid_from),
            date_cn(tenure.valid_to) if tenure.valid_to else "至今",
        )
        for tenure in await roster.history(actor.county_id, actor.person_id)
    )
    return Section(
        "任职经历", "用于判断谁在什么时候有什么权限；长期保存。", ("岗位", "单位", "从", "到"), rows
    )


async def _sign_ins(actor: Actor, now: datetime) -> Section:
    rows = tuple(
        (line.agent, date_cn(line.created_at), date_cn(line.expires_at))
        for line in await queries.sessions(actor.county_id, actor.account_id, now)
    )
    if bound_at := await queries.wechat_at(actor.county_id, actor.account_id):
        rows += (("微信登录（只存编号的摘要）", date_cn(bound_at), "解除绑定为止"),)
    return Section(
        "登录的设备",
        f"用于保护账号；不记录位置。保存到{SIGN_IN.term}。",
        ("设备", "登录日期", "有效到"),
        rows,
    )
