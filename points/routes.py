"""The points service's rows in the table of routes and permissions."""

from points.mall.routes import MALL_ROUTES
from points.redemption.routes import REDEMPTION_ROUTES
from points.rulebook.routes import RULEBOOK_ROUTES
from points.settlement.routes import SETTLEMENT_ROUTES
from points.work.routes import WORK_ROUTES
from shared.identity.routes import (
    FORMER_TOO,
    IDENTITY_ROUTES,
    OVERSIGHT,
    PUBLIC,
    SHARED_ROUTES,
    Routes,
    roles,
)
from shared.roster.roles import Role
from shared.roster.routes import ROSTER_ROUTES

ROUTES: Routes = {
    **SHARED_ROUTES,
    **IDENTITY_ROUTES,
    **ROSTER_ROUTES,
    "GET /": FORMER_TOO,
    **MALL_ROUTES,
    **REDEMPTION_ROUTES,
    "GET /desk": roles(Role.DEPARTMENT, Role.AUDITOR, desk=True),
    **SETTLEMENT_ROUTES,
    "GET /wallet": FORMER_TOO,
    "GET /wallet/{transfer_id}": FORMER_TOO,
    "GET /wallet/{transfer_id}/receipt.json": FORMER_TOO,
    "GET /check-receipt": PUBLIC,
    "GET /desk/seals": OVERSIGHT,
    "GET /desk/oversight": OVERSIGHT,
    "GET /desk/oversight.xlsx": OVERSIGHT,
    **RULEBOOK_ROUTES,
    **WORK_ROUTES,
}
