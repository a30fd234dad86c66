"""Freezing the ranks of a run, in the transaction that scored or graded it."""

from uuid import UUID

from appraisal.ranking import queries


async def freeze(county_id: int, run_id: UUID) -> None:
    """Rank a run's workers anew at every level."""
    await queries.forget([county_id], [run_id])
    await queries.freeze([county_id], [run_id])
