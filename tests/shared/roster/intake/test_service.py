"""The import on PostgreSQL: all or nothing, what was seen is what is written, one at a time."""

import asyncio
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest

from shared.database import DB
from shared.documents.errors import BadFile
from shared.errors import Conflict, NotFound
from shared.identity.actor import Actor
from shared.roster import service as roster
from shared.roster.intake import service
from shared.roster.intake.service import FaultyFile, RosterFile
from shared.roster.office import service as office
from shared.roster.office.schemas import LEAVINGS, LeaveForm
from shared.roster.roles import Role
from shared.uploads import service as uploads
from tests.factories import COUNTY, acting, small_county
from tests.shared.roster.intake import sheets

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def file(people: list[sheets.Cells], *, end_missing: bool = False) -> RosterFile:
    return RosterFile(name="花名册.xlsx", data=sheets.workbook(people), end_missing=end_missing)


async def count(table: str) -> int:
    found: int = await DB.fetchval(
        f"SELECT count(*) FROM shared.{table} WHERE county_id = $1", COUNTY
    )
    return found


async def fingerprint() -> list[tuple[object, ...]]:
    """Everything of the roster, to see that nothing changed."""
    rows = []
    for table in ("unit", "person", "post", "assignment"):
        rows += await DB.fetch(
            f"SELECT * FROM shared.{table} WHERE county_id = $1 ORDER BY id", COUNTY
        )
    return [tuple(row) for row in rows]


async def test_an_import_makes_units_people_posts_and_assignments(rollback: None) -> None:
    """With phones sealed, names romanised and the county's name from the title row."""
    outcome = await service.apply(COUNTY, file(sheets.staff()), NOW)
    assert outcome.preview.counts["新到岗"] == 8
    assert await roster.unit_by_code(COUNTY, "421222") is not None
    assert await DB.fetchval("SELECT name FROM shared.county WHERE id = $1", COUNTY) == "通城县"
    found = await roster.person_by_phone(COUNTY, "18064884206")
    assert found is not None
    place = await roster.worker_place(COUNTY, found.id, TODAY)
    assert place is not None
    assert (place.grid_code, place.grid_name) == ("421222100001001", "雁塔社区第1网格")
    leads = await roster.holders(COUNTY, Role.LEAD, "421222100001", TODAY)
    assert {holder.name: holder.grids for holder in leads} == {
        "郑志强": ("421222100001001",),
        "汪春花": ("421222100001002",),
    }
    columns = await DB.fetchrow(
        "SELECT name_pinyin, name_initials, phone_last4 FROM shared.person"
        " WHERE county_id = $1 AND name = '仇桂兰'",
        COUNTY,
    )
    assert tuple(columns or ()) == ("qiuguilan", "qgl", "2030")


async def test_the_same_file_again_writes_nothing(rollback: None) -> None:
    """Not even a version number."""
    await service.apply(COUNTY, file(sheets.staff()), NOW)
    before = await fingerprint()
    outcome = await service.apply(COUNTY, file(sheets.staff()), NOW)
    assert outcome.preview.counts["没有变化"] == 8
    assert await fingerprint() == before


async def test_a_dry_run_writes_nothing(rollback: None) -> None:
    """And says the same as the import."""
    dry = await service.dry_run(COUNTY, file(sheets.staff()), NOW)
    assert await fingerprint() == []
    wet = await service.apply(COUNTY, file(sheets.staff()), NOW)
    assert dry.preview.counts == wet.preview.counts
    assert dry.preview.digest == wet.preview.digest


async def test_one_fault_stops_everything(rollback: None) -> None:
    """Nothing is written; the report is the workbook in red."""
    people = sheets.staff()
    people[4]["手机号"] = "123"
    with pytest.raises(FaultyFile, match="1 处错误") as caught:
        await service.apply(COUNTY, file(people), NOW)
    assert await fingerprint() == []
    assert caught.value.preview.faults == [
        "第 8 行“手机号”：手机号应为 1 开头的 11 位数字，现在是“123”。"
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(caught.value.report)).worksheets[0]
    assert sheet["K8"].fill.fgColor.rgb == "FFFFC7CE"
    assert str(sheet["Q8"].value).startswith("手机号：")


