"""What was made of a cycle that is closed reads the same later, whatever has happened since."""

import io
import re
from datetime import date, timedelta

import httpx
import msgspec
import openpyxl

from appraisal.cycle.rules import Stage
from appraisal.documents import facts
from appraisal.notice import queries as notices
from appraisal.scorecard import schemes
from points.work import deductions
from shared import settings_county
from shared.clock import now, today
from shared.roster import service as roster
from shared.roster.office import queries as office
from shared.roster.roles import Role
from tests.appraisal.documents.test_documents import NOW, words
from tests.appraisal.scorecard.scene import Scene, scored_cycle
from tests.factories import COUNTY, acting
from tests.points.settlement.test_web import enter

TOKENS = re.compile(r'(_csrf_token" value|csrf-token" content)="[0-9a-f]*"')


async def reports(client: httpx.AsyncClient, made: Scene) -> dict[str, object]:
    """Every page and file of the cycle; what its points stand at today is a page of its own."""
    cycle, worker = made.cycle_id, made.town.worker.person_id
    notice = await notices.notice_of_cycle(COUNTY, cycle)
    assert notice is not None
    desk = f"/appraisal/desk/cycles/{cycle}"
    pages = {
        made.town.department: (
            *(desk, f"{desk}/scorecards", f"{desk}/scorecards/{worker}", f"{desk}/ranking"),
            *(f"{desk}/ranking/units", f"{desk}/notice", f"{desk}/duty", f"{desk}/training"),
            f"/appraisal/notices/{notice.id}",
            f"/appraisal/results/{cycle}/{worker}",
            f"/appraisal/results/{cycle}/{worker}/print",
        ),
        made.town.worker: (f"/appraisal/me/{cycle}", "/appraisal/me"),
        made.town.chief: (f"/appraisal/team/{cycle}",),
        made.town.instructor: (f"/appraisal/team/{cycle}",),
    }
    found: dict[str, object] = {}
    for member, paths in pages.items():
        await enter(client, member)
        for path in paths:
            answer = await client.get(path)
            assert answer.status_code == 200, path
            found[f"{member.role}{path}"] = TOKENS.sub("", answer.text)
    await enter(client, made.town.department)
    file = await client.get(f"{desk}/ranking.xlsx?purpose=核对")
    rows = openpyxl.load_workbook(io.BytesIO(file.content)).active.iter_rows(values_only=True)
    found["ranking"] = [row for row in rows if "导出：" not in str(row[0])]
    department = msgspec.structs.replace(made.department, confirmed_at=now())
    for name, made_of in (
        ("sheet", facts.sheet(department, cycle, worker, now())),
        ("letter", facts.letter(department, cycle, worker, now())),
        ("notice", facts.notice(department, notice.id, now())),
    ):
        found[name] = words((await made_of)[1])
    return found


async def test_nothing_that_happens_later_changes_a_closed_cycle(
    client: httpx.AsyncClient,
) -> None:
    """Points are deducted, rules and terms change, a worker moves and the grid is merged."""
    made = await scored_cycle(Stage.CLOSED)
    before = await reports(client, made)

    worker = made.town.worker
    held = deductions.Proposal(
        worker_id=worker.person_id,
        code="PEN-01",
        amount=20,
        happened_on=date(2026, 6, 5),
        facts="没有开会",
        evidence="会议签到表",
    )
    told = await deductions.propose(await acting(made.town.chief), held, NOW)
    await deductions.reply(await acting(worker), told, "属实", NOW)
    instructor = await acting(made.town.instructor)
    await deductions.decide(instructor, told, stands=True, reason="属实", now=NOW)
    assert await deductions.post_lapsed(COUNTY, NOW + timedelta(days=30)) == 1
    other = msgspec.structs.replace(
        await settings_county.get(COUNTY),
        notice_days=9,
        objection_days=9,
        review_days=20,
        appeal_days=20,
        public_names="full",
        month_limit=1000,
    )
    await settings_county.update(made.department, COUNTY, other)
    scheme = (await schemes.in_force(COUNTY, today())).scheme
    wider = msgspec.structs.replace(scheme, attendance=10, training=15, excellent_share=50)
    await schemes.change(made.department, wider, date(2026, 1, 1), "方案修改", now())
    post_id = await roster.add_post(COUNTY, made.town.units["421222101002001"].id, Role.GRIDWORKER)
    await roster.end_assignment(COUNTY, worker.assignment_id, today(), reason="调动")
    await roster.assign(COUNTY, post_id, worker.person_id, today(), now=now())
    await office.close_unit(COUNTY, worker.unit_code, today())

    now_says = await reports(client, made)
    for name, said in before.items():
        assert now_says[name] == said, name
