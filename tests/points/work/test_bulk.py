"""A month confirmed from paper sheets, and posted."""

from datetime import UTC, date, datetime, timedelta

import pytest

from points.work import bulk, bulk_queries, intake, month_queries, posting, posting_queries
from points.work.rules import State
from shared.database import DB
from shared.ids import new_id
from shared.months import month_bounds
from shared.roster import service as roster
from shared.roster.roles import Employment, Role
from tests.conftest import as_owner
from tests.factories import COUNTY, SmallCounty, member, small_county
from tests.points.work.test_intake import HEAD, row

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)


@pytest.fixture
async def town(rollback: None) -> SmallCounty:
    """A county with a handful of imported October records."""
    made = await small_county()
    rows = [
        row(8, "ORG-02", "参加网格例会"),
        row(9, "OPN-01", "上报路灯损坏"),
        row(10, "OPN-02", "上报山洪隐患点被乡镇采纳"),
        row(11, "SVC-01", "代办医保缴费"),
    ]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "a.csv", now=NOW)
    return made


async def test_every_step_names_who_had_the_authority(town: SmallCounty) -> None:
    """V1, both of V2, V3: by their holders, on paper; a resident's word is the signature."""
    result = await bulk.verify_month(COUNTY, 202610, NOW)
    assert (result.pending, result.accepted, result.steps, result.stuck) == (4, 4, 5, {})
    rows = await DB.fetch(
        "SELECT r.rule_code, v.by_id, v.authority, v.via FROM points.verification v"
        " JOIN points.work_record r ON r.county_id = $1 AND r.id = v.record_id"
        " WHERE v.county_id = $1 ORDER BY r.rule_code, v.authority",
        COUNTY,
    )
    assert {r["via"] for r in rows} == {"sheet"}
    assert [(r["rule_code"], r["by_id"]) for r in rows] == [
        ("OPN-01", town.committee.person_id),
        ("OPN-01", town.supervisor.person_id),
        ("OPN-02", town.instructor.person_id),
        ("ORG-02", town.lead.person_id),
        ("SVC-01", town.lead.person_id),
    ]
    how = await DB.fetchval(
        "SELECT resident_how FROM points.work_record WHERE county_id = $1 AND rule_code = 'SVC-01'",
        COUNTY,
    )
    assert how == "signature"
    again = await bulk.verify_month(COUNTY, 202610, NOW)
    assert (again.pending, again.accepted) == (0, 0)


async def test_what_nobody_can_confirm_stays(town: SmallCounty) -> None:
    """Without instructor and department a V3 record waits, and its reason is counted."""
    for who in (town.instructor, town.department):
        await roster.end_assignment(COUNTY, who.assignment_id, date(2026, 10, 1))
    result = await bulk.verify_month(COUNTY, 202610, NOW)
    assert (result.accepted, result.stuck) == (3, {"乡镇网格指导员": 1})


async def test_a_sheet_does_not_shorten_the_quiet_days(town: SmallCounty) -> None:
    """A quarrel settled on the 28th is confirmed with the run after the 4th."""
    rows = [row(day, "MED-01", f"劝解邻里纠纷{day}") for day in (27, 28)]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "b.csv", now=NOW)
    result = await bulk.verify_month(COUNTY, 202610, NOW)
    assert (result.pending, result.accepted, result.early, result.stuck) == (6, 5, 1, {})
    week = await bulk.verify_month(COUNTY, 202610, NOW + timedelta(days=1))
    assert (week.pending, week.accepted, week.early) == (1, 1, 0)


async def test_a_vacant_post_and_a_cadre_go_one_level_up(town: SmallCounty) -> None:
    """The step says under which authority, and how many were so."""
    grid = town.units["421222100002001"]
    await member(Role.GRIDWORKER, grid, "黎自立", employment=Employment.CADRE)
    rows = [row(12, "ORG-02", "参加网格例会", "黎自立", grid.code)]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "b.csv", now=NOW)
    result = await bulk.verify_month(COUNTY, 202610, NOW)
    assert (result.accepted, result.escalated) == (5, 1)
    assert result.by_role["instructor"] == 2


