"""Import of a file of work records: each row accepted, cut or refused, and nothing twice."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import openpyxl
import pytest

from points.errors import DuplicateWork
from points.rulebook.rules import Step
from points.work import bulk, intake, intake_report, queries, service
from points.work.intake_report import Imported
from points.work.rules import State
from points.work.schemas import LogForm, Record
from shared.clock import now
from shared.database import DB
from shared.documents.errors import BadFile
from shared.errors import NotFound
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from tests.factories import COUNTY, STARTED, acting, also_in, member, small_county
from tests.shared.documents import books

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)
HEAD = "日期,网格编码,姓名,规则编号,内容,备注"
GRID = "421222100001001"
WORKER = "欧阳金山"


def row(day: int, code: str, text: str, name: str = WORKER, grid: str = GRID) -> str:
    return f"2026-10-{day:02d},{grid},{name},{code},{text},"


async def imported(*rows: str, head: str = HEAD, encoding: str = "gb18030") -> Imported:
    data = "\r\n".join([head, *rows]).encode(encoding)
    return await intake.import_work(None, COUNTY, data, "work.csv", now=NOW)


async def stored() -> int:
    sql = "SELECT count(*) FROM points.work_record WHERE county_id = $1"
    return int(await DB.fetchval(sql, COUNTY))


async def pending() -> list[Record]:
    """What waits for its verifiers."""
    rows = await DB.fetch(
        "SELECT id FROM points.work_record WHERE county_id = $1 AND state = 'pending'"
        " ORDER BY work_date",
        COUNTY,
    )
    found = [await queries.record(COUNTY, row["id"]) for row in rows]
    return [record for record in found if record]


async def test_rows_become_pending_records(rollback: None) -> None:
    """A row waits for its verifier, a check rule's row too, in the run of its own month."""
    town = await small_county()
    result = await imported(row(8, "ORG-02", "参加网格例会"), row(9, "OPN-04", "更新住户信息"))
    assert (result.added, result.refused, result.counts) == (2, 0, 15)
    found = await pending()
    assert [(r.rule_code, r.state, r.source) for r in found] == [
        ("ORG-02", State.PENDING, "import"),
        ("OPN-04", State.PENDING, "import"),
    ]
    steps = await queries.steps(COUNTY, [r.id for r in found])
    assert {s.step for s in steps} == {Step.V1, Step.CHECK}
    assert len(await service.tasks(await acting(town.lead, on=date(2026, 11, 3)))) == 2


async def test_the_same_file_again_adds_nothing(rollback: None) -> None:
    """Every row of it is known; an equal row inside a file is refused as 重复."""
    await small_county()
    rows = [row(8, "ORG-02", "参加网格例会"), row(8, "ORG-02", "参加 网格例会。")]
    first = await imported(*rows)
    assert (first.added, first.refused, first.reasons) == (1, 1, {"重复": 1})
    again = await imported(*rows, encoding="utf-8-sig")
    assert (again.added, again.repeated, again.refused) == (0, 1, 1)
    assert await stored() == 1


async def test_a_dry_run_writes_nothing_and_says_the_same(rollback: None) -> None:
    """The real path, rolled back."""
    await small_county()
    data = f"{HEAD}\n{row(8, 'ORG-02', '参加网格例会')}".encode()
    dry = await intake.import_work(None, COUNTY, data, "a.csv", dry_run=True, now=NOW)
    assert (dry.added, await stored()) == (1, 0)
    real = await intake.import_work(None, COUNTY, data, "a.csv", now=NOW)
    assert (dry.lines, dry.counts) == (real.lines, real.counts)


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("2026-11-20," + row(1, "ORG-02", "会")[11:], "日期", "2026年11月20日还没有到"),
        (row(8, "ORG-99", "会"), "规则编号", "没有规则"),
        (row(8, "SVC-03", "工单"), "规则编号", "自动产生"),
        ("2025-12-31," + row(1, "ORG-02", "会")[11:], "规则编号", "在2025年12月31日没有生效"),
        (row(8, "ORG-02", "会", grid="421222100001009"), "网格编码", "没有网格"),
        (row(8, "ORG-02", "会", name="张三"), "姓名", "不是网格"),
        (row(8, "ORG-02", ""), "内容", "不能空着"),
        (row(8, "ORG-02", "字" * 501), "内容", "最多 500"),
        (row(8, "LAW-01", "入户宣传（9户）"), "内容", "每 10 户"),
        ("2026-13-01," + row(1, "ORG-02", "会")[11:], "单元格有误", "日期"),
        (row(8, "ORG-02", "会", name=""), "单元格有误", "姓名"),
    ],
)
async def test_a_wrong_row_is_refused_with_its_reason(
    rollback: None, line: str, kind: str, words: str
) -> None:
    """The others are stored all the same."""
    await small_county()
    result = await imported(line, row(9, "ORG-02", "参加网格例会"))
    assert (result.added, result.reasons) == (1, {kind: 1})
    refused = next(item for item in result.lines if item.outcome == "拒绝")
    assert words in refused.words


