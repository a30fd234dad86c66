"""The points service's rows in the table of routes and permissions."""

from shared.identity.routes import SHARED_ROUTES, SIGNED_IN, Routes

ROUTES: Routes = {
    **SHARED_ROUTES,
    "GET /": SIGNED_IN,
}
