"""The appraisal service's rows in the table of routes and permissions."""

from shared.identity.routes import SHARED_ROUTES, Routes

ROUTES: Routes = {
    **SHARED_ROUTES,
}
