"""What the documents say, gathered from the features that own it, within the actor's rights.

Every document that leaves is written down in 导出记录.
"""

from datetime import datetime
from uuid import UUID

from appraisal.casework import service as casework
from appraisal.cycle.schemas import CycleRow
from appraisal.documents import service
from appraisal.documents.schemas import (
    Component,
    DecisionFacts,
    LetterFacts,
    NoticeFacts,
    NoticeLine,
    RankingFacts,
    RankLine,
    SheetFacts,
)
from appraisal.notice import service as notices
from appraisal.notice.schemas import ResultRow
from appraisal.pool import queries as pools
from appraisal.pool.rules import WEAK, thin
from appraisal.ranking import service as ranks
from appraisal.ranking.schemas import Wanted
from appraisal.scorecard import explaining
from appraisal.scorecard import service as scorecards
from appraisal.scorecard.rules import GRADE_NAMES, Grade
from appraisal.scorecard.service import Card
from shared.audit import service as audit
from shared.clock import today
from shared.dates import chinese_date
from shared.documents.excel import stamp
from shared.identity.actor import Actor
from shared.identity.sessions import require_confirmed
from shared.roster import service as roster
from shared.roster.issuer import issuer
from shared.roster.roles import EMPLOYMENT_NAMES, Employment
from shared.settings_county import get as county_settings

CONSEQUENCES = {
    Grade.EXCELLENT: "评为优秀的，予以通报，并列入推荐人选的考察范围。",
    Grade.GOOD: "",
    Grade.BASIC: "将与您提醒谈话，并一起订出 60 天的改进计划。",
    Grade.FAIL: "将向您发书面警告，安排培训或调整网格，60 天后复查。",
    Grade.UNDETERMINED: "考核期内任职不满规定时间，这次不定等次。",
}
"""What follows from a grade, in the letter's words."""
THIN = "群众测评的有效票不够或误差较大，这次的等次不据此警告或退出。"
VETOED = "因一票否决，不论得分，等次定为不合格。"
EMPTY = "没有可以评分的数据，这次不定等次。"
MOST_RANKED = 3_000
"""Lines of a ranking in Word; a longer one is a workbook."""
PURPOSE = "制发文书"
OWN_PURPOSE = "本人查阅"
WRITTEN_IN = "　　年　　月　　日"
"""A letter that is printed before it is served has its day written in: terms count from that."""
UNSERVED = "收到本告知书后第 {days} 个工作日（含当日）"
Made = tuple[str, bytes]
"""File name and content."""


async def sheet(actor: Actor, cycle_id: UUID, person_id: UUID, now: datetime) -> Made:
    """考核表 of one worker; whoever takes another's gives the password again, as for any list.

    Raises NotFound, NoCycle, ConfirmFirst, Invalid from a broken template.
    """
    card = await scorecards.card(actor, cycle_id, person_id)
    if actor.person_id != person_id:
        require_confirmed(actor, now)
    scores = card.scores
    given = card.calibrations[-1] if card.calibrations else None
    facts = SheetFacts(
        title=f"{card.cycle.title.removesuffix('考核')}考核表",
        period=period(card.cycle),
        issuer=await issuer(actor.county_id),
        date=chinese_date(today(now)),
        name=card.facts.name,
        unit=await place(actor.county_id, card.facts.grid_code),
        employment=EMPLOYMENT_NAMES[Employment(card.facts.employment_type)],
        rows=_components(card),
        calculated=_score(scores.calculated),
        calibrated=_score(scores.calibrated) or "—",
        calibration=f"{given.made_name}：{given.reason}" if given else "没有校准",
        final=_score(scores.final),
        grade=scores.grade_name,
        satisfaction=_sample(card),
    )
    name = f"考核表_{card.facts.name}_{card.cycle.title}.docx"
    content = await service.render(actor.county_id, facts, stamp(actor.name, now))
    purpose = OWN_PURPOSE if actor.person_id == person_id else PURPOSE
    unit = card.facts.grid_code
    return await _taken(
        actor, name, content, now, purpose=purpose, unit_code=unit, about_id=person_id
    )


async def letter(actor: Actor, cycle_id: UUID, person_id: UUID, now: datetime) -> Made:
    """考核结果告知书 of one worker. Raises NotFound, NoCycle, Invalid."""
    cycle, found, served, _ = await notices.result_of(actor, cycle_id, person_id)
    settings = await county_settings(actor.county_id)
    until = UNSERVED.format(days=settings.objection_days)
    if served:
        until = f"{chinese_date(served.objection_until)}（含当日）"
    facts = LetterFacts(
        title="考核结果告知书",
        name=found.name,
        unit=f"{found.township_name}{found.village_name}{found.grid_name}",
        cycle=cycle.title,
        period=period(cycle),
        final="—" if found.final is None else f"{found.final.normalize():f}",
        grade=GRADE_NAMES[Grade(found.grade)],
        consequence=await _consequence(actor.county_id, cycle_id, found),
        objection_until=until,
        place=f"{settings.department_name}（或村、乡镇）",
        phone=settings.complaint_phone or "＿＿＿＿＿＿",
        issuer=await issuer(actor.county_id),
        date=chinese_date(served.served_on) if served else WRITTEN_IN,
    )
    name = f"考核结果告知书_{found.name}_{cycle.title}.docx"
    content = await service.render(actor.county_id, facts)
    unit = found.grid_code
    return await _taken(actor, name, content, now, unit_code=unit, about_id=person_id)


