"""The appraisal service. Its routers, in reading order, are the table of contents."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from litestar import Litestar

from appraisal.casework import web as casework
from appraisal.cycle import web as cycle
from appraisal.index import index
from appraisal.notice import web as notice
from appraisal.pool import web as pool
from appraisal.routes import ROUTES
from appraisal.scorecard import web as scorecard
from appraisal.scorecard import web_desk as scorecard_desk
from shared.clock import now
from shared.settings import Settings
from shared.web.plugin import PlatformPlugin

TEMPLATES = str(Path(__file__).parent / "templates")
CONSTRAINTS: dict[str, str] = {}
"""Database constraint → the sentence of its conflict."""


def create_app(settings: Settings, clock: Callable[[], datetime] = now) -> Litestar:
    """The ASGI app; the database (``DB``) must be configured before it starts."""
    return Litestar(
        route_handlers=[
            index,
            cycle.router,
            scorecard_desk.router,
            scorecard.router,
            casework.router,
            notice.router,
            pool.router,
        ],
        plugins=[PlatformPlugin(settings, ROUTES, [TEMPLATES], CONSTRAINTS, clock)],
    )
