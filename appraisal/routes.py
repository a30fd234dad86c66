"""The appraisal service's rows in the table of routes and permissions.

Desk pages stand under ``/appraisal/desk``, phone pages under ``/appraisal``, ballots under ``/s``.
"""

from appraisal.casework.routes import CASE_ROUTES, NOTICE_ROUTES, POOL_ROUTES
from appraisal.documents.routes import DOCUMENT_ROUTES
from appraisal.duty.routes import DUTY_ROUTES, INTAKE_ROUTES, TRAINING_ROUTES
from appraisal.survey.routes import SURVEY_ROUTES
from shared.identity.routes import FORMER_TOO, OVERSIGHT, SHARED_ROUTES, Routes, roles
from shared.roster.roles import Role

DEPARTMENT = roles(Role.DEPARTMENT, desk=True)
LEADERS = roles(Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR)

CYCLE_ROUTES: Routes = {
    "GET /appraisal/desk": OVERSIGHT,
    "POST /appraisal/desk": DEPARTMENT,
    "GET /appraisal/desk/cycles/{cycle_id}": OVERSIGHT,
    "GET /appraisal/desk/cycles/{cycle_id}/brief": OVERSIGHT,
    "POST /appraisal/desk/cycles/{cycle_id}/advance": DEPARTMENT,
}

SCORECARD_ROUTES: Routes = {
    "GET /appraisal/desk/cycles/{cycle_id}/scorecards": OVERSIGHT,
    "POST /appraisal/desk/cycles/{cycle_id}/scorecards": DEPARTMENT,
    "POST /appraisal/desk/cycles/{cycle_id}/scorecards/annual": DEPARTMENT,
    "POST /appraisal/desk/cycles/{cycle_id}/scorecards/left-out": DEPARTMENT,
    "GET /appraisal/desk/cycles/{cycle_id}/scorecards/changes/{number}": OVERSIGHT,
    "GET /appraisal/desk/cycles/{cycle_id}/scorecards/{person_id}": OVERSIGHT,
    "POST /appraisal/desk/cycles/{cycle_id}/scorecards/{person_id}": DEPARTMENT,
    "GET /appraisal/desk/cycles/{cycle_id}/scorecards/{person_id}/merit": OVERSIGHT,
    "GET /appraisal/desk/scheme": OVERSIGHT,
    "POST /appraisal/desk/scheme": DEPARTMENT,
    "GET /appraisal/me": FORMER_TOO,
    "GET /appraisal/me/data.xlsx": FORMER_TOO,
    "GET /appraisal/me/{cycle_id}": FORMER_TOO,
    "GET /appraisal/team": LEADERS,
    "GET /appraisal/team/{cycle_id}": LEADERS,
    "GET /appraisal/team/{cycle_id}/{person_id}": LEADERS,
}

RANKING_ROUTES: Routes = {
    "GET /appraisal/desk/cycles/{cycle_id}/ranking": OVERSIGHT,
    "GET /appraisal/desk/cycles/{cycle_id}/ranking/units": OVERSIGHT,
    "GET /appraisal/desk/cycles/{cycle_id}/ranking.xlsx": OVERSIGHT,
    "GET /appraisal/desk/cycles/{cycle_id}/whatif": OVERSIGHT,
    "POST /appraisal/desk/cycles/{cycle_id}/whatif": OVERSIGHT,
}

ROUTES: Routes = {
    **SHARED_ROUTES,
    "GET /appraisal": FORMER_TOO,
    **CYCLE_ROUTES,
    **SCORECARD_ROUTES,
    **SURVEY_ROUTES,
    **DUTY_ROUTES,
    **TRAINING_ROUTES,
    **INTAKE_ROUTES,
    **RANKING_ROUTES,
    **CASE_ROUTES,
    **NOTICE_ROUTES,
    **POOL_ROUTES,
    **DOCUMENT_ROUTES,
}