async def test_a_newer_file_is_a_difference(rollback: None) -> None:
    """Joined, moved, left, missing; history stays; every change has its audit event."""
    await service.apply(COUNTY, file(sheets.staff()), NOW)
    people = sheets.staff()
    people[1] = sheets.person("新来人", "13800000009", "总网格长", None, 到岗日期="2026-11-20")
    people[5] |= {"村代码": "421222100200", "村社区": "石南村委会", "网格编码": "421222100200003",
                  "网格名称": "石南村第3网格", "到岗日期": "2026-11-21"}  # fmt: skip
    people[6] |= {"用工形式": "志愿者"}
    del people[7]
    events = await count("audit_event")
    outcome = await service.apply(COUNTY, file(people), NOW)
    counts = {label: number for label, number in outcome.preview.counts.items() if number}
    assert counts == {
        "新单位": 1,
        "新岗位": 1,
        "新到岗": 1,
        "调整岗位": 1,
        "离任": 1,
        "信息更正": 1,
        "没有变化": 5,
        "不在新表": 1,
    }
    assert await count("person") == 9
    old = await roster.person_by_phone(COUNTY, "13649782844")
    assert old is not None
    ended = await roster.history(COUNTY, old.id)
    assert [(line.valid_to, line.reason) for line in ended] == [
        (date(2026, 11, 20), "岗位由新来人接任")
    ]
    # unit, person ×2, end ×2, start ×2, the run
    assert await count("audit_event") - events == 8
    again = await service.dry_run(COUNTY, file(people), NOW)
    assert again.plan.is_empty


async def test_a_gridworkers_successor_waits_for_the_desk(department: Actor) -> None:
    """Nothing is written while the holder holds the post; once they have left the file goes in."""
    await service.apply(COUNTY, file(sheets.staff()), NOW)
    people = sheets.staff()
    people[4] = sheets.person("新来人", "13800000009", grid=1)
    before = await fingerprint()
    with pytest.raises(FaultyFile, match="1 处错误"):
        await service.apply(COUNTY, file(people), NOW)
    assert await fingerprint() == before
    [holder] = await roster.holders(COUNTY, Role.GRIDWORKER, "421222100001001", TODAY)
    [tenure] = await roster.history(COUNTY, holder.person_id)
    form = LeaveForm(on=TODAY, leaving=LEAVINGS[0], reason="11 月 20 日申请")
    await office.leave(department, tenure.id, form)
    await service.apply(COUNTY, file(people), NOW)
    [holder] = await roster.holders(COUNTY, Role.GRIDWORKER, "421222100001001", TODAY)
    assert holder.name == "新来人"


async def test_missing_people_end_when_accepted(rollback: None) -> None:
    """Explicitly, with the reason in their history; gridworkers stay."""
    await service.apply(COUNTY, file(sheets.staff()), NOW)
    await service.apply(COUNTY, file(sheets.staff()[:3], end_missing=True), NOW)
    gone = await roster.person_by_phone(COUNTY, "19990951662")
    worker = await roster.person_by_phone(COUNTY, "18929602030")
    assert gone is not None
    assert worker is not None
    assert await roster.duties_at(COUNTY, gone.id, TODAY) == ()
    assert (await roster.history(COUNTY, gone.id))[0].reason == "不在新花名册"
    [tenure] = await roster.history(COUNTY, worker.id)
    assert tenure.valid_to is None


async def test_no_personal_column_is_stored(rollback: None) -> None:
    """Neither the identity number nor a plain phone stands anywhere in the roster or the audit."""
    await service.apply(COUNTY, file(sheets.staff()), NOW)
    for table in ("person", "audit_event", "import_run"):
        text = await DB.fetchval(
            f"SELECT string_agg(t::text, ' ') FROM shared.{table} t WHERE county_id = $1", COUNTY
        )
        assert "421222199001011239" not in text
        assert "18064884206" not in text


@pytest.fixture
async def department(rollback: None) -> Actor:
    world = await small_county()
    return await acting(world.department, desk=True)


