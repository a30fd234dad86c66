"""Statements of deductions. ``$1`` is the county everywhere."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.database import DB


class NewDeduction(msgspec.Struct, frozen=True, kw_only=True):
    """What is written when notice is served."""

    id: UUID
    worker_id: UUID
    village_code: str
    code: str
    title: str
    amount: int
    record_id: UUID | None
    facts: str
    evidence: str
    happened_on: date
    proposed_by: UUID
    proposed_at: datetime
    answer_due_on: date


class DeductionRow(NewDeduction, frozen=True, kw_only=True):
    """A deduction with everything that happened to it."""

    worker_name: str
    place: str
    """The township and the village."""
    state: str
    answer: str
    answered_at: datetime | None
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str
    appeal_due_on: date | None
    appeal: str
    appeal_decision: str
    notice_served_on: date | None
    decision_served_on: date | None
    phone: bool
    """Whether the worker reads it on a phone of their own, or has answered on one."""

    @property
    def told(self) -> bool:
        """Whether the worker knows of the notice or, once there is one, of the decision."""
        if self.state == "noticed":
            return self.phone or self.notice_served_on is not None or self.answer != ""
        return self.phone or self.decision_served_on is not None or self.appeal != ""


PHONE = """(d.answered_at IS NOT NULL OR EXISTS (SELECT FROM shared.account a
        WHERE a.county_id = $1 AND a.person_id = d.worker_id AND a.activated_at IS NOT NULL
          AND a.disabled_at IS NULL))"""
ROW = f"""
SELECT d.id, d.worker_id, w.name AS worker_name, concat(t.name, v.name) AS place,
       d.village_code, d.code, d.title, d.amount,
       d.record_id, d.facts, d.evidence, d.happened_on, d.state, d.proposed_by, d.proposed_at,
       d.answer_due_on, d.answer, d.answered_at, d.decided_by, d.decided_at, d.decision,
       d.appeal_due_on, d.appeal, d.appeal_decision, d.notice_served_on, d.decision_served_on,
       {PHONE} AS phone
FROM points.deduction d
JOIN shared.person w ON w.county_id = $1 AND w.id = d.worker_id
JOIN shared.unit v ON v.county_id = $1 AND v.code = d.village_code
JOIN shared.unit t ON t.county_id = $1 AND t.code = left(d.village_code, 9)
WHERE d.county_id = $1
"""
INSERT = """
INSERT INTO points.deduction (county_id, id, worker_id, village_code, code, title, amount,
    record_id, facts, evidence, happened_on, proposed_by, proposed_at, answer_due_on, state,
    answer, decision, appeal, appeal_decision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'noticed', '', '', '', '')
"""
SAME = """
SELECT id FROM points.deduction
WHERE county_id = $1 AND worker_id = $2 AND state = 'noticed' AND code = $3 AND amount = $4
  AND record_id IS NOT DISTINCT FROM $5 AND facts = $6 AND evidence = $7 AND happened_on = $8
  AND proposed_by = $9
ORDER BY id LIMIT 1
"""
CHARGED = """
SELECT EXISTS (SELECT FROM points.deduction
               WHERE county_id = $1 AND record_id = $2 AND code = $3
                 AND state NOT IN ('dropped', 'annulled'))
"""
SERVE = """
UPDATE points.deduction SET
    notice_served_on = CASE state WHEN 'noticed' THEN $3 ELSE notice_served_on END,
    answer_due_on = CASE state WHEN 'noticed' THEN $4 ELSE answer_due_on END,
    decision_served_on = CASE state WHEN 'decided' THEN $3 ELSE decision_served_on END,
    appeal_due_on = CASE state WHEN 'decided' THEN $4 ELSE appeal_due_on END
WHERE county_id = $1 AND id = $2
"""
# Who else could decide an appeal: instructors of the township and the department, who can sign in.
LEFT_TO_DECIDE = """
SELECT count(DISTINCT a.person_id)::int
FROM shared.unit u
JOIN shared.post p ON p.county_id = $1 AND p.unit_id = u.id
    AND (u.kind, p.role) IN (('township', 'instructor'), ('county', 'department'))
JOIN shared.assignment a ON a.county_id = $1 AND a.post_id = p.id
    AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to > $4)
JOIN shared.account c ON c.county_id = $1 AND c.person_id = a.person_id
    AND (c.activated_at IS NOT NULL OR c.password_hash IS NOT NULL) AND c.disabled_at IS NULL