async def test_work_outside_the_assignment_is_refused(rollback: None) -> None:
    """Somebody who came on the 15th has no work before it."""
    town = await small_county()
    grid = town.units["421222100002001"]
    await member(Role.GRIDWORKER, grid, "谭建军", valid_from=date(2026, 10, 15))
    result = await imported(
        row(14, "ORG-02", "例会", "谭建军", grid.code),
        row(15, "ORG-02", "例会", "谭建军", grid.code),
    )
    assert (result.added, result.reasons) == (1, {"日期": 1})


async def test_caps_and_repeats_are_explained(rollback: None) -> None:
    """Sums: given = counted + what each cap took; rows are taken by date, then row order."""
    await small_county()
    result = await imported(
        *(row(day, "ORG-02", "参加网格例会") for day in (9, 2, 16, 23, 30)),
        row(3, "OPN-01", "上报路灯损坏"),
        row(10, "OPN-01", "上报路灯损坏！"),
        row(11, "OPN-01", "上报路灯损坏"),
        row(5, "LAW-01", "入户宣传反诈（25户）"),
    )
    assert result.gives == 50 + 30 + 20
    assert result.cuts == {"本项单月": 10, "重复或本周已探访": 10, "本项单日": 10}
    assert result.counts == result.gives - sum(result.cuts.values())
    outcomes = {item.number: item.outcome for item in result.lines}
    assert outcomes[6] == "接收，上限削减"
    assert (outcomes[8], outcomes[9]) == ("接收，不计分", "接收")


async def test_a_named_verifier_with_authority_confirms(rollback: None) -> None:
    """核实人 counts only for who had the right that day; V2 needs both."""
    await small_county()
    head = "日期,网格编码,姓名,规则编号,内容,核实人"
    result = await imported(
        row(8, "ORG-02", "参加网格例会") + "郑志强",
        row(9, "ORG-02", "参加网格例会") + "汪春花",
        row(8, "OPN-01", "上报路灯损坏") + "单小梅、解大海",
        row(18, "OPN-01", "上报路灯损坏") + "单小梅",
        head=head,
    )
    assert (result.added, result.confirmed) == (4, 2)
    assert "2 条写了核实人" in result.notes[-1]
    states = await DB.fetch(
        "SELECT state, rule_code, work_date FROM points.work_record WHERE county_id = $1"
        " ORDER BY rule_code, work_date",
        COUNTY,
    )
    assert [r["state"] for r in states] == ["accepted", "pending", "accepted", "pending"]


async def test_a_named_verifier_does_not_shorten_the_quiet_days(rollback: None) -> None:
    """A quarrel settled four days ago waits for the lead, whoever the file names."""
    await small_county()
    head = HEAD.replace("备注", "核实人")
    rows = [row(day, "MED-01", f"劝解邻里纠纷{day}") + "郑志强" for day in (27, 28)]
    result = await imported(*rows, head=head)
    assert (result.added, result.confirmed) == (2, 1)
    assert "1 条写了核实人" in result.notes[-1]
    (found,) = await pending()
    assert found.work_date == date(2026, 10, 28)


async def test_one_name_does_not_sign_for_two(rollback: None) -> None:
    """Who holds both posts of V2 signs for one of them; the other still waits."""
    town = await small_county()
    post = await roster.add_post(COUNTY, town.units["421222100001"].id, Role.SUPERVISOR)
    await roster.assign(COUNTY, post, town.committee.person_id, STARTED, now=now())
    head = HEAD.replace("备注", "核实人")
    one = row(8, "OPN-01", "路灯不亮") + town.committee.name
    two = row(9, "OPN-01", "井盖破损") + f"{town.committee.name}、{town.supervisor.name}"
    result = await imported(one, two, head=head)
    assert (result.added, result.confirmed) == (2, 1)
    (found,) = await pending()
    assert found.text == "路灯不亮"
    steps = await queries.steps(COUNTY, [found.id])
    assert [step.verdict for step in steps] == ["approve", "open"]