async def test_what_is_accepted_is_what_was_shown(department: Actor) -> None:
    """A preview is kept sealed; accepting writes it once and forgets the file."""
    run_id, outcome = await service.preview(department, file(sheets.staff()), NOW)
    assert outcome.preview.fault_count == 0
    sealed = await DB.fetchval(
        "SELECT payload FROM shared.import_run WHERE county_id = $1 AND id = $2", COUNTY, run_id
    )
    assert b"18064884206" not in sealed
    assert b"PK" not in sealed[:40]
    done = await service.accept(department, run_id, NOW)
    assert done.preview.digest == outcome.preview.digest
    with pytest.raises(Conflict, match="已经导入过"):
        await service.accept(department, run_id, NOW)
    assert (
        await DB.fetchval(
            "SELECT payload FROM shared.import_run WHERE county_id = $1 AND id = $2", COUNTY, run_id
        )
        is None
    )


async def test_the_audit_names_the_instructor_and_the_units_of_an_import(rollback: None) -> None:
    """Not 本人, and not nowhere: a search of the township finds every line of its roster."""
    instructor = await acting((await small_county()).instructor)
    run_id, _ = await service.preview(instructor, file(sheets.staff()), NOW)
    await service.accept(instructor, run_id, NOW)
    rows = await DB.fetch(
        "SELECT DISTINCT action, authority, left(unit_code, 9) AS township"
        " FROM shared.audit_event WHERE county_id = $1 AND actor_id = $2",
        COUNTY,
        instructor.person_id,
    )
    found = {tuple(row.values()) for row in rows}
    assert {"person.add", "person.edit", "assignment.start"} <= {action for action, *_ in found}
    assert {(who, place) for _, who, place in found} == {("instructor@421222100", "421222100")}


async def test_a_roster_that_changed_meanwhile_is_shown_again(department: Actor) -> None:
    """The accepted preview no longer holds."""
    run_id, _ = await service.preview(department, file(sheets.staff()), NOW)
    await service.apply(COUNTY, file(sheets.staff()[:3]), NOW)
    before = await fingerprint()
    with pytest.raises(Conflict, match="重新预览"):
        await service.accept(department, run_id, NOW)
    assert await fingerprint() == before


async def test_previews_are_their_makers_and_expire(department: Actor) -> None:
    """Another person finds none; a day later the file is gone."""
    run_id, _ = await service.preview(department, file(sheets.staff()), NOW)
    name, content = await service.report(department, run_id, NOW)
    assert name == "错误说明_花名册.xlsx"
    assert content.startswith(b"PK")
    stranger = await acting((await small_county(421223)).department)
    with pytest.raises(NotFound):
        await service.previewed(stranger, run_id)
    assert await uploads.forget_old(COUNTY, NOW) == 0
    assert await uploads.forget_old(COUNTY, NOW + uploads.KEPT_FOR * 2) == 1
    with pytest.raises(Conflict, match="已过期"):
        await service.accept(department, run_id, NOW)


@pytest.mark.parametrize("faulty", [False, True])
@pytest.mark.parametrize("given_up", [False, True])
async def test_a_preview_that_is_not_accepted_leaves_no_names(
    department: Actor, *, faulty: bool, given_up: bool
) -> None:
    """With the file goes what it said of people; the counts stay."""
    people = sheets.staff()
    if faulty:
        people[4]["手机号"] = "1806488420"
    run_id, outcome = await service.preview(department, file(people), NOW)
    if given_up:
        await service.give_up(department, run_id)
    else:
        await uploads.forget_old(COUNTY, NOW + uploads.KEPT_FOR * 2)
    stored = await DB.fetchval(
        "SELECT summary::text FROM shared.import_run WHERE county_id = $1 AND id = $2",
        COUNTY,
        run_id,
    )
    assert not any(str(row["姓名"]) in stored or str(row["手机号"]) in stored for row in people)
    _, shown = await service.previewed(department, run_id)
    assert (shown.rows, shown.counts) == (8, outcome.preview.counts)


async def test_who_may_not_import(rollback: None) -> None:
    """A chief has no right to; an instructor only for the own township."""
    world = await small_county()
    with pytest.raises(NotFound):
        await service.preview(await acting(world.chief), file(sheets.staff()), NOW)
    instructor = await acting(world.instructor)
    other = sheets.person("甲", "13800000009", place=("麦市镇", "麦1社区居委会", "421222101001"))
    _, outcome = await service.preview(instructor, file([*sheets.staff(), other]), NOW)
    assert outcome.preview.fault_count > 0
    assert any("不在您管理的范围内" in sentence for sentence in outcome.preview.faults)


