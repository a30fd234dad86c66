"""points.merit_entry, merit_month, published_month, checkable_record: what appraisal reads."""

from datetime import UTC, date, datetime

import pytest

from points.work import bulk, intake
from shared.database import DB
from tests.factories import COUNTY, small_county
from tests.points.work.test_intake import HEAD, row

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)
COLUMNS = {
    "merit_entry": ["county_id", "person_id", "day", "records", "awarded", "deducted"],
    "merit_month": ["county_id", "person_id", "month", "records", "awarded", "deducted"],
    "published_month": ["county_id", "month", "issued", "redeemed"],
}


@pytest.mark.parametrize("view", COLUMNS)
async def test_the_view_keeps_its_columns(rollback: None, view: str) -> None:
    """The contract: names and order; a new one goes to the end."""
    rows = await DB.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = ('points.' || $1::text)::regclass"
        " AND attnum > 0 ORDER BY attnum",
        view,
    )
    assert [r["attname"] for r in rows][: len(COLUMNS[view])] == COLUMNS[view]


async def test_a_month_sums_what_was_posted(rollback: None) -> None:
    """After caps, by month of work; what is not posted does not count."""
    town = await small_county()
    rows = [row(day, "ORG-02", "参加网格例会") for day in (1, 8, 15, 22, 29)]
    data = "\n".join([HEAD, *rows]).encode()
    await intake.import_work(None, COUNTY, data, "a.csv", now=NOW)
    sql = "SELECT * FROM points.merit_month WHERE county_id = $1"
    assert await DB.fetch(sql, COUNTY) == []
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk.post_month(COUNTY, 202610, NOW)
    (found,) = await DB.fetch(sql, COUNTY)
    assert dict(found) == {
        "county_id": COUNTY,
        "person_id": town.worker.person_id,
        "month": 202610,
        "records": 5,
        "awarded": 40,
        "deducted": 0,
    }
    entries = await DB.fetch(
        "SELECT day, records, awarded, deducted FROM points.merit_entry"
        " WHERE county_id = $1 AND person_id = $2 AND day < '2026-10-15' ORDER BY day",
        COUNTY,
        town.worker.person_id,
    )
    assert [tuple(entry) for entry in entries] == [
        (date(2026, 10, 1), 1, 10, 0),
        (date(2026, 10, 8), 1, 10, 0),
    ]


async def test_appraisal_reads_it_and_cannot_write(database: str) -> None:
    """Its role may select from the view only."""
    row_ = await DB.fetchrow(
        "SELECT has_table_privilege('gridmerit_appraisal', 'points.merit_month', 'SELECT')"
        " AND has_table_privilege('gridmerit_appraisal', 'points.merit_entry', 'SELECT') AS r,"
        " has_table_privilege('gridmerit_appraisal', 'points.work_record', 'SELECT') AS t"
    )
    assert row_ is not None
    assert (row_["r"], row_["t"]) == (True, False)


async def test_checkable_records_are_posted_and_keep_secrets(rollback: None) -> None:
    """What is not in the ledger cannot be drawn; of 专项帮教 nothing but that word is said."""
    town = await small_county()
    rows = [row(8, "ORG-02", "参加网格例会"), row(9, "CARE-02", "到某某家里谈话")]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "a.csv", now=NOW)
    sql = "SELECT * FROM points.checkable_record WHERE county_id = $1 ORDER BY work_date"
    assert await DB.fetch(sql, COUNTY) == []
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk.post_month(COUNTY, 202610, NOW)
    found = await DB.fetch(sql, COUNTY)
    assert [(one["rule_code"], one["label"]) for one in found] == [
        ("ORG-02", "参加网格例会"),
        ("CARE-02", "专项帮教"),
    ]
    assert {one["person_id"] for one in found} == {town.worker.person_id}
    assert list(found[0].keys()) == [
        "county_id",
        "record_id",
        "person_id",
        "grid_code",
        "work_date",
        "rule_code",
        "label",
    ]
    assert await DB.fetchval(
        "SELECT has_table_privilege('gridmerit_appraisal', 'points.checkable_record', 'SELECT')"
    )
