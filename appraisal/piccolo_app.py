"""Piccolo's view of the appraisal schema: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="appraisal",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(modules=["appraisal.tables"]),
    migration_dependencies=["shared.piccolo_app"],
)
