"""SQL of identity: county settings, accounts, sessions, slips, devices, terminal keys."""

from shared.database import DB

SELECT_SETTINGS = "SELECT settings FROM shared.county WHERE id = $1"
LOCK_SETTINGS = "SELECT settings FROM shared.county WHERE id = $1 FOR UPDATE"
STORE_SETTINGS = "UPDATE shared.county SET settings = $2 WHERE id = $1"


async def settings(county_id: int) -> str | None:
    """The county's settings as JSON text."""
    stored: str | None = await DB.fetchval(SELECT_SETTINGS, county_id)
    return stored


async def locked_settings(county_id: int) -> str | None:
    stored: str | None = await DB.fetchval(LOCK_SETTINGS, county_id)
    return stored


async def store_settings(county_id: int, text: str) -> None:
    await DB.execute(STORE_SETTINGS, county_id, text)
