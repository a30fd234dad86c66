"""Locks of a county that belong to no row: whoever asks for the same name waits."""

from shared.database import DB

LOCK = "SELECT pg_advisory_xact_lock(hashtext($2), $1) -- $1 is county_id"


async def take(county_id: int, name: str) -> None:
    """Held until the caller's transaction ends; ``name`` begins with the schema it guards."""
    await DB.execute(LOCK, county_id, name)
