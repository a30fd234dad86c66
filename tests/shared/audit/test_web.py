"""审计查询 as the desk's browser shows it."""

import httpx

from shared.audit import service as audit
from tests.factories import COUNTY, small_county
from tests.shared.identity.test_web import enter_desk


async def test_every_event_leads_to_the_others_of_its_object(client: httpx.AsyncClient) -> None:
    """Also one that changed no field, as a printed slip or a shown phone; a file keeps to it."""
    world = await small_county()
    worker = world.worker.person_id
    await audit.record(None, "roster.phone", "person", worker, county_id=COUNTY)
    await enter_desk(client, world.department)
    page = (await client.get("/desk/audit?subject=roster")).text
    assert f"/desk/audit?object_id={worker}&amp;since=" in page
    page = (await client.get(f"/desk/audit?object_id={worker}")).text
    assert f'<input type="hidden" name="object_id" value="{worker}">' in page
