"""SQL of slips and ballots; ``$1`` is the county everywhere.

Nothing here reads a clock, and the order of :func:`burn` and :func:`cast` is that of the locks in
sql/31_survey_count.sql.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from appraisal.survey.rules import Answers
from appraisal.survey.schemas import PaperRow, SlipRow
from shared.database import DB

# A void batch's slip is still worth a ballot when its paper waits: it was handed in before.
SLIP = """
SELECT l.id, l.survey_id, l.grid_code, l.number, s.state, s.form_id, c.ends_on
FROM appraisal.ballot_slip l
JOIN appraisal.slip_batch b ON b.county_id = l.county_id AND b.id = l.batch_id
    AND (NOT b.voided OR EXISTS (
        SELECT FROM appraisal.ballot_paper p WHERE p.county_id = l.county_id AND p.id = l.id))
JOIN appraisal.survey s ON s.county_id = l.county_id AND s.id = l.survey_id
JOIN appraisal.cycle c ON c.county_id = s.county_id AND c.id = s.cycle_id
WHERE l.county_id = $1
"""
USED = """
SELECT EXISTS (SELECT FROM appraisal.ballot_burnt WHERE county_id = $1 AND id = $2)
    OR EXISTS (SELECT FROM appraisal.ballot_spent WHERE county_id = $1 AND id = $2)
"""
BURN = """
INSERT INTO appraisal.ballot_burnt (county_id, id, survey_id, grid_code) VALUES ($1, $2, $3, $4)
ON CONFLICT (county_id, id) DO NOTHING
"""
STILL_OPEN = """
SELECT s.state = 'drawn' AND NOT EXISTS (
        SELECT FROM appraisal.ballot_spent WHERE county_id = $1 AND id = $3) AND EXISTS (
        SELECT FROM appraisal.ballot_slip l
        JOIN appraisal.slip_batch b ON b.county_id = l.county_id AND b.id = l.batch_id
        WHERE l.county_id = $1 AND l.id = $3 AND (NOT b.voided OR $4))
FROM appraisal.survey s WHERE s.county_id = $1 AND s.id = $2
"""
CAST = """
INSERT INTO appraisal.ballot_inbox (county_id, id, survey_id, grid_code, aware, answers, comment)
VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, $6)
"""
PAPER = """
SELECT id, survey_id, grid_code, aware, answers, comment, first_by, second_by, second_aware,
       second_answers, second_comment
FROM appraisal.ballot_paper WHERE county_id = $1
"""
INSERT_PAPER = """
INSERT INTO appraisal.ballot_paper (county_id, id, survey_id, grid_code, aware, answers, comment,
    first_by, second_comment)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, '' FROM appraisal.ballot_slip l
JOIN appraisal.slip_batch b ON b.county_id = l.county_id AND b.id = l.batch_id AND NOT b.voided
WHERE l.county_id = $1 AND l.id = $2
ON CONFLICT (county_id, id) DO NOTHING
"""
SECOND_PAPER = """
UPDATE appraisal.ballot_paper SET second_by = $3, second_aware = $4, second_answers = $5,
    second_comment = $6
WHERE county_id = $1 AND id = $2
"""
INSERT_BATCH = """
INSERT INTO appraisal.slip_batch (county_id, id, survey_id, grid_code, slips, voided, printed_by,
    printed_on)
VALUES ($1, $2, $3, $4, $5, FALSE, $6, $7)
"""
INSERT_SLIPS = """
INSERT INTO appraisal.ballot_slip (county_id, id, survey_id, batch_id, grid_code, number)
SELECT $1, new.id, $2, new.batch_id, new.grid_code, new.number
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[])
    AS new (id, batch_id, grid_code, number)
ORDER BY new.id
"""
NUMBERS = "SELECT number FROM appraisal.ballot_slip WHERE county_id = $1 AND survey_id = $2"
UNUSED = """
SELECT l.grid_code, count(*)::int AS slips
FROM appraisal.slip_batch b
JOIN appraisal.ballot_slip l ON l.county_id = b.county_id AND l.batch_id = b.id
WHERE b.county_id = $1 AND b.survey_id = $2 AND starts_with(b.grid_code, $3)
  AND (NOT b.voided OR EXISTS (
    SELECT FROM appraisal.ballot_paper p WHERE p.county_id = $1 AND p.id = l.id))
  AND NOT EXISTS (SELECT FROM appraisal.ballot_burnt u WHERE u.county_id = $1 AND u.id = l.id)
  AND NOT EXISTS (SELECT FROM appraisal.ballot_spent u WHERE u.county_id = $1 AND u.id = l.id)
GROUP BY l.grid_code
"""
VOID = """
UPDATE appraisal.slip_batch SET voided = TRUE
WHERE county_id = $1 AND survey_id = $2 AND starts_with(grid_code, $3) AND NOT voided
"""
WAITS = """
SELECT EXISTS (SELECT FROM appraisal.ballot_inbox WHERE county_id = $1)
    OR EXISTS (SELECT FROM appraisal.survey WHERE county_id = $1 AND state = 'drawn'
               AND waiting > 0)
