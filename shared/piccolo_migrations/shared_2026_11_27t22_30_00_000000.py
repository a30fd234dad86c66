from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-27T22:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "How long the first password of a desk account works, and who has taken theirs over"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="shared", description=DESCRIPTION)

    manager.add_column(
        table_class_name="Account",
        tablename="account",
        column_name="handed_until",
        db_column_name="handed_until",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
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

    manager.add_column(
        table_class_name="Account",
        tablename="account",
        column_name="taken_over_at",
        db_column_name="taken_over_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
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
