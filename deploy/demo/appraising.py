"""What the demo county has appraised: two half-years closed, the running one collecting.

Everything goes through the services as its people do it. The earliest half-year had no survey yet;
the last one was surveyed, calibrated, noticed, objected to and closed; the running one waits for
whoever plays the department.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from appraisal.casework import service as casework
from appraisal.casework.rules import Pool
from appraisal.casework.schemas import SignForm
from appraisal.cycle import advancing
from appraisal.cycle import service as cycles
from appraisal.cycle.rules import Stage
from appraisal.cycle.schemas import CycleForm
from appraisal.notice import service as notice
from appraisal.notice.schemas import ContestForm, NoticeForm, ServeForm
from appraisal.pool import service as pools
from appraisal.pool.schemas import ApplyForm
from appraisal.scorecard import calibrating, scoring
from appraisal.survey import service as survey
from deploy.demo import collecting
from deploy.demo import county as data
from deploy.demo.acting import act
from deploy.demo.collecting import FEWEST, HANDED_OUT, VILLAGE_OF
from deploy.demo.county import COUNTY
from deploy.demo.halves import Half
from deploy.demo.profiles import PROFILES
from shared.calendar import service as calendar
from shared.calendar.errors import MissingYear
from shared.clock import today
from shared.identity.actor import Actor
from shared.roster.office import service as office
from shared.roster.office.schemas import PostForm
from shared.roster.roles import Role

DEPARTMENT = "周敏"
CLERK = "程远"
INSTRUCTOR = "尹玉梅"
LARGE = data.VILLAGES[1]
CHIEF = LARGE.cadres[0]
STAR, OBJECTOR, WEAK, CALIBRATED = "欧阳金山", "苏秀英", "何春生", "许大明"
APPLICANT = 900
"""The serial of a phone number that nobody in the roster has."""
OFFICE = NoticeForm(phone="0990-6218001", place="县委组织部干部股（县政府 3 号楼 205 室）")
"""Where objections to a notice are received."""
AGREED = Decimal("85.5")
RESTS = """
{0}-01-01 至 {0}-01-03 休 元旦
{0}-02-05 至 {0}-02-11 休 春节
{0}-04-05 休 清明节
{0}-05-01 至 {0}-05-05 休 劳动节
{0}-06-09 休 端午节
{0}-09-15 休 中秋节
{0}-10-01 至 {0}-10-07 休 国庆节
"""
"""For a year whose arrangement is not published yet; invented, like all of the demo."""


async def play(people: Mapping[str, UUID], at: datetime, url: str) -> None:
    """All three cycles, the oldest first; ``url`` is printed on the slips."""
    running = Half.open_at(at)
    closed = running.before
    await _calendar(await act(people[DEPARTMENT], at), at)
    await _plain(people, closed.before)
    cycle_id = await _surveyed(people, closed, url)
    await _cases(people, cycle_id, at - timedelta(days=3))
    await _vacancy(people, at)
    await _running(people, running, at)
    await collecting.open_check(await act(people[INSTRUCTOR], at), at - timedelta(days=1))


async def _calendar(department: Actor, at: datetime) -> None:
    """The department has entered the years that deadlines may reach."""
    for year in (today(at).year, today(at).year + 1):
        try:
            await calendar.year(COUNTY, year)
        except MissingYear:
            await calendar.replace_year(department, year, RESTS.format(year))


async def _opened(people: Mapping[str, UUID], half: Half, at: datetime) -> UUID:
    department = await act(people[DEPARTMENT], at)
    form = CycleForm(kind=half.kind, year=half.year)
    cycle_id = await cycles.open_cycle(department, form, at)
    await advancing.advance(department, cycle_id, Stage.COLLECT, "", at)
    return cycle_id


async def _plain(people: Mapping[str, UUID], half: Half) -> None:
    """The first cycle: attendance and training only, nobody objects."""
    cycle_id = await _opened(people, half, half.after(-10))
    at = half.after(3)
    department = await act(people[DEPARTMENT], at)
    await collecting.attendance(department, people, half, at)
    await collecting.courses(department, people, half, at)
    await _decided(people, half, cycle_id)
    await _step(people, cycle_id, Stage.APPEAL, half.after(22))
    await _step(people, cycle_id, Stage.CLOSED, half.after(46))


async def _surveyed(people: Mapping[str, UUID], half: Half, url: str) -> UUID:
    """The cycle with everything in it."""
    cycle_id = await _opened(people, half, half.after(-10))
    at = half.after(-8)
    department = await act(people[DEPARTMENT], at)
    await collecting.list_households(department)
    found = await collecting.drawn_survey(department, people, cycle_id, at, HANDED_OUT)
    await collecting.vote(people, found, half.after(-5), url)
    at = half.after(3)
    department = await act(people[DEPARTMENT], at)
    await survey.close(department, cycle_id, at)
    await collecting.attendance(department, people, half, at)
    await collecting.facts(department, people, half, at)
    await collecting.courses(department, people, half, at)
    await collecting.random_check(department, people, half, at)
    await _decided(people, half, cycle_id, calibrated=CALIBRATED)
    await _objection(people, half, cycle_id)
    await _step(people, cycle_id, Stage.CLOSED, half.after(46))
    return cycle_id


async def _decided(
    people: Mapping[str, UUID], half: Half, cycle_id: UUID, calibrated: str = ""
) -> None:
    """Scored, reviewed, announced; everybody signs, one refuses before witnesses."""
    await _step(people, cycle_id, Stage.SCORE, half.after(4))
    at = half.after(4)
    await scoring.score(await act(people[DEPARTMENT], at), cycle_id, "数据已核对", at)
    await _step(people, cycle_id, Stage.REVIEW, half.after(5))
    if calibrated:
        await calibrating.calibrate(
            await act(people[DEPARTMENT], half.after(6)),
            cycle_id,
            people[calibrated],
            AGREED,
            "住院期间的考勤未计病假，凭证已补交，部务会研究同意。",
            half.after(6),
        )
    await _step(people, cycle_id, Stage.NOTICE, half.after(7))
    at = half.after(7)
    await notice.issue_results(await act(people[DEPARTMENT], at), cycle_id, OFFICE, at)
    at = half.after(8)
    for one in PROFILES:
        if one.name == WEAK:
            chief = await act(people[VILLAGE_OF[WEAK].cadres[0]], at)
            refused = ServeForm(
                how="refused",
                served_on=today(at),
                witness_one="解大海",
                witness_two="单小梅",
            )
            await notice.serve(chief, cycle_id, people[WEAK], refused, at)
        else:
            await notice.receive(await act(people[one.name], at), cycle_id, at)


async def _objection(people: Mapping[str, UUID], half: Half, cycle_id: UUID) -> None:
    """Raised by one's own hand, answered by the township, signed for, and nobody appeals."""
    at = half.after(9)
    worker = await act(people[OBJECTOR], at)
    words = "双随机核查认定错误的一条，住户那天不在家，有走访照片，请复核。"
    case_id = await notice.object_to(
        worker, cycle_id, people[OBJECTOR], _form("raised", words, at), at
    )
    await _step(people, cycle_id, Stage.APPEAL, half.after(22))
    at = half.after(23)
    answer = _form("review_kept", "调阅照片并再访住户，拍摄时间与记录不符，维持原结果。", at)
    await casework.sign(await act(people[INSTRUCTOR], at), case_id, answer, at)
    at = half.after(24)
    await casework.sign(await act(people[OBJECTOR], at), case_id, _form("told", "", at), at)
    await casework.clock(COUNTY, half.after(45))


