"""The appraisal service. Its routers, in reading order, are the table of contents."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from litestar import Litestar

from appraisal.brief import web as brief
from appraisal.casework import web as casework
from appraisal.cycle import web as cycle
from appraisal.documents import web as documents
from appraisal.duty import web as duty
from appraisal.duty import web_entries, web_phone, web_random
from appraisal.index import index
from appraisal.intake import web as intake
from appraisal.notice import web as notice
from appraisal.own_data import router as own_data
from appraisal.pool import web as pool
from appraisal.ranking import web as ranking
from appraisal.routes import ROUTES
from appraisal.scorecard import web as scorecard
from appraisal.scorecard import web_desk as scorecard_desk
from appraisal.survey import web_ballot, web_desk, web_field, web_result
from appraisal.training import web as training
from appraisal.whatif import web as whatif
from shared.clock import now
from shared.settings import Settings
from shared.web.application import Application
from shared.web.plugin import BODY_LIMIT, PlatformPlugin

TEMPLATES = str(Path(__file__).parent / "templates")
CONSTRAINTS: dict[str, str] = {}
"""Database constraint → the sentence of its conflict."""


def create_app(settings: Settings, clock: Callable[[], datetime] = now) -> Litestar:
    """The ASGI app; the database (``DB``) must be configured before it starts."""
    return Application(
        route_handlers=[
            index,
            cycle.router,
            scorecard_desk.router,
            duty.router,
            web_entries.router,
            web_random.router,
            web_phone.router,
            training.router,
            intake.router,
            ranking.router,
            brief.router,
            whatif.router,
            documents.router,
            scorecard.router,
            own_data,
            web_ballot.router,
            web_desk.router,
            web_field.router,
            web_result.router,
            casework.router,
            notice.router,
            pool.router,
        ],
        plugins=[PlatformPlugin(settings, ROUTES, [TEMPLATES], CONSTRAINTS, clock)],
        request_max_body_size=BODY_LIMIT,
    )
