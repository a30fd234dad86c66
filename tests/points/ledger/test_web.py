"""The wallet page through the door."""

import httpx

from points.ledger import service
from points.ledger.items import Opening
from shared.clock import today
from shared.ids import new_id
from tests.factories import COUNTY, small_county
from tests.shared.identity.test_web import enter


async def test_a_worker_reads_each_movement_and_its_receipt(client: httpx.AsyncClient) -> None:
    """Own movements open to their receipt; somebody else's does not exist."""
    world = await small_county()
    item = Opening(
        id=new_id(),
        person_id=world.worker.person_id,
        code="OPENING",
        merit=120,
        wallet=0,
        fund_id=None,
        unit_code=world.worker.unit_code[:12],
        day=today(),
        expires_on=None,
        memo="期初结转",
    )
    assert (await service.post_one(COUNTY, item)).accepted
    await enter(client, world.worker)
    page = await client.get("/wallet?unit=merit")
    assert "期初结转" in page.text
    assert "+12" in page.text
    [row] = await service.transfers(COUNTY, world.worker.person_id)
    receipt = await client.get(f"/wallet/{row.id}")
    assert receipt.status_code == 200
    found = await service.receipt(COUNTY, row.id)
    assert found.hash in receipt.text
    await enter(client, world.second_worker)
    assert (await client.get(f"/wallet/{row.id}")).status_code == 404
