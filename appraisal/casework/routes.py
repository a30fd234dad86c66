"""Who may ask for the pages of cases, notices and pools; which object, the services decide."""

from shared.identity.routes import FORMER_TOO, OVERSIGHT, Routes, roles
from shared.roster.roles import Role

DEPARTMENT = roles(Role.DEPARTMENT, desk=True)
OFFICES = roles(Role.CHIEF, Role.INSTRUCTOR, Role.DEPARTMENT)
BOARD = roles(Role.CHIEF, Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR)
"""Who hangs public notices up, or reads them for the books."""

ASKERS = roles(Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR)
"""Who may know who objected."""

CASE_ROUTES: Routes = {
    "GET /appraisal/cases": FORMER_TOO,
    "GET /appraisal/cases/{case_id}": FORMER_TOO,
    "POST /appraisal/cases/{case_id}/sign": FORMER_TOO,
    "POST /appraisal/cases/{case_id}/objector": ASKERS,
    "GET /appraisal/cases/{case_id}/print": FORMER_TOO,
    "GET /appraisal/cases/{case_id}/steps/{number}": FORMER_TOO,
    "POST /appraisal/cases/{case_id}/steps/{number}": ASKERS,
    "GET /appraisal/desk/cases": OVERSIGHT,
    "GET /appraisal/desk/cases.xlsx": OVERSIGHT,
    "GET /appraisal/desk/kin": DEPARTMENT,
    "POST /appraisal/desk/kin": DEPARTMENT,
    "POST /appraisal/desk/kin/{kin_id}/end": DEPARTMENT,
}

NOTICE_ROUTES: Routes = {
    "GET /appraisal/desk/cycles/{cycle_id}/notice": OVERSIGHT,
    "POST /appraisal/desk/cycles/{cycle_id}/notice": DEPARTMENT,
    "GET /appraisal/desk/notices": OVERSIGHT,
    "POST /appraisal/desk/notices": DEPARTMENT,
    "GET /appraisal/desk/notices/{notice_id}/objections": OVERSIGHT,
    "POST /appraisal/desk/notices/{notice_id}/objections": DEPARTMENT,
    "GET /appraisal/notices/{notice_id}": BOARD,
    "GET /appraisal/serving": OFFICES,
    "GET /appraisal/results/{cycle_id}/{person_id}": BOARD,
    "POST /appraisal/results/{cycle_id}/{person_id}": OFFICES,
    "POST /appraisal/results/{cycle_id}/{person_id}/objection": OFFICES,
    "POST /appraisal/results/{cycle_id}/{person_id}/unreached": OFFICES,
    "GET /appraisal/results/{cycle_id}/{person_id}/print": BOARD,
    "GET /appraisal/me/{cycle_id}/objection": FORMER_TOO,
    "POST /appraisal/me/{cycle_id}/objection": FORMER_TOO,
    "POST /appraisal/me/{cycle_id}/receive": FORMER_TOO,
}

POOL_ROUTES: Routes = {
    "GET /appraisal/pools/{pool}": OFFICES,
    "GET /appraisal/people/{person_id}/open": OFFICES,
    "POST /appraisal/people/{person_id}/open": OFFICES,
    "GET /appraisal/admissions/new": OFFICES,
    "POST /appraisal/admissions/new": OFFICES,
    "GET /appraisal/resign": roles(Role.GRIDWORKER),
    "POST /appraisal/resign": roles(Role.GRIDWORKER),
    "GET /appraisal/desk/people/{person_id}/shields": DEPARTMENT,
    "POST /appraisal/desk/people/{person_id}/shields": DEPARTMENT,
    "POST /appraisal/desk/people/{person_id}/shields/{shield_id}/revoke": DEPARTMENT,
}
