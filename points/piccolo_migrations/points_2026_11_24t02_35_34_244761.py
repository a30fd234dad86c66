from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-24T02:35:34:244761"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    manager.drop_column(
        table_class_name="Pickup",
        tablename="pickup",
        column_name="note",
        db_column_name="note",
        schema="points",
    )

    manager.drop_column(
        table_class_name="Pickup",
        tablename="pickup",
        column_name="way",
        db_column_name="way",
        schema="points",
    )

    manager.add_column(
        table_class_name="Pickup",
        tablename="pickup",
        column_name="deliver_to",
        db_column_name="deliver_to",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": "",
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