async def test_what_was_declared_on_the_phone_is_a_duplicate(rollback: None) -> None:
    """The same work in the office's file is refused, not counted twice."""
    town = await small_county()
    worker = await acting(town.worker, on=date(2026, 10, 8))
    form = LogForm(
        id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, 8), text="参加网格例会"
    )
    await service.log(worker, form, now=NOW)
    result = await imported(row(8, "ORG-02", "参加网格例会"))
    assert (result.added, result.reasons) == (0, {"重复": 1})


async def test_the_same_words_in_two_grids_are_told_apart_by_the_words(rollback: None) -> None:
    """Never silently left out as imported before; once the words say where, both count."""
    town = await small_county()
    second = town.second_worker.unit_code
    await also_in(town.worker, town.units[second])
    here, there = row(8, "ORG-02", "参加例会"), row(8, "ORG-02", "参加例会", grid=second)
    both = await imported(here, there)
    assert (both.added, both.reasons) == (1, {"重复": 1})
    assert "不同网格各做了一次的，请在内容里写明是哪个网格" in both.lines[1].words
    assert "不同网格" not in (await imported(here, here)).lines[1].words
    later = await imported(there)
    assert (later.repeated, later.reasons) == (0, {"重复": 1})
    assert "另一个网格已记过" in later.lines[0].words
    assert (await imported(here)).repeated == 1
    assert (await imported(row(8, "ORG-02", "参加二网格例会", grid=second))).added == 1
    worker = await acting(town.worker, on=date(2026, 10, 8))
    form = LogForm(id=new_id(), rule_code="ORG-02", work_date=date(2026, 10, 8), text="参加例会")
    with pytest.raises(DuplicateWork, match="已经记过了，不用再记"):
        await service.log(worker, form, now=NOW)
    other = msgspec.structs.replace(form, grid_code=second)
    with pytest.raises(DuplicateWork, match="这个网格也做了的，请在内容里写明是哪个网格"):
        await service.log(worker, other, now=NOW)


async def test_a_secret_row_keeps_no_words(rollback: None) -> None:
    """专项帮教 is all that is stored and reported."""
    await small_county()
    result = await imported(row(8, "CARE-02", "帮教刘某某"))
    assert result.lines[0].text == "专项帮教"


async def test_the_report_is_a_workbook_of_every_row(rollback: None) -> None:
    """One line a row, with the sums and the reasons below."""
    await small_county()
    result = await imported(row(8, "ORG-02", "参加网格例会"), row(8, "ORG-99", "会"))
    data = intake_report.workbook(result, "通城县", date(2026, 11, 3))
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    texts = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert [line[10] for line in texts[3:5]] == ["接收", "拒绝"]
    assert any("拒绝的原因：规则编号 1。" in str(line[0]) for line in texts)


async def test_a_corrected_report_is_the_file_again(rollback: None) -> None:
    """What a refused row said of quantity, household and verifier comes back with it."""
    await small_county()
    head = f"{HEAD},数量,户号,核实人"
    wrong = f"2026-10-08,{GRID},{WORKER},LAW-99,入户宣传反诈,,30,1-17,郑志强"
    right = f"2026-10-09,{GRID},{WORKER},LAW-01,入户宣传医保政策,,20,,"
    first = await imported(wrong, right, head=head)
    assert (first.added, first.refused) == (1, 1)
    report = openpyxl.load_workbook(
        io.BytesIO(intake_report.workbook(first, "通城县", date(2026, 11, 3)))
    )
    sheet = report.worksheets[0]
    titles = {cell.value: cell.column for cell in sheet[3]}
    sheet.cell(4, titles["规则编号"]).value = "LAW-01"
    target = io.BytesIO()
    report.save(target)
    again = await intake.import_work(None, COUNTY, target.getvalue(), "改.xlsx", now=NOW)
    assert (again.rows, again.added, again.repeated, again.refused) == (2, 1, 1, 0)
    line = next(line for line in again.lines if line.on == date(2026, 10, 8))
    assert (line.quantity, line.confirmed_by, line.gives) == (30, "郑志强", 30)


