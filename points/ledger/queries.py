"""SQL of the ledger: one call writes, everything else reads."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from points.ledger.items import Item, Outcome
from shared.database import DB

POST_BATCH = """
SELECT id, code, repeated, batch, position, person_id, amount, wallet, waiting, settled, balance,
       quantity, subject
FROM points.post_batch($1, $2::jsonb[], $3::bytea[], $4) ORDER BY place
"""


async def post_batch(county_id: int, items: Sequence[Item], at: datetime) -> list[Outcome]:
    """Decide and write one batch; one outcome an item, in order."""
    bodies = [msgspec.json.encode(item).decode() for item in items]
    fingerprints = [item.fingerprint() for item in items]
    return await DB.all(Outcome, POST_BATCH, county_id, bodies, fingerprints, at)
