"""Piccolo's configuration: the one place that names all three apps."""

from piccolo.conf.apps import AppRegistry

from shared.database import DB

APP_REGISTRY = AppRegistry(
    apps=["shared.piccolo_app", "points.piccolo_app", "appraisal.piccolo_app"]
)

__all__ = ["APP_REGISTRY", "DB"]
