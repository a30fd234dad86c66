"""The one way into the ledger: ``post``. Everything that moves points, stock or funds calls it.

Outside a transaction a batch commits by itself; inside one it is part of it, so that a month, an
import or a test stands or falls as a whole. Post last in a transaction: the batch locks the county
until commit, and whoever holds a row while waiting for the county could be waited for in turn.
"""

from collections.abc import Sequence

from points.ledger import queries
from points.ledger.items import MAX_ITEMS, Item, Outcome
from shared import clock


async def post(county_id: int, items: Sequence[Item]) -> list[Outcome]:
    """Put items into one batch and answer each, in order.

    Refusals are outcomes. More than ``MAX_ITEMS`` are cut into several batches.
    """
    outcomes: list[Outcome] = []
    for first in range(0, len(items), MAX_ITEMS):
        chunk = items[first : first + MAX_ITEMS]
        outcomes += await queries.post_batch(county_id, chunk, clock.now())
    return outcomes


async def post_one(county_id: int, item: Item) -> Outcome:
    """Post a single item."""
    return (await post(county_id, [item]))[0]