"""
COUNT = "SELECT appraisal.count_ballots($1)"
CLOSE = "SELECT appraisal.close_ballots($1, $2)"


async def slip(county_id: int, slip_id: UUID) -> SlipRow | None:
    return await DB.one(SlipRow, SLIP + " AND l.id = $2", county_id, slip_id)


async def slip_by_number(county_id: int, survey_id: UUID, number: int) -> SlipRow | None:
    sql = SLIP + " AND l.survey_id = $2 AND l.number = $3"
    return await DB.one(SlipRow, sql, county_id, survey_id, number)


async def used(county_id: int, slip_id: UUID) -> bool:
    found: bool = await DB.fetchval(USED, county_id, slip_id)
    return found


async def burn(county_id: int, row: SlipRow) -> bool:
    """Use a slip; False when that has been done since the last count.

    From here to the end of the transaction no count runs, so what is asked next is certain.
    """
    return await DB.count(BURN, county_id, row.id, row.survey_id, row.grid_code) == 1


async def still_open(county_id: int, row: SlipRow, *, keyed: bool) -> bool:
    """After :func:`burn`: not counted before, not void, the survey not closed meanwhile.

    ``keyed`` says that its paper was handed in, which a batch made void later does not undo.
    """
    found: bool = await DB.fetchval(STILL_OPEN, county_id, row.survey_id, row.id, keyed)
    return found


async def cast(county_id: int, row: SlipRow, answers: Answers) -> None:
    await DB.execute(
        CAST,
        county_id,
        row.survey_id,
        row.grid_code,
        answers.aware,
        list(answers.values),
        answers.comment,
    )


async def paper(county_id: int, slip_id: UUID) -> PaperRow | None:
    return await DB.one(PaperRow, PAPER + " AND id = $2 FOR UPDATE", county_id, slip_id)


async def papers(county_id: int, survey_id: UUID) -> list[PaperRow]:
    """Papers that wait, in no order that says anything."""
    return await DB.all(PaperRow, PAPER + " AND survey_id = $2 ORDER BY id", county_id, survey_id)


async def insert_paper(county_id: int, row: SlipRow, answers: Answers, by: UUID) -> bool:
    """False when somebody else keyed the same paper, or made its slip void, at this moment."""
    changed = await DB.count(
        INSERT_PAPER,
        county_id,
        row.id,
        row.survey_id,
        row.grid_code,
        answers.aware,
        list(answers.values),
        answers.comment,
        by,
    )
    return changed == 1


async def second_paper(county_id: int, slip_id: UUID, answers: Answers, by: UUID) -> None:
    await DB.execute(
        SECOND_PAPER, county_id, slip_id, by, answers.aware, list(answers.values), answers.comment
    )


async def end_paper(county_id: int, slip_id: UUID) -> bool:
    """Whether the slip's paper waited."""
    sql = "DELETE FROM appraisal.ballot_paper WHERE county_id = $1 AND id = $2"
    return (await DB.execute(sql, county_id, slip_id)).endswith(" 1")


async def insert_batch(
    county_id: int,
    batch_id: UUID,
    survey_id: UUID,
    grid_code: str,
    slips: int,
    by: UUID,
    on: date,
) -> None:
    await DB.execute(INSERT_BATCH, county_id, batch_id, survey_id, grid_code, slips, by, on)


async def insert_slips(
    county_id: int, survey_id: UUID, rows: Sequence[tuple[UUID, UUID, str, int]]
) -> None:
    """(id, batch, grid, number), stored in the order of the ids, which says nothing."""
    ids, batches, grids, numbers = ([row[index] for row in rows] for index in range(4))
    await DB.execute(INSERT_SLIPS, county_id, survey_id, ids, batches, grids, numbers)


async def numbers(county_id: int, survey_id: UUID) -> set[int]:
    """Numbers that are on slips already."""
    return {row["number"] for row in await DB.fetch(NUMBERS, county_id, survey_id)}


async def hold() -> None:
    """No ballot, no keying and no count until the transaction ends: all of them begin here."""
    await DB.execute("LOCK TABLE appraisal.ballot_paper IN SHARE MODE")


async def unused(county_id: int, survey_id: UUID, code: str) -> dict[str, int]:
    """Slips below a unit that are still worth a ballot, by grid; certain after :func:`hold`."""
    rows = await DB.fetch(UNUSED, county_id, survey_id, code)
    return {row["grid_code"]: row["slips"] for row in rows}


async def void(county_id: int, survey_id: UUID, code: str) -> int:
    """Make the printed slips below a unit void; how many batches."""
    return await DB.count(VOID, county_id, survey_id, code)


async def waits(county_id: int) -> bool:
    """Whether a count would find anything; asked outside the count's transaction."""
    found: bool = await DB.fetchval(WAITS, county_id)
    return found


async def count(county_id: int) -> int:
    """Move what is ready from the inbox to the box; how many ballots."""
    moved: int = await DB.fetchval(COUNT, county_id)
    return moved


async def close(county_id: int, survey_id: UUID) -> int:
    """The last count; how many ballots had to be dropped."""
    dropped: int = await DB.fetchval(CLOSE, county_id, survey_id)
    return dropped
