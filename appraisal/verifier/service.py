"""Asking every check in one snapshot."""

from time import perf_counter

import msgspec

from appraisal.scorecard import scoring_queries
from appraisal.verifier import queries
from shared.database import DB


class Finding(msgspec.Struct, frozen=True):
    """A broken invariant and the first row that breaks it."""

    invariant: str
    thing: str
    id: str
    detail: str


class Verdict(msgspec.Struct, frozen=True):
    """What was looked at and what is wrong; no findings = everything holds."""

    county_id: int
    runs: int
    seconds: float
    findings: tuple[Finding, ...]


async def counties() -> list[int]:
    """Counties that have a cycle."""
    return await queries.counties()


async def verify(county_id: int) -> Verdict:
    """Score every run of a county again from its inputs, count its ranks, read its signatures."""
    started = perf_counter()
    findings = []
    async with DB.transaction(isolation="repeatable_read"):
        await scoring_queries.be_roomy()
        runs = await queries.runs(county_id)
        for invariant, sql in queries.CHECKS.items():
            broken = await queries.first_broken(sql, county_id, runs)
            if broken:
                findings.append(Finding(invariant, broken.thing, broken.id or "", broken.detail))
    return Verdict(county_id, len(runs), perf_counter() - started, tuple(findings))