async def test_posting_is_once(town: SmallCounty) -> None:
    """The run posts what is accepted, closes the villages, and a second run posts nothing."""
    await bulk.verify_month(COUNTY, 202610, NOW)
    totals, villages = await bulk.post_month(COUNTY, 202610, NOW)
    assert (totals.records, totals.posted, villages) == (4, 10 + 10 + 30 + 10, 1)
    assert totals.awaiting == totals.posted
    state = await DB.fetchval(
        "SELECT state FROM points.village_month WHERE county_id = $1 AND month = 202610", COUNTY
    )
    assert state == "posted"
    again, villages = await bulk.post_month(COUNTY, 202610, NOW)
    assert (again.records, villages) == (0, 0)


async def test_a_row_of_a_posted_month_joins_the_next_run(town: SmallCounty) -> None:
    """It keeps its own month's caps, and the console's next run finds it."""
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk.post_month(COUNTY, 202610, NOW)
    rows = [row(20, "OPN-02", "上报塌方隐患被采纳")]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "b.csv", now=NOW)
    run = await DB.fetchval(
        "SELECT run_month FROM points.work_record WHERE county_id = $1 AND state = $2",
        COUNTY,
        State.PENDING,
    )
    assert run == 202611
    assert (await bulk.verify_month(COUNTY, 202610, NOW)).accepted == 1
    assert (await bulk.post_month(COUNTY, 202610, NOW))[0].records == 1


async def test_a_run_knows_what_earlier_ones_gave(town: SmallCounty) -> None:
    """Of the month, the year, the household and the words of a record; on its very day, too."""
    await DB.execute(
        "UPDATE points.work_record SET household = 'h' WHERE county_id = $1 AND rule_code = $2",
        COUNTY,
        "SVC-01",
    )
    await bulk.verify_month(COUNTY, 202610, NOW)
    totals, _ = await bulk.post_month(COUNTY, 202610, NOW)
    workers, on = [town.worker.person_id], date(2026, 10, 9)
    given = await posting_queries.given(COUNTY, workers, [202610])
    assert sum(item.posted for item in given) == totals.posted
    assert not await posting_queries.given(COUNTY, workers, [202609])
    years = await posting_queries.given_in_years(COUNTY, workers, [2026])
    assert years == [(town.worker.person_id, 2026, totals.posted)]
    await DB.execute(
        "UPDATE points.work_record SET work_date = '2026-12-31'"
        " WHERE county_id = $1 AND rule_code = 'OPN-02'",
        COUNTY,
    )
    assert await posting_queries.given_in_years(COUNTY, workers, [2026]) == years
    grid, other = "421222100001001", "421222100001002"
    seen = await posting_queries.visits(COUNTY, [grid], ["h"], date(2026, 10, 11))
    assert [item.rule_code for item in seen] == ["SVC-01"]
    assert not await posting_queries.visits(COUNTY, [other], ["h"], date(2026, 10, 11))
    await DB.execute(
        "UPDATE points.work_record SET posted = 0 WHERE county_id = $1 AND rule_code = 'SVC-01'",
        COUNTY,
    )
    assert not await posting_queries.visits(COUNTY, [grid], ["h"], date(2026, 10, 11))
    key = await DB.fetchrow(
        "SELECT grid_code, rule_code, text_key FROM points.work_record"
        " WHERE county_id = $1 AND rule_code = 'OPN-01'",
        COUNTY,
    )
    assert key is not None
    said = await posting_queries.reports(COUNTY, [tuple(key)], on, on)
    assert [item.rule_code for item in said] == ["OPN-01"]
    elsewhere = ("421222100299001", *tuple(key)[1:])
    assert not await posting_queries.reports(COUNTY, [elsewhere], on, on)


async def test_posting_many_looks_each_up_once(town: SmallCounty) -> None:
    """Also where statistics say that almost nothing waits; else a month of 2,000 took seconds."""
    await meetings("八", 2_000)
    await bulk.post_month(COUNTY, 202610, NOW)
    async with as_owner():
        await DB.execute("ANALYZE points.work_record")
    await meetings("九", 300)
    ids = await DB.fetchval(
        "SELECT array_agg(id) FROM points.work_record WHERE county_id = $1 AND state = 'accepted'",
        COUNTY,
    )
    decided = ["{}"] * len(ids), [None] * len(ids)
    plan = await DB.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS OFF) {posting_queries.STORE}",
        COUNTY, ids, [10] * len(ids), *decided, NOW, [], [None] * len(ids),
    )  # fmt: skip
    assert "rows=300" in plan[1][0].partition("actual")[2]
    assert not [row[0] for row in plan if "Rows Removed by Join Filter" in row[0]]


