"""Reading the audit trail: who may, what is found, what an export leaves behind."""

import ast
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import fields

from shared.audit import queries, search
from shared.audit import service as audit
from shared.audit.schemas import Filters
from shared.audit.words import ACTIONS, SUBJECTS, action_name, authority_name, value_text
from shared.clock import now, today
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity.access import Action
from shared.identity.errors import ConfirmFirst
from shared.ids import new_id
from tests.factories import COUNTY, small_county
from tests.shared.identity.worlds import actor_of

ROOT = Path(__file__).resolve().parents[3]
OF_SOMEBODY = {
    "case",
    "deduction",
    "duty_entry",
    "hold",
    "kinship",
    "objection",
    "random_item",
    "redemption",
    "score",
    "serving",
    "shield",
    "work_record",
}
"""Kinds of objects that each belong to one person."""


def month(**conditions: object) -> Filters:
    """Today's events."""
    return Filters(since=today(), until=today(), **conditions)  # type: ignore[arg-type]


async def test_events_are_found_by_subject_person_and_unit(rollback: None) -> None:
    """Latest first, with names instead of ids, and every condition narrows."""
    world = await small_county()
    chief = await actor_of(world.chief)
    department = await actor_of(world.department, desk=True)
    worker = world.worker
    await audit.record(
        chief,
        "work.verify",
        "work_record",
        new_id(),
        county_id=COUNTY,
        about_id=worker.person_id,
        unit_code=worker.unit_code,
        before={"state": "declared"},
        after={"state": "verified"},
    )
    await audit.record(
        department, "identity.slip", "person", worker.person_id, county_id=COUNTY, reason="换手机"
    )
    lines = await search.search(department, month())
    assert [line.what for line in lines] == ["打印激活条", "核实"]
    verified = lines[1]
    assert (verified.who, verified.right("组织部")) == ("王书记", "总网格长（隽1社区居委会）")
    assert verified.changes("组织部") == [("状态", "declared", "verified")]
    assert [line.what for line in await search.search(department, month(subject="work"))] == [
        "核实"
    ]
    assert [line.about_name for line in lines] == [worker.name, worker.name]
    assert await search.search(department, month(who=worker.name)) == lines
    assert await search.search(department, month(object_id=worker.person_id)) == lines
    assert not await search.search(department, month(who=world.second_worker.name))
    assert len(await search.search(department, month(unit=chief.duties[0].unit_code))) == 1
    assert not await search.search(department, month(unit="421222101"))
    last = lines[0]
    older = await search.search(department, month(), (last.at, last.id))
    assert [line.id for line in older] == [verified.id]


async def test_only_department_and_auditor_read_it(rollback: None) -> None:
    """To everybody else there is no such page."""
    world = await small_county()
    for member in (world.chief, world.worker, world.instructor, world.accountant):
        with pytest.raises(NotFound):
            await search.search(await actor_of(member), month())
        with pytest.raises(NotFound):
            await search.exports(await actor_of(member), today(), today())


async def test_an_export_needs_a_purpose_and_is_itself_recorded(rollback: None) -> None:
    """The password just given, a purpose, and a line in 导出记录."""
    world = await small_county()
    department = await actor_of(world.department, desk=True)
    moment = now()
    with pytest.raises(ConfirmFirst):
        await search.export(department, month(), "检查", moment + timedelta(days=2), "组织部")
    import msgspec

    department = msgspec.structs.replace(department, confirmed_at=moment)
    with pytest.raises(Invalid):
        await search.export(department, month(), " ", moment, "组织部")
    name, content = await search.export(department, month(), "年度检查", moment, "组织部")
    assert name.startswith("通城县审计记录_")
    assert content.startswith(b"PK")
    [line] = await search.exports(department, today(), today())
    assert (line.person, line.name, line.purpose) == ("周部长", "审计记录", "年度检查")


async def test_an_export_says_whose_data_left(rollback: None) -> None:
    """The unit that was asked for, one person, or all that the actor may take out."""
    world = await small_county()
    department = await actor_of(world.department, desk=True)
    worker = world.worker
    village = worker.unit_code[:12]
    await audit.log_export(department, "花名册", "检查", 3, unit_code=village)
    await audit.log_export(department, "兑换台账", "对账", 9)
    await audit.log_export(await actor_of(worker), "本人资料", "查", 1, about_id=worker.person_id)
    assert [
        (line.unit_code, line.about_name)
        for line in reversed(await search.search(department, month(subject="export")))
    ] == [(village, None), (f"{COUNTY}", None), ("", worker.name)]
    assert len(await search.search(department, month(unit=village))) == 1
    listed = await search.exports(department, today(), today())
    county = world.units[f"{COUNTY}"].name
    assert [line.unit_name for line in reversed(listed)] == [world.units[village].name, county, ""]


