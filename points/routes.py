"""The points service's rows in the table of routes and permissions."""

from points.redemption.routes import REDEMPTION_ROUTES
from shared.identity.routes import IDENTITY_ROUTES, SHARED_ROUTES, SIGNED_IN, Routes

ROUTES: Routes = {
    **SHARED_ROUTES,
    **IDENTITY_ROUTES,
    "GET /": SIGNED_IN,
    **REDEMPTION_ROUTES,
}
