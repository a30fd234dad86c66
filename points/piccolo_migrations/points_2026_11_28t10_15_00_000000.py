from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Date
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-28T10:15:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "When notice and decision of a deduction were handed over on paper"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    for name in ("notice_served_on", "decision_served_on"):
        manager.add_column(
            table_class_name="Deduction",
            tablename="deduction",
            column_name=name,
            db_column_name=name,
            column_class_name="Date",
            column_class=Date,
            params={
                "default": None,
                "null": True,
                "primary_key": False,
                "unique": False,
                "index": False,
                "index_method": IndexMethod.btree,
                "choices": None,
                "db_column_name": None,
                "secret": False,
            },
            schema="points",
        )

    return manager