async def test_the_trail_cannot_be_changed(rollback: None) -> None:
    """The service has no privilege for it."""
    await small_county()
    await audit.record(None, "import.funds", "file", county_id=COUNTY)
    for statement in (
        "UPDATE shared.audit_event SET reason = ''",
        "DELETE FROM shared.audit_event",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with DB.transaction():
                await DB.execute(statement + " WHERE county_id = 421222")


def test_every_action_has_a_chinese_word() -> None:
    """Those that change something: viewing leaves no event."""
    silent = {action for action in Action if action.value.endswith((".view", ".read", ".show"))}
    silent |= {Action.OWN_DATA, Action.EXPORT_LOG, Action.ORDER}
    written = {action.value for action in Action} - {a.value for a in silent}
    for folder in ("points", "appraisal", "shared", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            written |= set(actions(path.read_text()))
    assert sorted(written - ACTIONS.keys()) == []
    assert {action.partition(".")[0] for action in written} == SUBJECTS.keys()
    assert action_name("shop.unheard") == "积分超市 unheard"
    assert authority_name("wizard@1", None, "组织部") == "wizard（1）"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("payable_fen", 123456, "1234.56 元"),
        ("merit", 865, "86.5"),
        ("final", 8319, "83.19"),
        ("version", 3, "3"),
        ("live", False, "否"),
        ("steps", ["甲", "乙"], "甲、乙"),
        ("due", None, ""),
        ("reasons", {"重复": 2}, '{"重复":2}'),
    ],
)
def test_values_stand_in_their_units(field: str, value: object, words: str) -> None:
    """Nobody at the desk counts in fen or tenths of a point."""
    assert value_text(field, value) == words


def actions(source: str) -> Iterator[str]:
    """Actions that the calls of a module write to the audit, as far as they are literal."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2].lower()
            if "audit" in name or name in {"record", "_record", "entry"}:
                for part in (one for arg in node.args for one in ast.walk(arg)):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield from re.findall(r"^[a-z]+\.[a-z_]*[a-z]$", part.value)


def calls() -> Iterator[tuple[str, ast.Call, int]]:
    """Where an audit event is made, and the place of its object's kind among the arguments."""
    for folder in ("points", "appraisal", "shared", "deploy"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    place = {"audit.record": 2, "audit.Entry": 1}.get(ast.unparse(node.func))
                    if place:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node, place


def test_every_event_names_whose_object_it_is_about() -> None:
    """Else the search for a name would leave out what was done with this person's records."""
    found = {}
    for where, call, place in calls():
        kind = call.args[place]
        if isinstance(kind, ast.Constant) and kind.value in OF_SOMEBODY:
            names = any(word.arg == "about_id" for word in call.keywords)
            found[where] = kind.value, names or len(call.args) == len(fields(audit.Entry))
    assert {kind for kind, _ in found.values()} == OF_SOMEBODY
    assert [where for where, (_, named) in found.items() if not named] == []


def test_impossible_periods_are_refused() -> None:
    """Turned round, longer than a year and a bit, or as far off as a date can be."""
    for since, until in (
        (date(2026, 2, 1), date(2026, 1, 1)),
        (date(2024, 1, 1), date(2026, 1, 1)),
        (date.min, date.min),
        (date.max, date.max),
    ):
        with pytest.raises(Invalid):
            search.span(since, until)


async def test_a_page_of_exports_reads_no_more_than_it_shows(rollback: None) -> None:
    """Every file ever taken out was looked up with its event, for the fifty that are shown."""
    await DB.execute("SET LOCAL enable_seqscan = off")  # by index, however small the tables are
    await DB.execute("SET LOCAL enable_bitmapscan = off")
    since, until = now() - timedelta(days=365), now()
    plan = await DB.fetch(f"EXPLAIN {queries.EXPORTS}", COUNTY, since, until, "", None, None, 51)
    assert [row[0] for row in plan if "Index Scan using export_at" in row[0]], plan