async def test_two_imports_at_once_wait_for_each_other(committed: None) -> None:
    """Both files say the same: the second one finds nothing to do."""
    first, second = await asyncio.gather(
        service.apply(COUNTY, file(sheets.staff()), NOW),
        service.apply(COUNTY, file(sheets.staff()), NOW),
    )
    joined = sorted(outcome.preview.counts["新到岗"] for outcome in (first, second))
    assert joined == [0, 8]
    assert await count("person") == 8


async def test_a_file_accepted_twice_at_once_says_that_it_is_done(committed: None) -> None:
    """Not that nothing was imported: the first press has written everything."""
    department = await acting((await small_county()).department, desk=True)
    run_id, _ = await service.preview(department, file(sheets.staff()), NOW)
    done = await asyncio.gather(
        *(service.accept(department, run_id, NOW) for _ in range(3)), return_exceptions=True
    )
    refused = [one.message for one in done if isinstance(one, Conflict)]
    assert refused == ["这份文件已经导入过了，不用再导一次。"] * 2


async def test_a_file_that_cannot_be_read_is_refused_before_anything(rollback: None) -> None:
    """The reader's sentence comes through."""
    with pytest.raises(BadFile, match="空的"):
        await service.apply(COUNTY, RosterFile(name="a.xlsx", data=b""), NOW)
    assert await DB.fetchval("SELECT count(*) FROM shared.county WHERE id = $1", COUNTY) == 0


async def test_a_closed_unit_comes_back_with_the_file(department: Actor) -> None:
    """It is opened again, with a fresh post: the closed one keeps its history."""
    await service.apply(COUNTY, file(sheets.staff()), NOW)
    gone = await roster.person_by_phone(COUNTY, "18929602030")
    assert gone is not None
    [tenure] = await roster.history(COUNTY, gone.id)
    await roster.end_assignment(COUNTY, tenure.id, TODAY, reason="辞职")
    await office.close_unit(department, "421222100200002", NOW)
    outcome = await service.apply(COUNTY, file(sheets.staff()), NOW)
    assert outcome.preview.fault_count == 0
    assert [line.text for line in outcome.preview.renamed] == ["恢复使用"]
    unit = await roster.unit_by_code(COUNTY, "421222100200002")
    assert unit is not None
    assert unit.closed_on is None
    assert len(await roster.history(COUNTY, gone.id)) == 2


def whole_county() -> list[sheets.Cells]:
    """902 grids in 190 villages of 16 townships, 1,504 people."""
    people = []
    serial = iter(range(1, 10_000))

    def phone() -> str:
        return f"137{next(serial):08d}"

    grids_left = 902
    for village in range(190):
        township = village % 16
        code = f"421222{100 + township}{village:03d}"
        place = (f"第{township}镇", f"第{village}村", code)
        grids = 5 if village < 142 else 4
        grids_left -= grids
        people.append(sheets.person("王书记", phone(), "总网格长", None, place))
        people += [sheets.person("李网格", phone(), grid=n + 1, place=place) for n in range(grids)]
        people += [sheets.person("张组长", phone(), "网格长", n + 1, place) for n in range(2)]
    assert grids_left == 0
    people += [
        sheets.instructor(f"赵{'导' * (n % 3 + 1)}", phone(), 乡镇=f"第{n % 16}镇")
        for n in range(32)
    ]
    return people


async def test_a_whole_county_takes_few_statements(rollback: None) -> None:
    """1,504 people and 902 grids: not one trip to the database for each of them."""
    people = whole_county()
    assert len(people) == 1504
    statements: list[str] = []
    async with DB.transaction() as connection:
        with connection.query_logger(lambda said: statements.append(said.query)):
            outcome = await service.apply(COUNTY, file(people), NOW)
    assert len(statements) < 100
    assert outcome.preview.counts["新到岗"] == 1504
    assert await count("unit") == 1 + 16 + 190 + 902