async def test_a_chunk_looks_only_at_its_villages(town: SmallCounty) -> None:
    """Not at the county's whole month for every 500 records: 20,000 took three times as long."""
    await meetings("八", 2_000)
    async with as_owner():
        await DB.execute("ANALYZE points.work_record")
    village, grid, on = "421222100002", "421222100002001", date(2026, 10, 8)
    words = await DB.fetchval(
        "SELECT text_key FROM points.work_record WHERE county_id = $1 AND rule_code = 'ORG-02'"
        " AND work_date = $2 LIMIT 1", COUNTY, on,
    )  # fmt: skip
    asked: dict[str, tuple[object, ...]] = {
        bulk_queries.READY: (202610, *month_bounds(202610), [village], 500),
        bulk_queries.WAITING: (202610, *month_bounds(202610), [village], *bulk.BEGINNING, 500),
        posting_queries.VISITS: ([grid], ["h"], on, 202610),
        posting_queries.REPORTS: ([grid], ["ORG-02"], [words], on, on),
    }
    for statement, arguments in asked.items():
        plan = await DB.fetch(f"EXPLAIN (ANALYZE, BUFFERS OFF) {statement}", COUNTY, *arguments)
        assert not [row[0] for row in plan if "Rows Removed by" in row[0]], plan


async def test_a_county_s_months_meet_each_record_once(town: SmallCounty) -> None:
    """Not once for every village: the page took a second in a county of 190."""
    await meetings("八", 100)
    plan = await DB.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS OFF) {month_queries.COUNTS}", COUNTY, 202610, [str(COUNTY)]
    )
    lines = [row[0] for row in plan if "Rows Removed by Join Filter" in row[0]]
    assert sum(int(line.rpartition(" ")[2]) for line in lines) < 104
    counts = await month_queries.counts(COUNTY, 202610, [str(COUNTY)])
    found = {row.village_code: row.pending + row.accepted for row in counts}
    assert found.pop(town.chief.unit_code) == 104
    assert set(found.values()) == {0}
    assert len(found) == 3


async def test_a_village_s_months_read_no_other_s(town: SmallCounty) -> None:
    """Its pages of 待办 and 月度公示: three months of the county, and one, at every look."""
    await meetings("八", 2_000)
    async with as_owner():
        await DB.execute("ANALYZE points.work_record")
    village = ["421222100002"]
    for statement, arguments in (
        (month_queries.COUNTS, (202610, village)),
        (month_queries.UNFINISHED, (village, 202608, 202610)),
    ):
        plan = await DB.fetch(f"EXPLAIN (ANALYZE, BUFFERS OFF) {statement}", COUNTY, *arguments)
        [records] = [row[0] for row in plan if " on work_record " in row[0]]
        assert "rows=0.00 " in records
        assert not [row[0] for row in plan if "Rows Removed by Join Filter" in row[0]], plan


async def test_the_night_reads_no_record_of_a_month_posted_long_ago(town: SmallCounty) -> None:
    """What a killed run has left is lately of a posted month; all years' were 3 GB every night."""
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk_queries.close(COUNTY, [(new_id(), town.chief.unit_code)], 202610, NOW)
    for since, count in ((NOW, 4), (NOW + timedelta(seconds=1), 0)):
        assert len(await month_queries.left_over(COUNTY, since)) == count
        explain = f"EXPLAIN (ANALYZE, BUFFERS OFF) {month_queries.LEFT_OVER}"
        plan = [row[0] for row in await DB.fetch(explain, COUNTY, since)]
        reads = [line for line in plan if " on work_record" in line and "never" not in line]
        assert bool(reads) == bool(count), plan


async def meetings(name: str, count: int) -> None:
    """That many records, accepted."""
    rows = [row(8, "ORG-02", f"参加第{name}组例会{n}") for n in range(count)]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "m.csv", now=NOW)
    await bulk.verify_month(COUNTY, 202610, NOW)


def test_chunks_keep_villages_whole() -> None:
    """No village is split, whatever the size."""
    pairs = [(new_id(), f"42122210000{village}001") for village in (1, 2, 3) for _ in range(4)]
    made = list(posting.chunks(pairs, size=6))
    assert [len(chunk) for chunk in made] == [4, 4, 4]
    assert {item for chunk in made for item in chunk} == {record_id for record_id, _ in pairs}
    assert [len(chunk) for chunk in posting.chunks(pairs, size=8)] == [8, 4]
