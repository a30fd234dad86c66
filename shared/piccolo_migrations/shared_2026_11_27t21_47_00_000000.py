from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Date
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-27T21:47:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Until when access is stopped while a case runs"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="shared", description=DESCRIPTION)

    manager.add_column(
        table_class_name="Account",
        tablename="account",
        column_name="stopped_until",
        db_column_name="stopped_until",
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
        schema="shared",
    )

    return manager
