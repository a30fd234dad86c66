"""The points service. Its routers, in reading order, are the table of contents."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from litestar import Litestar
from litestar.datastructures import State

from points.desk import web as desk
from points.index import index
from points.ledger import committer
from points.ledger import web as wallet
from points.ledger.seal import web as seal
from points.mall import web_desk as mall_desk
from points.mall import web_shop as shelf_web
from points.mall import web_verify as price_web
from points.mall.service import check_value
from points.oversight import web as oversight
from points.own_data import SECTIONS
from points.redemption import api as counter_api
from points.redemption import web as wallet_web
from points.redemption import web_shop as counter_web
from points.redemption import web_verify as counter_verify
from points.routes import ROUTES
from points.rulebook import web as rulebook
from points.rulebook.variants import web as variants_web
from points.settlement import web as statements
from points.settlement.funds import web as funds
from points.settlement.publication import web as publication
from points.settlement.reports import web as reports
from points.work import web as work
from points.work import web_deductions, web_desk, web_evidence
from points.work import web_verify as verify
from shared.audit import web as audit_web
from shared.calendar import web as calendar
from shared.clock import now
from shared.identity import web, web_manage, web_me, web_settings, web_shop, web_wechat
from shared.retention import web as retention
from shared.roster import web as roster_phone
from shared.roster.intake import web as roster_import
from shared.roster.office import web as roster_desk
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
            desk.router,
            web.router,
            web_me.router,
            web_wechat.router,
            web_manage.router,
            web_shop.router,
            work.router,
            wallet.router,
            seal.router,
            verify.router,
            wallet_web.router,
            counter_web.router,
            web_deductions.router,
            web_desk.router,
            web_evidence.router,
            rulebook.router,
            variants_web.router,
            counter_verify.router,
            shelf_web.router,
            price_web.router,
            mall_desk.router,
            counter_api.router,
            statements.router,
            funds.router,
            publication.router,
            reports.router,
            oversight.router,
            calendar.router,
            web_settings.router,
            audit_web.router,
            retention.router,
            roster_phone.router,
            roster_desk.router,
            roster_import.router,
        ],
        on_startup=[counter_api.close_bodies],
        lifespan=[committer.serving],
        state=State({"own_data": SECTIONS, "settings_checks": (check_value,)}),
        plugins=[PlatformPlugin(settings, ROUTES, [TEMPLATES], CONSTRAINTS, clock)],
        request_max_body_size=BODY_LIMIT,
    )
