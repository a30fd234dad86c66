"""The ledger's nightly work, driven with a clock of our own."""

from datetime import timedelta

import pytest

from points.ledger import service
from points.ledger.jobs import JOBS, BooksBroken
from shared.database import DB
from shared.ids import new_id
from tests.conftest import as_owner
from tests.factories import small_county
from tests.points.ledger.builders import (
    COUNTY,
    NOW,
    TODAY,
    appeal,
    award,
    fund,
    hold,
    line,
    one,
    restock,
)

RUN = {job.name: job.run for job in JOBS}


async def test_holds_codes_and_points_end(rollback: None) -> None:
    """Each sweep ends what is due, and what an appeal protects stays."""
    county = await small_county()
    worker, appealing = county.worker.person_id, county.second_worker.person_id
    fund_id, shop, rice = await fund(200), new_id(), new_id()
    await service.post(
        COUNTY,
        [
            award(worker, fund_id, 100, expires_on=TODAY + timedelta(days=9)),
            award(appealing, fund_id, 100, expires_on=TODAY),
            award(worker, fund_id, 40, expires_on=TODAY + timedelta(days=9)),
            restock(shop, rice),
            hold(worker, shop, line(rice, 1, 20), days=7),
        ],
        NOW,
    )
    await DB.execute(
        "INSERT INTO points.code (county_id, id, person_id, token_hash, digits_hash, created_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
        COUNTY, new_id(), worker, b"t" * 32, b"d" * 32, NOW,
    )  # fmt: skip
    await appeal(appealing)
    later = NOW + timedelta(days=10)
    period = str(TODAY + timedelta(days=10))
    assert await RUN["ledger.holds"](COUNTY, "", later) == "作废过期预订 1 份"
    assert await RUN["ledger.codes"](COUNTY, "", later) == "清理旧兑换码 1 个"
    assert await RUN["ledger.expiry"](COUNTY, period, later) == "到期清零 1 批"
    assert await RUN["ledger.awaiting"](COUNTY, period, later) == "补发待拨付 4 分"
    assert "全部相符" in await RUN["ledger.verify"](COUNTY, period, later)


async def test_nightly_check_raises_when_books_are_broken(rollback: None) -> None:
    """A broken ledger is a failed run with the row's name, never a quiet line in a log."""
    await one(award(new_id(), await fund(), 100))
    async with as_owner():
        await DB.execute("UPDATE points.fund SET budget_fen = 1 WHERE county_id = $1", COUNTY)
    with pytest.raises(BooksBroken, match="I5"):
        await RUN["ledger.verify"](COUNTY, "", NOW)