async def test_a_refused_row_names_its_sheet(rollback: None) -> None:
    """Row 2 of which village's sheet: two have one."""
    await small_county()
    head, wrong = HEAD.split(","), row(8, "ORG-99", "会").split(",")
    data = books.xlsx([head, wrong], [head, wrong], names=["甲村", "乙村"])
    result = await intake.import_work(None, COUNTY, data, "两村.xlsx", now=NOW)
    assert [(line.sheet, line.number) for line in result.lines] == [("甲村", 2), ("乙村", 2)]


async def test_sheets_are_taken_one_after_another(rollback: None) -> None:
    """Caps cut as the report said, not by the row numbers of all sheets mixed."""
    await small_county()
    head = HEAD.split(",")
    first = [row(8, "ORG-02", "例会"), row(8, "SVC-01", "代办甲"), row(8, "SVC-01", "代办乙")]
    second = [row(8, "SVC-01", "代办丙"), row(8, "SVC-01", "代办丁")]
    sheets = [[head, *(line.split(",") for line in lines)] for lines in (first, second)]
    data = books.xlsx(*sheets, names=["甲村", "乙村"])
    result = await intake.import_work(None, COUNTY, data, "两村.xlsx", now=NOW)
    said = {line.text: line.counts for line in result.lines}
    assert said == {"例会": 10, "代办甲": 10, "代办乙": 10, "代办丙": 10, "代办丁": 0}
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk.post_month(COUNTY, 202610, NOW)
    rows = await DB.fetch(
        "SELECT text, posted FROM points.work_record WHERE county_id = $1", COUNTY
    )
    assert {found["text"]: found["posted"] for found in rows} == said


async def test_hidden_rows_are_said(rollback: None) -> None:
    """A filtered list comes in whole, and the answer says so."""
    await small_county()
    rows = [HEAD.split(","), *(row(day, "OPN-04", "更新信息").split(",") for day in (8, 9, 10))]
    data = books.xlsx(rows, hidden=(3, 4))
    result = await intake.import_work(None, COUNTY, data, "w.xlsx", dry_run=True, now=NOW)
    assert result.added == 3
    assert result.notes[0].startswith("表里有 2 行被筛选或隐藏（第 3 至 4 行），也在导入之列。")


async def test_a_very_large_file_reports_what_is_refused(
    rollback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are stored all the same; no forecast is made, and the sums say so."""
    await small_county()
    monkeypatch.setattr(intake, "DETAILED", 2)
    rows = [row(8, "ORG-02", "参加网格例会"), row(9, "SVC-01", "代办"), row(8, "ORG-99", "会")]
    result = await imported(*rows, rows[0])
    assert (result.added, result.refused, result.gives, await stored()) == (2, 2, 20, 2)
    assert [(line.number, line.outcome) for line in result.lines] == [(4, "拒绝"), (5, "拒绝")]
    said = "\n".join(intake_report.sentences(result))
    assert "上限在入账时执行" in said
    assert "预计计" not in said


async def test_a_file_on_disk_is_the_same_as_an_upload(rollback: None, tmp_path: Path) -> None:
    """Streamed in its own encoding, whatever an office's program saved."""
    await small_county()
    file = tmp_path / "work.csv"
    lines = [HEAD, *(row(day, "ORG-02", f"例会{day}") for day in range(1, 20)), row(8, "X", "会")]
    dry = {}
    for encoding in ("gb18030", "utf-8-sig", "utf-16"):
        file.write_bytes("\r\n".join(lines).encode(encoding))
        for source in (file, file.read_bytes()):
            found = await intake.import_work(
                None, COUNTY, source, "work.csv", dry_run=True, now=NOW
            )
            dry[encoding, type(source)] = (found.added, found.refused, found.lines)
    assert len(dry) == 6
    assert all(found == dry["gb18030", bytes] for found in dry.values())
    file.write_bytes(HEAD.encode() + b"\n\xff\xff\xff\x00")
    with pytest.raises(BadFile, match="文字编码"):
        await intake.import_work(None, COUNTY, file, "work.csv", now=NOW)


async def test_only_those_above_may_import(rollback: None) -> None:
    """A chief has no right to it, and does not learn more."""
    town = await small_county()
    with pytest.raises(NotFound):
        await intake.import_work(await acting(town.chief), COUNTY, b"x", "a.csv", now=NOW)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", "日期,姓名\n".encode(), HEAD.encode()])
async def test_a_wrong_file_is_one_sentence(rollback: None, data: bytes) -> None:
    """Empty, foreign, without header or rows: nothing is written."""
    await small_county()
    with pytest.raises(BadFile):
        await intake.import_work(None, COUNTY, data, "a.csv", now=NOW)
