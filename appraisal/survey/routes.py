"""The survey's rows in the table of routes and permissions."""

from shared.identity.routes import OVERSIGHT, PUBLIC, SIGNED_IN, Routes, roles
from shared.roster.roles import Role

RUN = roles(Role.DEPARTMENT, desk=True)
FIELD = roles(Role.DEPARTMENT, Role.INSTRUCTOR)
SURVEY = "/appraisal/desk/cycles/{cycle_id}/survey"
LEADERS = roles(Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR)
VISITS = "/appraisal/visits/{survey_id}/{village_code}"

SURVEY_ROUTES: Routes = {
    "GET /s/{token}": PUBLIC,
    "POST /s/{token}": PUBLIC,
    "GET /appraisal/desk/households": OVERSIGHT,
    "POST /appraisal/desk/households": RUN,
    "GET /appraisal/desk/households/{run_id}/report.xlsx": RUN,
    "GET /appraisal/desk/survey-form": OVERSIGHT,
    "POST /appraisal/desk/survey-form": RUN,
    f"GET {SURVEY}": OVERSIGHT,
    f"POST {SURVEY}/freeze": RUN,
    f"POST {SURVEY}/draw": RUN,
    f"POST {SURVEY}/close": RUN,
    f"GET {SURVEY}/list": OVERSIGHT,
    f"GET {SURVEY}/drawn": OVERSIGHT,
    f"GET {SURVEY}/notice": OVERSIGHT,
    f"GET {SURVEY}/results": OVERSIGHT,
    f"GET {SURVEY}/words": RUN,
    "GET /appraisal/opinion": LEADERS,
    "GET /appraisal/opinion/{cycle_id}": LEADERS,
    "GET /appraisal/visits": SIGNED_IN,
    f"GET {VISITS}": SIGNED_IN,
    f"POST {VISITS}": SIGNED_IN,
    f"GET {VISITS}/print": SIGNED_IN,
    f"POST {VISITS}/slips": FIELD,
    f"POST {VISITS}/top-up": FIELD,
    f"POST {VISITS}/interviewers": FIELD,
    f"POST {VISITS}/interviewers/end": FIELD,
    "GET /appraisal/papers/{survey_id}": FIELD,
    "POST /appraisal/papers/{survey_id}": FIELD,
    "POST /appraisal/papers/{survey_id}/key": FIELD,
    "POST /appraisal/papers/{survey_id}/decide": FIELD,
}
