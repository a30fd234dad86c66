from piccolo.apps.migrations.auto.migration_manager import MigrationManager

ID = "2026-11-28T01:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The day of a month's sample, which nothing wrote or read"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    manager.drop_column(
        table_class_name="VillageMonth",
        tablename="village_month",
        column_name="sampled_at",
        db_column_name="sampled_at",
        schema="points",
    )

    return manager
