from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Bytea
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-24T02:28:03:516819"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    manager.drop_column(
        table_class_name="Card",
        tablename="card",
        column_name="blocked_until",
        db_column_name="blocked_until",
        schema="points",
    )

    manager.drop_column(
        table_class_name="Card",
        tablename="card",
        column_name="failures",
        db_column_name="failures",
        schema="points",
    )

    manager.drop_column(
        table_class_name="Card",
        tablename="card",
        column_name="failures_on",
        db_column_name="failures_on",
        schema="points",
    )

    manager.drop_column(
        table_class_name="Card",
        tablename="card",
        column_name="failures_today",
        db_column_name="failures_today",
        schema="points",
    )

    manager.drop_column(
        table_class_name="Pickup",
        tablename="pickup",
        column_name="digits_cipher",
        db_column_name="digits_cipher",
        schema="points",
    )

    manager.add_column(
        table_class_name="Pickup",
        tablename="pickup",
        column_name="sealed",
        db_column_name="sealed",
        column_class_name="Bytea",
        column_class=Bytea,
        params={
            "default": None,
            "null": False,
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
