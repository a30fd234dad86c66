from shared.database import DB


async def test_a(rollback: None) -> None:
    assert await DB.fetchval("select count(*) from shared.unit") == 0
