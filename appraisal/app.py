"""The appraisal service.

It has its schema, its login role and its place behind the proxy; survey, cycle, scorecard, ranking
and pools are not built yet, so it answers health and readiness only.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from litestar import Litestar

from appraisal.routes import ROUTES
from shared.clock import now
from shared.settings import Settings
from shared.web.plugin import PlatformPlugin

TEMPLATES = str(Path(__file__).parent / "templates")


def create_app(settings: Settings, clock: Callable[[], datetime] = now) -> Litestar:
    """The ASGI app; the database (``DB``) must be configured before it starts."""
    return Litestar(
        route_handlers=[], plugins=[PlatformPlugin(settings, ROUTES, [TEMPLATES], {}, clock)]
    )
