"""What a cycle collects: attendance, facts, training, the double-random check, the survey."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from appraisal.duty import drawing, entries
from appraisal.duty import service as duty
from appraisal.duty.rules import EntryForm, EntryKind
from appraisal.duty.schemas import SheetInput
from appraisal.survey import ballots, field, households, slips
from appraisal.survey import service as survey
from appraisal.survey.schemas import SurveyRow
from appraisal.survey.service import DrawForm, FreezeForm
from appraisal.training import service as training
from appraisal.training.rules import SessionForm, SessionKind
from appraisal.training.schemas import AttendeeInput
from deploy.demo import county as data
from deploy.demo import profiles
from deploy.demo.acting import act
from deploy.demo.county import COUNTY
from deploy.demo.halves import Half
from deploy.demo.profiles import PROFILES, Profile
from shared.clock import today
from shared.identity.actor import Actor
from shared.months import month_cn, month_days, month_of, months_later

ROSTERED = Decimal(22)
COUNTY_CODE = str(COUNTY)
HANDED_OUT = 24
"""Households asked in each grid of the closed survey."""
FEWEST = 20
VALUE = "双色球 03 09 14 21 27 33 + 08"
BY_PAPER = 2
"""Ballots of each grid that came in on paper."""
VILLAGE_OF = {name: village for village in data.VILLAGES for name in village.workers}


async def attendance(
    department: Actor, people: Mapping[str, UUID], half: Half, at: datetime, months: int = 6
) -> None:
    """The monthly sheets of every village."""
    lines = [
        SheetInput(
            person_id=people[one.name],
            village_code=VILLAGE_OF[one.name].code,
            month=month,
            rostered=ROSTERED,
            on_duty=ROSTERED - one.away - (leave := Decimal(month % 2) / 2),
            leave=leave,
        )
        for one in PROFILES
        for month in half.months[:months]
    ]
    await duty.save(department, lines, at)


async def facts(department: Actor, people: Mapping[str, UUID], half: Half, at: datetime) -> None:
    """Spot checks, praise and a complaint."""
    day = half.first.replace(day=18)
    found = (
        (
            "何春生",
            EntryKind.CHECK,
            {"outcome": "failed", "place": "第三网格", "by_whom": "镇综治办"},
        ),
        (
            "苏秀英",
            EntryKind.CHECK,
            {"outcome": "passed", "place": "村委会", "by_whom": "镇综治办"},
        ),
        (
            "欧阳金山",
            EntryKind.COMMEND,
            {"level": "county", "by_whom": "县委组织部", "document": "防汛工作通报第2期"},
        ),
        (
            "马德福",
            EntryKind.COMMEND,
            {"level": "township", "by_whom": "白鹭乡", "document": "乡通报第5期"},
        ),
        (
            "何春生",
            EntryKind.COMPLAINT,
            {
                "level": "township",
                "outcome": "founded",
                "facts": "住户报修路灯，两周没有上报",
                "by_whom": "镇便民服务中心",
            },
        ),
    )
    for name, kind, given in found:
        form = EntryForm(kind=kind, person_id=people[name], happened_on=day, **given)
        await entries.add(department, form, at)


async def courses(department: Actor, people: Mapping[str, UUID], half: Half, at: datetime) -> None:
    """Two sessions of six hours; a test at the end of the first."""
    for number, title in enumerate(("群众工作方法和矛盾调解", "安全隐患排查实务"), start=1):
        form = SessionForm(
            kind=SessionKind.CLASSROOM if number == 1 else SessionKind.PRACTICE,
            title=title,
            held_on=half.first.replace(day=10 + number, month=half.first.month + number),
            hours=Decimal(6),
            place="县委党校",
            trainer="县委党校讲师团",
            unit_code=COUNTY_CODE,
            tested=number == 1,
        )
        session_id = await training.add_session(department, form, at)
        lines = [
            AttendeeInput(
                person_id=people[one.name],
                village_code=VILLAGE_OF[one.name].code,
                present=one.hours >= number,
                test=Decimal(one.test) if number == 1 else None,
            )
            for one in PROFILES
        ]
        await training.record(department, session_id, lines, at)


async def random_check(
    department: Actor, people: Mapping[str, UUID], half: Half, at: datetime
) -> None:
    """Everybody's records drawn in public and looked at by two inspectors."""
    form = drawing.CheckForm(
        title=f"{half.first.year}年{half.first.month}月至{half.last.month}月工作记录双随机核查",
        unit_code=COUNTY_CODE,
        first_day=half.first,
        last_day=half.last,
        people=len(PROFILES),
        per_person=2,
        inspectors=("高峰", "沈静"),
        value_source="当天福彩3D开奖号码",
    )
    check_id = await drawing.open_check(department, form, at)
    await drawing.draw(department, check_id, "4 0 7", form.value_source, at)
    left = {people[one.name]: one.wrong for one in PROFILES}
    results = []
    for item in await drawing.items(department, check_id):
        wrong = left[item.person_id] > 0
        left[item.person_id] -= wrong
        results.append(
            drawing.Result(
                item_id=item.id,
                correct=not wrong,
                note="住户说那天没有来过" if wrong else "",
                checked_on=today(at),
                checked_by=item.inspector,
            )
        )
    await drawing.record(department, check_id, results, at)


