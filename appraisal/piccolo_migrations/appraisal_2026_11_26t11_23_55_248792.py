from piccolo.apps.migrations.auto.migration_manager import MigrationManager

ID = "2026-11-26T11:23:55:248792"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="appraisal", description=DESCRIPTION)

    manager.drop_table(class_name="Receipt", tablename="receipt", schema="appraisal")

    return manager