async def notice(actor: Actor, notice_id: UUID, now: datetime) -> Made:
    """公示 as it was published. Raises NotFound, Invalid."""
    row, entries = await notices.view(actor, notice_id)
    about = f"{row.cycle_title}已经结束，" if row.cycle_title else ""
    basis = f"{about}经审核，现将{'结果' if about else '人选'}公示如下。"
    if row.kind == notices.SUPPLEMENT:
        basis = f"{row.cycle_title}公示以后，有结果经复核变更，现将变更为优秀的人员补充公示如下。"
    facts = NoticeFacts(
        title=row.title,
        basis=basis,
        starts_on=chinese_date(row.starts_on),
        ends_on=chinese_date(row.ends_on),
        days=str(row.days),
        phone=row.phone or "＿＿＿＿＿＿",
        place=row.place or row.issuer,
        issuer=row.issuer,
        date=chinese_date(today(row.issued_at)),
        rows=[
            NoticeLine(
                number=str(entry.position), name=entry.name, unit=entry.unit, note=entry.note
            )
            for entry in entries
        ],
    )
    content = await service.render(actor.county_id, facts)
    return await _taken(actor, f"{row.title}.docx", content, now, len(entries))


async def ranking(
    actor: Actor, cycle_id: UUID, wanted: Wanted, purpose: str, now: datetime
) -> Made:
    """排名表 of a unit. Raises NotFound, NoCycle, ConfirmFirst, Invalid."""
    found = await ranks.whole(actor, cycle_id, wanted, purpose, now, MOST_RANKED)
    unit = found.path[-1].name
    facts = RankingFacts(
        title=f"{unit}网格员考核排名表",
        period=period(found.cycle),
        unit=unit,
        issuer=await issuer(actor.county_id),
        date=chinese_date(today(now)),
        rows=[
            RankLine(
                rank=str(row.rank) if row.rank else "—",
                township=row.township_name,
                village=row.village_name,
                name=row.name,
                score=_score(row.final),
                grade=row.grade_name,
                ballots=str(row.ballots),
            )
            for row in found.rows
        ],
    )
    content = await service.render(actor.county_id, facts, stamp(actor.name, now))
    name = f"{facts.title}_{found.cycle.title}.docx"
    code = found.path[-1].code
    return await _taken(actor, name, content, now, len(found.rows), purpose.strip(), unit_code=code)


async def decision(actor: Actor, case_id: UUID, number: int, now: datetime) -> Made:
    """The letter of one signed step of a case, such as a 退出决定书. Raises NotFound, Invalid."""
    found = await casework.letter(actor, case_id, number, named=True)
    because = f"（{found.basis}）" if found.basis else ""
    cycle = f"，依据{found.cycle_title}的结果" if found.cycle_title else ""
    facts = DecisionFacts(
        title=found.heading,
        number=found.document,
        name=found.name,
        unit=found.place or found.handed,
        matter=f"{found.title}{because}{cycle}。",
        facts=found.words or "见案卷。",
        basis="；".join(f"{label}：{words}" for label, words in found.facts),
        decision=f"{found.step_title}。",
        effective_on=found.in_force or chinese_date(found.effective_on),
        appeal=found.remedy or f"如对办理有不同意见，可以向{found.issuer}反映。",
        issuer=found.issuer,
        date=chinese_date(found.effective_on),
    )
    content = await service.render(actor.county_id, facts)
    # The log of files would otherwise keep for ever what is sealed in the case, or erased in time.
    whose = "" if found.handed or found.applicant else f"_{found.name}"
    name, unit = f"{found.heading}{whose}.docx", found.unit_code
    return await _taken(actor, name, content, now, unit_code=unit, about_id=found.person_id)


async def _consequence(county_id: int, cycle_id: UUID, found: ResultRow) -> str:
    """What follows from a result as it stands: nothing that its evidence does not carry."""
    grade = Grade(found.grade)
    standing = await pools.standing(county_id, cycle_id, found.person_id)
    if grade in WEAK and thin(standing):
        return THIN
    if grade is Grade.UNDETERMINED and found.final is None:
        return EMPTY
    vetoed = VETOED if standing is not None and standing.vetoed else ""
    return vetoed + CONSEQUENCES[grade]


def period(cycle: CycleRow) -> str:
    """2026年1月1日至2026年6月30日."""
    return f"{chinese_date(cycle.starts_on)}至{chinese_date(cycle.ends_on)}"


async def place(county_id: int, grid_code: str) -> str:
    """Township, village and grid by their names."""
    codes = [grid_code[:9], grid_code[:12], grid_code]
    units = await roster.units(county_id, codes)
    return "".join(units[code].name for code in codes if code in units)


def _components(card: Card) -> list[Component]:
    rows = [
        Component(
            name=line.name,
            weight=str(line.weight),
            score="—" if line.points is None else _score(line.points),
            basis=line.words,
        )
        for line in card.lines
    ]
    plus, minus = card.scores.plus, card.scores.minus
    rows.append(Component(name="加分", weight="", score=_score(plus), basis=card.plus_words))
    rows.append(Component(name="扣分", weight="", score=_score(minus), basis=card.minus_words))
    return rows


def _sample(card: Card) -> str:
    facts = card.facts
    if facts.half_width is None:
        return f"有效票 {facts.ballots} 张"
    width = explaining.decimal(facts.half_width, 10)
    return f"有效票 {facts.ballots} 张，测评得分的误差范围 ±{width} 分"


def _score(value: int | None) -> str:
    """Hundredths as they are read."""
    return "" if value is None else explaining.decimal(value, 100)


async def _taken(
    actor: Actor,
    name: str,
    content: bytes,
    now: datetime,
    rows: int = 1,
    purpose: str = PURPOSE,
    *,
    unit_code: str = "",
    about_id: UUID | None = None,
) -> Made:
    title = name.removesuffix(".docx")
    await audit.log_export(actor, title, purpose, rows, now, unit_code=unit_code, about_id=about_id)
    return name, content