async def open_check(instructor: Actor, at: datetime) -> None:
    """Last month's records of a township, drawn yesterday; nobody has been to look yet."""
    month = months_later(month_of(today(at)), -1)
    first, last = month_days(month)
    form = drawing.CheckForm(
        title=f"{month_cn(month)}工作记录核查",
        unit_code=data.TOWNSHIPS[0].code,
        first_day=first,
        last_day=last,
        people=3,
        per_person=2,
        inspectors=("尹玉梅", "沈静"),
        value_source="当天福彩3D开奖号码",
    )
    check_id = await drawing.open_check(instructor, form, at)
    await drawing.draw(instructor, check_id, "5 2 6", form.value_source, at)


async def list_households(department: Actor) -> None:
    """The county's list: as many households as each grid has, in three groups."""
    lines = ["网格编码,户号,村民小组"]
    lines += [
        f"{unit.code},{number:03d},{number % 3 + 1}组"
        for unit in data.units()
        for number in range(1, (unit.households or 0) + 1)
    ]
    content = "\n".join(lines).encode("gb18030")
    await households.import_households(department, COUNTY, content, "住户名单.csv")


async def drawn_survey(
    department: Actor, people: Mapping[str, UUID], cycle_id: UUID, at: datetime, per_grid: int
) -> SurveyRow:
    """The frozen list, the draw, and interviewers from the village next door."""
    source = FreezeForm(value_source="下一期双色球开奖号码", per_grid=per_grid)
    await survey.freeze(department, cycle_id, source, at)
    found = await survey.draw_sample(department, cycle_id, DrawForm(public_value=VALUE), at)
    for village in data.VILLAGES:
        interviewer = people[_neighbour(village).cadres[2]]
        await field.assign(department, found.id, village.code, interviewer, at)
    return found


async def vote(people: Mapping[str, UUID], found: SurveyRow, at: datetime, url: str) -> None:
    """Slips handed out house by house, scanned at home or keyed in twice from paper."""
    grids = {
        (village.code, number): one
        for village in data.VILLAGES
        for number, one in enumerate(
            (one for one in PROFILES if one.name in village.workers), start=1
        )
    }
    names = {f"第{'一二三'[number - 1]}网格": number for number in (1, 2, 3)}
    for village in data.VILLAGES:
        instructor = await act(people[_instructor(village)], at)
        second = await act(people["周敏"], at)
        printed = await slips.print_slips(instructor, found.id, village.code, url, at)
        await _hand_out(people, found, village, at)
        cast: dict[int, int] = {}
        for slip in printed:
            grid = names[slip.grid_name]
            one = grids[village.code, grid]
            number = cast.get(grid, 0)
            cast[grid] = number + 1
            if number < one.ballots:
                token = slip.url.rpartition("/")[2]
                await _cast(one, number, found, token, (instructor, second))


async def _hand_out(
    people: Mapping[str, UUID], found: SurveyRow, village: data.Village, at: datetime
) -> None:
    interviewer = await act(people[_neighbour(village).cadres[2]], at)
    _, listed, _ = await field.hand_out_list(interviewer, found.id, village.code)
    notes = {row.id: "handed" for rows in listed.values() for row in rows}
    await field.note_visits(interviewer, found.id, village.code, notes, at)


async def _cast(
    one: Profile, number: int, found: SurveyRow, token: str, keying: tuple[Actor, Actor]
) -> None:
    answers = profiles.ballot(one, number)
    if number >= BY_PAPER:
        await ballots.submit_ballot(COUNTY, token, answers)
        return
    for actor in keying:
        await ballots.key_paper(actor, found.id, token, answers)


def _neighbour(village: data.Village) -> data.Village:
    """The other village of the township: who interviews may not be from the village itself."""
    return next(
        one for one in data.VILLAGES if one is not village and one.code[:9] == village.code[:9]
    )


def _instructor(village: data.Village) -> str:
    return next(one.name for one in data.OFFICE if one.unit == village.code[:9])
