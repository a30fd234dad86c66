"""Every item kind: what it does and every refusal it knows."""

from points.ledger import service
from shared.ids import new_id
from tests.points.ledger.builders import COUNTY, award, fund, line, redeem, restock


async def test_award_then_redeem(rollback: None) -> None:
    """An award fills the wallet, a redemption empties it and the shelf."""
    fund_id = await fund()
    worker, shop, rice = new_id(), new_id(), new_id()
    outcomes = await service.post(
        COUNTY,
        [
            award(worker, fund_id, 100),
            restock(shop, rice, 3),
            redeem(worker, shop, line(rice, 2, 30)),
            redeem(worker, shop, line(rice, 2, 30)),
        ],
    )
    assert [o.code for o in outcomes] == ["accepted", "accepted", "accepted", "out_of_stock"]
    assert outcomes[2].balance == 40
