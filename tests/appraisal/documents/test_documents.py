"""Word documents read back: what they say, how they look, which templates are refused."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from appraisal.casework import service as casework
from appraisal.cycle.rules import Stage
from appraisal.documents import defaults, facts, rules, service
from appraisal.documents.rules import DocumentKind
from appraisal.documents.schemas import NoticeFacts, NoticeLine
from appraisal.notice import service as notices
from appraisal.notice.schemas import NoticeForm
from appraisal.ranking.schemas import Wanted
from appraisal.scorecard import calibrating
from shared import settings_county
from shared.calendar import service as calendar
from shared.clock import today
from shared.database import DB
from shared.dates import chinese_date
from shared.errors import Conflict, Invalid, NotFound
from shared.identity.errors import ConfirmFirst
from tests.appraisal.casework.scene import actor_of, form, result, scene, served
from tests.factories import COUNTY, SmallCounty, acting, small_county
from tests.shared.identity.test_matrix import act_as, token

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
KINDS = list(DocumentKind)


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """The small county."""
    return await small_county()


def words(content: bytes) -> str:
    """Every paragraph and cell of a document."""
    return "\n".join(paragraph.text for paragraph in paragraphs(Document(io.BytesIO(content))))


def footers(content: bytes) -> str:
    """What stands at the foot of the pages."""
    sections = Document(io.BytesIO(content)).sections
    return "\n".join(each.text for section in sections for each in section.footer.paragraphs)


def paragraphs(document: Any) -> Iterator[Any]:
    yield from document.paragraphs
    for table in document.tables:
        for row in table.rows:
            for cell in row.cells:
                yield from cell.paragraphs


def changed(kind: DocumentKind, old: str, new: str) -> bytes:
    """The default template after somebody edited a text in Word."""
    document = Document(io.BytesIO(defaults.template(kind)))
    for paragraph in paragraphs(document):
        for run in paragraph.runs:
            run.text = run.text.replace(old, new)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_default_templates_name_what_they_may_and_must(kind: DocumentKind) -> None:
    """Tried with sample facts, each is accepted by its own rules."""
    answer = service.filled(defaults.template(kind), rules.sample(kind))
    assert rules.names_fault(kind, set(answer.names)) == ""
    assert rules.package_fault(defaults.template(kind)) == ""
    text = words(answer.document)
    assert "{" not in text
    for name in answer.names:
        if name != "rows":
            assert f"{rules.WORDS[name]}示例" in text, name


@pytest.mark.parametrize("kind", KINDS)
def test_default_templates_look_official(kind: DocumentKind) -> None:
    """GB/T 9704: A4, margins, 16 pt body on 28 pt lines, 22 pt title, fonts also for Chinese."""
    document = Document(io.BytesIO(defaults.template(kind)))
    section = document.sections[0]
    sizes = (section.page_width, section.page_height)
    assert [round(size / Mm(1)) for size in sizes if size] == [210, 297]
    margins = (
        section.top_margin,
        section.bottom_margin,
        section.left_margin,
        section.right_margin,
    )
    assert [round(margin / Mm(1)) for margin in margins if margin] == [37, 35, 28, 26]
    style = document.styles["Normal"]
    assert style.paragraph_format.line_spacing == Pt(28)
    title = document.paragraphs[0]
    assert title.style is not None
    assert title.style.name == "Title"
    faces = {}
    for paragraph in paragraphs(document):
        for run in paragraph.runs:
            fonts = run._element.rPr.find(qn("w:rFonts"))
            faces[fonts.get(qn("w:eastAsia"))] = run.font.size
            assert run.font.color.rgb == RGBColor(0, 0, 0), "headings are not blue"
    assert faces["方正小标宋简体"] == Pt(22)
    assert set(faces) <= {"方正小标宋简体", "仿宋_GB2312", "黑体"}
    for table in document.tables:  # WPS goes by the grid, Word by the cells
        assert [one.width for one in table.columns] == [one.width for one in table.rows[0].cells]
    text = words(defaults.template(kind))
    assert "（盖章）" in text
    assert "PAGE" in section.footer._element.xml


async def test_facts_are_said_as_they_are(town: SmallCounty) -> None:
    """Marks of XML and of Jinja in a name are text; every row has its line."""
    row = NoticeLine(number="1", name="张*明 <b>&", unit="{{ title }}", note="优秀")
    given = NoticeFacts(
        title="公示",
        basis="依据“规则”",
        starts_on="2026年7月1日",
        ends_on="2026年7月7日",
        days="5",
        phone="0715-1",
        place="组织部 & 信访",
        issuer="通城县组织部",
        date="2026年6月30日",
        rows=[row, msgspec.structs.replace(row, number="2", name="李*")],
    )
    text = words(await service.render(COUNTY, given))
    for said in ("张*明 <b>&", "{{ title }}", "李*", "组织部 & 信访", "（5个工作日）"):
        assert said in text


async def test_a_county_edits_its_template_and_goes_back(town: SmallCounty) -> None:
    """The own version counts until the default is restored; all versions stay."""
    actor = await acting(town.department, desk=True)
    kind = DocumentKind.LETTER
    own = changed(kind, "送达回执：", "【通城县】送达回执：")
    await service.upload(actor, kind, "我县告知书.docx", own, "加县名", NOW)
    assert (await service.template(actor, kind))[1] == own
    assert "【通城县】送达回执" in words((await service.sample(actor, kind))[1])
    assert "【通城县】" not in words((await service.sample(actor, DocumentKind.NOTICE))[1])
    await service.back_to_default(actor, kind, "改回", NOW)
    assert "【通城县】" not in words((await service.sample(actor, kind))[1])
    with pytest.raises(Conflict, match="就是默认"):
        await service.back_to_default(actor, kind, "", NOW)
    found = (await service.history(actor))[kind]
    assert [(row.version, row.current, row.own) for row in found] == [
        (2, True, False),
        (1, False, True),
    ]
    kept = await DB.fetchval(
        "SELECT count(*) FROM shared.audit_event WHERE county_id = $1 AND action = $2",
        COUNTY,
        "document.edit",
    )
    assert kept == 2


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{{ consequence }}", "{{ salary }}", "认不得的占位符"),
        ("{{ grade }}", "合格", "缺少不能省的占位符.*等次"),
        ("{{ consequence }}", "{{ consequence", "占位符写错了"),
        ("{{ consequence }}", "{% for x in range(9) %}{{ x }}{% endfor %}", "认不得的占位符"),
        ("{{ consequence }}", "{{ title.__class__.__mro__ }}", "不能使用的写法|认不得"),
        ("{{ consequence }}", "{{ title * 99999999999 }}", "太复杂"),
    ],
)
async def test_templates_that_are_refused(
    town: SmallCounty, old: str, new: str, sentence: str
) -> None:
    """With what is wrong; nothing is kept."""
    actor = await acting(town.department, desk=True)
    kind = DocumentKind.LETTER
    with pytest.raises(Invalid, match=sentence):
        await service.upload(actor, kind, "改.docx", changed(kind, old, new), "", NOW)
    assert (await service.history(actor))[kind] == []


def test_files_that_are_no_template() -> None:
    """Not a package, another package, too many bytes, macros."""
    assert "不是 .docx" in rules.package_fault(b"hello")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("xl/workbook.xml", "<x/>")
    assert "不是 .docx" in rules.package_fault(target.getvalue())
    assert "2 MB" in rules.package_fault(b"x" * (rules.MOST_BYTES + 1))
    target = io.BytesIO(defaults.template(DocumentKind.NOTICE))
    with zipfile.ZipFile(target, "a") as package:
        package.writestr("word/vbaProject.bin", "x")
    assert "宏" in rules.package_fault(target.getvalue())
    target = io.BytesIO(defaults.template(DocumentKind.NOTICE))
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/media/big", b"0" * (rules.MOST_UNPACKED + 1))
    assert "展开后太大" in rules.package_fault(target.getvalue())


async def test_only_the_department_changes_templates(town: SmallCounty) -> None:
    """Others find nothing."""
    data = defaults.template(DocumentKind.NOTICE)
    for other in (town.instructor, town.chief, town.worker):
        actor = await acting(other)
        with pytest.raises(NotFound):
            await service.upload(actor, DocumentKind.NOTICE, "改.docx", data, "", NOW)
        with pytest.raises(NotFound):
            await service.template(actor, DocumentKind.NOTICE)


async def test_a_result_as_sheet_letter_and_notice(rollback: None) -> None:
    """What was decided stands in each; the notice masks; each is written down as an export."""
    made = await scene()
    worker, other = made.town.worker, made.town.second_worker
    await result(made, worker, "excellent", "93.5")
    await result(made, other, "basic", "63.0")
    department = await actor_of(made, made.town.department)
    longer = msgspec.structs.replace(await settings_county.get(COUNTY), objection_days=8)
    await settings_county.update(department, COUNTY, longer)
    stale = msgspec.structs.replace(department, confirmed_at=None)
    with pytest.raises(ConfirmFirst):
        await facts.sheet(stale, made.cycle_id, worker.person_id, made.now)
    department = msgspec.structs.replace(department, confirmed_at=made.now)
    name, content = await facts.sheet(department, made.cycle_id, worker.person_id, made.now)
    text = words(content)
    assert name == f"考核表_{worker.name}_2026年上半年网格员评比.docx"
    assert ("93.5" in text, "优秀" in text, "群众满意度" in text) == (True, True, True)
    assert f"导出：{department.name} 20" in footers(content)
    _, content = await facts.letter(department, made.cycle_id, other.person_id, made.now)
    assert "导出" not in footers(content), "a paper for its person names no clerk"
    text = words(content)
    assert (other.name in text, "基本合格" in text, "改进计划" in text) == (True, True, True)
    assert "请在收到本告知书后第 8 个工作日（含当日）前提出" in text
    assert chinese_date(made.today) not in text, "printed ahead: the day of service is written in"
    assert "　　年　　月　　日" in text.splitlines()
    await served(made, other)
    later = made.now + timedelta(days=90)
    _, content = await facts.letter(department, made.cycle_id, other.person_id, later)
    assert "收到本告知书后" not in words(content)
    assert chinese_date(made.today) in words(content), "as it was served, not as printed again"
    assert chinese_date(today(later)) not in words(content)
    last = await calendar.add_working_days(COUNTY, made.today, 8)
    assert f"请在{chinese_date(last)}（含当日）前提出" in words(content)
    notice_id = await notices.issue_results(
        department, made.cycle_id, NoticeForm(phone="0715-1"), made.now
    )
    _, content = await facts.notice(department, notice_id, made.now)
    text = words(content)
    assert ("欧**山" in text, worker.name in text, other.name in text) == (True, False, False)
    assert "0715-1" in text
    logged = await DB.fetchval(
        "SELECT count(*) FROM shared.export_log WHERE county_id = $1", COUNTY
    )
    assert logged == 4
    about = await DB.fetch(
        "SELECT DISTINCT unit_code, about_id FROM shared.audit_event"
        " WHERE county_id = $1 AND action = 'export' ORDER BY 1",
        COUNTY,
    )
    assert [tuple(row) for row in about] == [
        (f"{COUNTY}", None),
        (worker.unit_code, worker.person_id),
        (other.unit_code, other.person_id),
    ]
    name, content = await facts.sheet(
        await actor_of(made, worker), made.cycle_id, worker.person_id, made.now
    )
    assert (worker.name in name, "93.5" in words(content)) == (True, True)
    stranger = await actor_of(made, made.town.second_worker)
    with pytest.raises(NotFound):
        await facts.sheet(stranger, made.cycle_id, worker.person_id, made.now)
    with pytest.raises(NotFound):
        await facts.letter(stranger, made.cycle_id, worker.person_id, made.now)


async def test_a_sheet_gives_the_reason_of_the_score_that_counts(rollback: None) -> None:
    """Calibrated twice: the words beside the last score are those it was set with."""
    made = await scene(stage=Stage.REVIEW)
    worker = made.town.worker
    await result(made, worker, "good", "80.0")
    department = await actor_of(made, made.town.department)
    department = msgspec.structs.replace(department, confirmed_at=made.now)
    for score, reason in (("82", "补录考勤"), ("85", "补录培训")):
        await calibrating.calibrate(
            department, made.cycle_id, worker.person_id, Decimal(score), reason, made.now
        )
        made.pass_days(1)
    department = msgspec.structs.replace(department, confirmed_at=made.now)
    _, content = await facts.sheet(department, made.cycle_id, worker.person_id, made.now)
    assert ("补录培训" in words(content), "补录考勤" in words(content)) == (True, False)


@pytest.mark.parametrize(
    ("grade", "more", "says", "never"),
    [
        ("fail", {}, "书面警告", "误差"),
        ("fail", {"ballots": 6}, "不据此警告或退出", "书面警告"),
        ("basic", {"ballots": 6}, "不据此警告或退出", "改进计划"),
        ("fail", {"note": "veto"}, "一票否决", "误差"),
        ("undetermined", {}, "任职不满", "没有可以评分"),
    ],
)
async def test_a_letter_threatens_with_nothing_that_cannot_follow(
    rollback: None, grade: str, more: dict[str, Any], says: str, never: str
) -> None:
    """Thin evidence carries no warning; a veto is named where the score does not say fail."""
    made = await scene()
    worker = made.town.worker
    await result(made, worker, grade, "41.0", **more)
    department = await actor_of(made, made.town.department)
    _, content = await facts.letter(department, made.cycle_id, worker.person_id, made.now)
    assert (says in words(content), never in words(content)) == (True, False)


async def test_a_ranking_and_a_cases_letter(rollback: None) -> None:
    """The ranking asks for password and purpose; a step's letter says how to go on."""
    made = await scene()
    worker = made.town.worker
    await result(made, worker, "basic", "63.0")
    department = await actor_of(made, made.town.department)
    ready = msgspec.structs.replace(department, confirmed_at=made.now)
    stale = msgspec.structs.replace(department, confirmed_at=None)
    with pytest.raises(ConfirmFirst):
        await facts.ranking(stale, made.cycle_id, Wanted(), "部务会", made.now)
    with pytest.raises(Invalid, match="用途"):
        await facts.ranking(ready, made.cycle_id, Wanted(), " ", made.now)
    _, content = await facts.ranking(ready, made.cycle_id, Wanted(), "部务会", made.now)
    assert "通城县网格员考核排名表" in words(content)
    assert f"导出：{department.name} 20" in footers(content)
    await served(made, worker)
    mine = await actor_of(made, worker)
    case_id = await notices.object_to(
        mine, made.cycle_id, worker.person_id, form(made, "raised"), made.now
    )
    renamed = await settings_county.get(COUNTY)
    renamed = msgspec.structs.replace(renamed, department_name="社会工作部")
    await settings_county.update(department, COUNTY, renamed)
    name, content = await facts.decision(department, case_id, 1, made.now)
    text = words(content)
    assert (worker.name in name, worker.name in text) == (True, True)
    assert "前（含当日）答复" in text
    assert "2026年上半年网格员评比" in text
    with pytest.raises(NotFound):
        await facts.decision(department, case_id, 99, made.now)
    await casework.sign(mine, case_id, form(made, "withdrawn"), made.now)
    _, content = await facts.decision(department, case_id, 2, made.now)
    assert "可以向通城县社会工作部反映" in words(content)


