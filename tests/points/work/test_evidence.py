"""The rows behind a worker's month, for whoever checks an appraisal."""

from datetime import UTC, datetime

import httpx

from points.work import bulk, intake
from points.work.evidence import of_month
from tests.factories import COUNTY, acting, small_county
from tests.points.work.test_intake import HEAD, row
from tests.shared.identity.test_web import enter_desk

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)


async def test_each_point_leads_to_who_confirmed_it_and_to_the_ledger(
    client: httpx.AsyncClient,
) -> None:
    """Five meetings, four count: the fifth names the cap; every row has its place in the ledger."""
    town = await small_county()
    rows = [row(day, "ORG-02", "参加网格例会") for day in (1, 8, 15, 22, 29)]
    await intake.import_work(None, COUNTY, "\n".join([HEAD, *rows]).encode(), "a.csv", now=NOW)
    await bulk.verify_month(COUNTY, 202610, NOW)
    await bulk.post_month(COUNTY, 202610, NOW)
    department = await acting(town.department, desk=True)
    found = await of_month(department, town.worker.person_id, 202610)
    assert [line.posted for line in found.records] == [10, 10, 10, 10, 0]
    assert {line.verified_by for line in found.records} == {"郑志强"}
    assert [line.batch is not None for line in found.records] == [True] * 4 + [False]
    await enter_desk(client, town.department)
    page = await client.get(f"/desk/workers/{town.worker.person_id}/202610")
    assert (page.status_code, "郑志强" in page.text) == (200, True)
    for wrong in (202613, 2026):
        absent = await client.get(f"/desk/workers/{town.worker.person_id}/{wrong}")
        assert absent.status_code == 404
