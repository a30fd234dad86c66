"""Statements of appraisal awards. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from shared.database import DB

MOST = 5_000


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An award that a closed cycle has earned somebody; ``amount`` in 0.1 point."""

    person_id: UUID
    cycle_id: UUID
    award: str
    amount: int
    title: str
    closed_on: date


DUE = """
SELECT person_id, cycle_id, award, amount, title, closed_on FROM appraisal.award_due
WHERE county_id = $1 ORDER BY closed_on DESC, person_id LIMIT $2
"""
POSTED = "SELECT id FROM points.posting WHERE county_id = $1 AND id = ANY($2::uuid[])"


async def due(county_id: int) -> list[Due]:
    """The latest awards of the county; more than a county's workers are never new at once."""
    return await DB.all(Due, DUE, county_id, MOST)


async def posted(county_id: int, ids: Sequence[UUID]) -> set[UUID]:
    """Which of the ids the ledger has."""
    return {row["id"] for row in await DB.fetch(POSTED, county_id, list(ids))}
