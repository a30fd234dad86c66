from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from shared.database import DB

ID = "2026-11-26T11:10:41:690532"
VERSION = "1.38.0"
DESCRIPTION = "Records that change their state without their indexes"

# The indexes are made anew by the repeatable SQL, without the state.
STANDING = """
ALTER TABLE points.work_record ADD COLUMN IF NOT EXISTS standing boolean NOT NULL
    GENERATED ALWAYS AS (state NOT IN ('returned', 'withdrawn', 'refused')) STORED;
DROP INDEX IF EXISTS points.work_record_once;
DROP INDEX IF EXISTS points.work_record_run;
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    async def run():
        await DB.execute(STANDING)

    manager.add_raw(run)
    return manager
