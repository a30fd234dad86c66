from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from shared.database import DB

ID = "2026-11-28T17:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "As whom somebody from above objected to a line of a statement"

# They stood as the village's accountant. The check is made anew by the repeatable SQL.
RAISED_AS = """
ALTER TABLE points.statement_dispute DROP CONSTRAINT IF EXISTS statement_dispute_state;
UPDATE points.statement_dispute d SET part = held.role
FROM (
    SELECT d.county_id, d.id, min(o.role) AS role
    FROM points.statement_dispute d
    JOIN shared.assignment a ON a.county_id = d.county_id AND a.person_id = d.raised_by
      AND a.valid_from <= (d.raised_at AT TIME ZONE 'Asia/Shanghai')::date
      AND (a.valid_to IS NULL OR a.valid_to > (d.raised_at AT TIME ZONE 'Asia/Shanghai')::date)
    JOIN shared.post o ON o.county_id = d.county_id AND o.id = a.post_id
      AND o.role IN ('accountant', 'instructor', 'department')
    WHERE d.part = 'accountant'
    GROUP BY d.county_id, d.id HAVING bool_and(o.role <> 'accountant')) AS held
WHERE d.county_id = held.county_id AND d.id = held.id;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    async def run():
        await DB.execute(RAISED_AS)

    manager.add_raw(run)
    return manager