async def _cases(people: Mapping[str, UUID], cycle_id: UUID, at: datetime) -> None:
    """One put forward, one talked with; the next steps wait for whoever plays."""
    instructor = await act(people[INSTRUCTOR], at)
    words = "连续两次考核优秀，群众满意度高，防汛表现突出。"
    proposed = _form("proposed", words, at, list_kind="reserve")
    await pools.recommend(instructor, people[STAR], proposed, at)
    talked = _form("talked", "和本人谈了出勤和走访的问题，本人认可，愿意改进。", at)
    chief = await act(people[VILLAGE_OF[WEAK].cadres[0]], at)
    await pools.warn(chief, people[WEAK], cycle_id, talked, at)


async def _vacancy(people: Mapping[str, UUID], at: datetime) -> None:
    """A second post of a large grid, an applicant under public notice, and a letter against her.

    The second clerk has handled it so far, so that the first may look into it.
    """
    began, shown, said = (at - timedelta(days=days) for days in (5, 2, 1))
    form = PostForm(role=Role.GRIDWORKER)
    post_id = await office.add_post(await act(people[CLERK], began), f"{LARGE.code}001", form)
    application = ApplyForm(
        post_id=post_id,
        step="applied",
        name="汪小芳",
        phone=data.phone(APPLICANT),
        source="mediator",
        words="自愿报名，做了五年人民调解员。",
        effective_on=today(began),
        no_kin=True,
    )
    instructor, chief = await act(people[INSTRUCTOR], began), await act(people[CHIEF], began)
    case_id = await pools.apply(instructor, application, began)
    qualified = {"adult": "1", "residence": "local", "schooling": "high", "clean": "1"}
    heard = _form("villagers", "走访了十户，都赞成。", began)
    for signer, step in (
        (instructor, _form("checked", "看过证件和毕业证，符合条件。", began, **qualified)),
        (instructor, _form("interviewed", "面谈合格，熟悉网格情况。", began)),
        (chief, msgspec.structs.replace(heard, document="走访记录第2号")),
    ):
        await casework.sign(signer, case_id, step, began)
    clerk = await act(people[CLERK], shown)
    notice_id = await notice.issue_cases(clerk, Pool.ADMISSION, OFFICE, shown)
    objection = ContestForm(
        entry=1,
        objector="游建设",
        contact=f"{LARGE.name}三组 12 号",
        channel="letter",
        words="来信说她去年一直在外地务工，请核实居住情况。",
        received_on=today(said),
        document="来信登记第7号",
        no_kin=True,
    )
    await notice.contest(await act(people[CLERK], said), notice_id, objection, said)


async def _running(people: Mapping[str, UUID], half: Half, at: datetime) -> None:
    """In collect: drawn, slips unprinted, sheets of the first months, one session."""
    began = at - timedelta(days=5)
    cycle_id = await _opened(people, half, began)
    department = await act(people[DEPARTMENT], began)
    await collecting.drawn_survey(department, people, cycle_id, began, FEWEST)
    over = (today(at).year * 12 + today(at).month) - (half.first.year * 12 + half.first.month)
    await collecting.attendance(department, people, half, began, min(max(over - 1, 1), 5))


async def _step(people: Mapping[str, UUID], cycle_id: UUID, stage: Stage, at: datetime) -> None:
    await advancing.advance(await act(people[DEPARTMENT], at), cycle_id, stage, "", at)


def _form(step: str, words: str, at: datetime, **answers: str) -> SignForm:
    """A step, signed by somebody who is no relative."""
    return SignForm(step=step, words=words, effective_on=today(at), answers=answers, no_kin=True)
