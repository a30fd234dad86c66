"""What appraisal keeps about a person, as a file to take away (self-service export)."""

from typing import Any

from litestar import Request, get
from litestar.response import Response

from appraisal.casework import service as casework
from appraisal.duty import entries
from appraisal.duty import service as duty
from appraisal.scorecard import service as scorecard
from appraisal.training import service as training
from shared.documents.excel import MIME, file_name
from shared.identity import own_data, sessions
from shared.identity.actor import Actor
from shared.identity.own_data import Section
from shared.months import month_cn
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.filters import date_cn, plain, score
from shared.web.pages import moment

ARCHIVED = "属于考核档案，长期保存。"


async def results(actor: Actor) -> Section:
    """Each announced result with its components, the latest cycle first."""
    rows = []
    for own in await scorecard.mine(actor):
        if own.card is None:
            continue
        given = own.card.scores
        parts = [f"{line.name} {score(line.points)}" for line in own.card.lines]
        parts += [f"加分 {score(given.plus)}", f"扣分 {score(given.minus)}"]
        served = own.card.served
        rows.append(
            (
                own.cycle.title,
                score(given.final),
                given.grade_name,
                "；".join(parts),
                date_cn(served.served_on) if served else "",
            )
        )
    heads = ("考核", "得分", "等次", "各项得分", "送达日期")
    return Section("考核结果", f"公示以后本人可看；不公开排名。{ARCHIVED}", heads, tuple(rows))


async def attendance(actor: Actor) -> Section:
    """The monthly lines that count."""
    rows = tuple(
        (
            month_cn(line.month),
            line.village_name,
            plain(line.rostered),
            plain(line.on_duty),
            plain(line.leave),
            line.note,
        )
        for line in await duty.own(actor)
    )
    heads = ("月份", "村（社区）", "应出勤", "出勤", "请假", "备注")
    return Section("考勤", f"由乡镇登记，用于考核；不记录位置。{ARCHIVED}", heads, rows)


async def facts(actor: Actor) -> Section:
    """Spot checks, praise, complaints and vetoes that count."""
    rows = tuple(
        (
            date_cn(row.happened_on),
            row.kind_name,
            row.outcome_name or row.level_name,
            row.by_whom,
            row.place,
            row.facts,
            row.document,
        )
        for row in await entries.own(actor)
    )
    heads = ("日期", "类别", "结论", "单位或人员", "地点", "事由", "文书")
    return Section("抽查、表扬、投诉", f"用于考核；登记错的由乡镇更正。{ARCHIVED}", heads, rows)


async def trainings(actor: Actor) -> Section:
    """Every session with its test."""
    found, _ = await training.own(actor)
    rows = tuple(
        (
            date_cn(row.held_on),
            row.title,
            plain(row.hours) if row.present else "0",
            plain(row.test) if row.test is not None else "",
        )
        for row in found
    )
    return Section("培训", f"用于考核。{ARCHIVED}", ("日期", "培训", "学时", "测试成绩"), rows)


async def cases(actor: Actor) -> Section:
    """Objections, warnings, recommendations, exits: how far each has come."""
    rows = tuple(
        (
            date_cn(case.opened_at),
            case.title,
            case.cycle_title,
            case.state_name,
            case.outcome_name,
        )
        for case in await casework.own(actor)
    )
    heads = ("日期", "事项", "考核", "办到哪一步", "结果")
    return Section("考核事项", f"每一步的文书可在“我的事项”里看。{ARCHIVED}", heads, rows)


SECTIONS = (results, attendance, facts, trainings, cases)


@get("/appraisal/me/data.xlsx")
async def data_file(request: Request[Actor, Any, Any]) -> Response[bytes]:
    """One's own appraisal data to take away; the password is asked first."""
    actor, now = request.user, moment(request)
    sessions.require_confirmed(actor, now)
    department = request.scope["state"]["county"].department_name
    content = await own_data.export(actor, SECTIONS, now, department)
    name = file_name("本人考核资料", actor.name, now)
    return Response(content, media_type=MIME, headers=attachment(name))


router = Router("/", route_handlers=[data_file], include_in_schema=False)
