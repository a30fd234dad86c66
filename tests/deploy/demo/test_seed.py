import pytest

from deploy.demo import county as data
from deploy.demo.seed import PHONE, seed_demo, totp
from points.ledger import service as ledger
from shared import settings_county
from shared.clock import now, today
from shared.database import DB
from shared.errors import Conflict
from shared.identity import signin
from shared.roster import service as roster
from shared.settings import Settings


async def test_demo_county_is_ready_to_play_in(committed: None, settings: Settings) -> None:
    """Made once, and everybody in the table can sign in."""
    demo = await seed_demo(settings)
    again = await seed_demo(settings)
    assert (demo.made, again.made, again.sign_ins) == (True, False, demo.sign_ins)
    assert (await settings_county.get(data.COUNTY)).posting_mode == "immediate"
    for line in demo.sign_ins:
        who = (data.COUNTY, line.phone, line.secret)
        if line.path == PHONE:
            session = await signin.sign_in(*who, now())
        else:
            session = await signin.desk_sign_in(*who, totp(now()), now())
        assert session.token
    earlier = await DB.fetch(
        "SELECT DISTINCT state FROM points.work_record WHERE county_id = $1 AND work_date < $2",
        data.COUNTY,
        today().replace(day=1),
    )
    assert [row["state"] for row in earlier] == ["posted"]
    statements = await DB.fetch(
        "SELECT state, line_count FROM points.statement WHERE county_id = $1", data.COUNTY
    )
    assert {row["state"] for row in statements} == {"built", "frozen"}
    worker = await roster.person_by_phone(
        data.COUNTY, next(line.phone for line in demo.sign_ins if line.name == "欧阳金山")
    )
    assert worker
    assert (await ledger.balances(data.COUNTY, worker.id)).wallet >= 300
    assert await DB.fetchval(
        "SELECT count(*) FROM points.awaiting WHERE county_id = $1 AND remaining > 0", data.COUNTY
    )


async def test_demo_never_touches_a_real_county(rollback: None, settings: Settings) -> None:
    await roster.add_county(421222, "通城县")
    with pytest.raises(Conflict, match="别的县"):
        await seed_demo(settings)