async def test_the_page_of_templates(client: httpx.AsyncClient, town: SmallCounty) -> None:
    """Downloaded, uploaded, refused in a sentence beside its kind, back to the default."""
    await act_as(client, town.department)
    path = "/appraisal/desk/documents"
    page = await client.get(path)
    assert page.text.count("默认模板") >= len(KINDS)
    assert "{{ objection_until }}" in page.text
    template = await client.get(f"{path}/letter/template.docx")
    assert template.headers["content-type"] == service.MIME
    assert (await client.get(f"{path}/nothing/template.docx")).status_code == 404

    async def upload(content: bytes) -> httpx.Response:
        fields = {"_csrf_token": await token(client), "reason": "改字"}
        files = {"file": ("改.docx", content)}
        return await client.post(f"{path}/letter", data=fields, files=files)

    refused = await upload(b"no document")
    assert (refused.status_code, "不是 .docx" in refused.text) == (422, True)
    assert (await upload(changed(DocumentKind.LETTER, "您在", "你在"))).status_code == 303
    assert "本县的模板（第 1 版，改.docx）" in (await client.get(path)).text
    sample = await client.get(f"{path}/letter/sample.docx")
    assert "你在" in words(sample.content)
    fields = {"_csrf_token": await token(client)}
    assert (await client.post(f"{path}/letter/default", data=fields)).status_code == 303
    assert (await client.post(f"{path}/letter/default", data=fields)).status_code == 409