WHERE u.county_id = $1 AND starts_with($2, u.code) AND a.person_id <> ALL ($3::uuid[])
"""
UNSERVED = """(d.state = 'noticed' AND d.notice_served_on IS NULL AND d.answer = ''
    OR d.state = 'decided' AND d.decision_served_on IS NULL AND d.appeal = '')"""
BELOW = " AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE starts_with(d.village_code, c))"


async def insert(county_id: int, row: NewDeduction) -> None:
    await DB.execute(INSERT, county_id, *msgspec.structs.astuple(row))


async def same(county_id: int, row: NewDeduction) -> UUID | None:
    """A notice of exactly this that nobody has decided yet."""
    found: UUID | None = await DB.fetchval(
        SAME,
        county_id,
        row.worker_id,
        row.code,
        row.amount,
        row.record_id,
        row.facts,
        row.evidence,
        row.happened_on,
        row.proposed_by,
    )
    return found


async def charged(county_id: int, record_id: UUID | None, code: str) -> bool:
    """Whether a record is held against its worker under a rule already, or was."""
    return bool(await DB.fetchval(CHARGED, county_id, record_id, code))


async def final_of(county_id: int, record_id: UUID) -> list[DeductionRow]:
    """What was deducted for good because of a record."""
    sql = ROW + " AND d.record_id = $2 AND d.state = 'final'"
    return await DB.all(DeductionRow, sql, county_id, record_id)


async def one(county_id: int, deduction_id: UUID, *, lock: bool = False) -> DeductionRow | None:
    sql = ROW + " AND d.id = $2" + (" FOR UPDATE OF d" if lock else "")
    return await DB.one(DeductionRow, sql, county_id, deduction_id)


async def of_worker(county_id: int, worker_id: UUID) -> list[DeductionRow]:
    sql = ROW + " AND d.worker_id = $2 ORDER BY d.id DESC LIMIT 50"
    return await DB.all(DeductionRow, sql, county_id, worker_id)


async def open_below(county_id: int, codes: Sequence[str]) -> list[DeductionRow]:
    sql = ROW + BELOW + " AND d.state IN ('noticed', 'appealed') ORDER BY d.id"
    return await DB.all(DeductionRow, sql, county_id, list(codes))


async def unserved_below(county_id: int, codes: Sequence[str]) -> list[DeductionRow]:
    """Whose worker has no phone, and whose letter nobody recorded as handed over."""
    sql = ROW + BELOW + f" AND {UNSERVED} AND NOT {PHONE} ORDER BY d.id"
    return await DB.all(DeductionRow, sql, county_id, list(codes))


async def left_to_decide(
    county_id: int, village_code: str, parties: Sequence[UUID], on: date
) -> int:
    """How many could decide an appeal, besides those who have a part in the deduction."""
    found: int = await DB.fetchval(LEFT_TO_DECIDE, county_id, village_code, list(parties), on)
    return found


async def below(
    county_id: int, codes: Sequence[str], limit: int, offset: int
) -> list[DeductionRow]:
    sql = ROW + BELOW + " ORDER BY d.id DESC LIMIT $3 OFFSET $4"
    return await DB.all(DeductionRow, sql, county_id, list(codes), limit, offset)


async def count_below(county_id: int, codes: Sequence[str]) -> int:
    sql = "SELECT count(*) FROM points.deduction d WHERE d.county_id = $1" + BELOW
    return int(await DB.fetchval(sql, county_id, list(codes)))


async def lapsed(county_id: int, on: date) -> list[DeductionRow]:
    told = f" AND (d.decision_served_on IS NOT NULL OR {PHONE})"
    sql = ROW + " AND d.state = 'decided' AND d.appeal_due_on < $2" + told
    sql += " ORDER BY d.id LIMIT 500"
    return await DB.all(DeductionRow, sql, county_id, on)


async def serve(county_id: int, deduction_id: UUID, on: date, due_on: date) -> None:
    """What it stands at was handed over; ``due_on`` is the last day to answer or to appeal."""
    await DB.execute(SERVE, county_id, deduction_id, on, due_on)


async def answer(county_id: int, deduction_id: UUID, text: str, at: datetime | None) -> None:
    """``at`` None: words from a paper, which leave the term as it is."""
    await DB.execute(
        "UPDATE points.deduction SET answer = $3, answered_at = $4"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        deduction_id,
        text,
        at,
    )


async def decide(
    county_id: int, deduction_id: UUID, state: str, by: tuple[UUID, datetime, str, date]
) -> None:
    """``by`` is (decider, at, reason, last day to appeal)."""
    await DB.execute(
        "UPDATE points.deduction SET state = $3, decided_by = $4, decided_at = $5, decision = $6,"
        " appeal_due_on = $7 WHERE county_id = $1 AND id = $2",
        county_id,
        deduction_id,
        state,
        *by,
    )


async def appeal(county_id: int, deduction_id: UUID, text: str, at: datetime) -> None:
    await DB.execute(
        "UPDATE points.deduction SET state = 'appealed', appeal = $3, appealed_at = $4"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        deduction_id,
        text,
        at,
    )


async def decide_appeal(
    county_id: int, deduction_id: UUID, state: str, by: tuple[UUID, datetime, str]
) -> None:
    """``by`` is (decider, at, reason)."""
    await DB.execute(
        "UPDATE points.deduction SET state = $3, appeal_decided_by = $4, appeal_decided_at = $5,"
        " appeal_decision = $6, posted_at = CASE WHEN $3 = 'final' THEN $5::timestamptz END"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        deduction_id,
        state,
        *by,
    )


async def finalise(county_id: int, deduction_id: UUID, now: datetime) -> None:
    await DB.execute(
        "UPDATE points.deduction SET state = 'final', posted_at = $3"
        " WHERE county_id = $1 AND id = $2",
        county_id,
        deduction_id,
        now,
    )
