"""The appraisal service's rows in the table of routes and permissions.

Desk pages stand under ``/appraisal/desk``, phone pages under ``/appraisal``, ballots under ``/s``.
"""

from shared.identity.routes import FORMER_TOO, OVERSIGHT, SHARED_ROUTES, Routes, roles
from shared.roster.roles import Role

DEPARTMENT = roles(Role.DEPARTMENT, desk=True)

CYCLE_ROUTES: Routes = {
    "GET /appraisal/desk": OVERSIGHT,
    "POST /appraisal/desk": DEPARTMENT,
    "GET /appraisal/desk/cycles/{cycle_id}": OVERSIGHT,
    "POST /appraisal/desk/cycles/{cycle_id}/advance": DEPARTMENT,
}

ROUTES: Routes = {
    **SHARED_ROUTES,
    "GET /appraisal": FORMER_TOO,
    "GET /appraisal/me": FORMER_TOO,
    **CYCLE_ROUTES,
}
