"""Duty's and training's rows in the table of routes and permissions.

Desk pages without ``desk``: a township's instructor signs in with a PIN and works here at a
computer; the department's own rights need its password anyway.
"""

from shared.identity.routes import FORMER_TOO, Routes, roles
from shared.roster.roles import Role

LOOK = roles(Role.DEPARTMENT, Role.AUDITOR, Role.INSTRUCTOR)
EDIT = roles(Role.DEPARTMENT, Role.INSTRUCTOR)
DECIDE = roles(Role.DEPARTMENT, desk=True)
FIELD = roles(Role.INSTRUCTOR)
TRAINING_LOOK = roles(Role.DEPARTMENT, Role.AUDITOR, Role.INSTRUCTOR, Role.TRAINER)
TRAINING_EDIT = roles(Role.DEPARTMENT, Role.INSTRUCTOR, Role.TRAINER)

DUTY_ROUTES: Routes = {
    "GET /appraisal/desk/duty": LOOK,
    "POST /appraisal/desk/duty": EDIT,
    "GET /appraisal/desk/duty/export.xlsx": LOOK,
    "GET /appraisal/desk/duty/people/{person_id}": LOOK,
    "GET /appraisal/desk/duty/entries": LOOK,
    "POST /appraisal/desk/duty/entries": EDIT,
    "GET /appraisal/desk/duty/entries/export.xlsx": LOOK,
    "GET /appraisal/desk/duty/entries/new": EDIT,
    "GET /appraisal/desk/duty/entries/{entry_id}": LOOK,
    "GET /appraisal/desk/duty/entries/{entry_id}/correct": EDIT,
    "POST /appraisal/desk/duty/entries/{entry_id}/correct": EDIT,
    "POST /appraisal/desk/duty/entries/{entry_id}/withdraw": EDIT,
    "POST /appraisal/desk/duty/entries/{entry_id}/decide": DECIDE,
    "GET /appraisal/desk/duty/random": LOOK,
    "POST /appraisal/desk/duty/random": EDIT,
    "GET /appraisal/desk/duty/random/new": EDIT,
    "GET /appraisal/desk/duty/random/{check_id}": LOOK,
    "POST /appraisal/desk/duty/random/{check_id}/draw": EDIT,
    "POST /appraisal/desk/duty/random/{check_id}/results": EDIT,
    "POST /appraisal/desk/duty/random/{check_id}/void": EDIT,
    "GET /appraisal/desk/duty/random/{check_id}/list.txt": LOOK,
    "GET /appraisal/desk/duty/random/{check_id}/export.xlsx": LOOK,
    "GET /appraisal/desk/duty/random/{check_id}/print": LOOK,
    "GET /appraisal/desk/cycles/{cycle_id}/duty": LOOK,
    "GET /appraisal/duty": FIELD,
    "GET /appraisal/duty/new": FIELD,
    "POST /appraisal/duty/new": FIELD,
    "GET /appraisal/duty/random/{check_id}": FIELD,
    "POST /appraisal/duty/random/{check_id}": FIELD,
    "GET /appraisal/me/duty": FORMER_TOO,
}
TRAINING_ROUTES: Routes = {
    "GET /appraisal/desk/training": TRAINING_LOOK,
    "POST /appraisal/desk/training": TRAINING_EDIT,
    "GET /appraisal/desk/training/{session_id}": TRAINING_LOOK,
    "POST /appraisal/desk/training/{session_id}": TRAINING_EDIT,
    "POST /appraisal/desk/training/{session_id}/cancel": TRAINING_EDIT,
    "GET /appraisal/desk/training/{session_id}/export.xlsx": LOOK,
    "GET /appraisal/desk/cycles/{cycle_id}/training": LOOK,
    "POST /appraisal/desk/cycles/{cycle_id}/training": DECIDE,
    "GET /appraisal/desk/cycles/{cycle_id}/training/export.xlsx": LOOK,
    "GET /appraisal/me/training": FORMER_TOO,
}
INTAKE_ROUTES: Routes = {
    "GET /appraisal/desk/intake/{name}": TRAINING_EDIT,
    "POST /appraisal/desk/intake/{name}": TRAINING_EDIT,
    "GET /appraisal/desk/intake/{name}/template.xlsx": TRAINING_EDIT,
    "GET /appraisal/desk/intake/{name}/{run_id}": TRAINING_EDIT,
    "POST /appraisal/desk/intake/{name}/{run_id}": TRAINING_EDIT,
    "POST /appraisal/desk/intake/{name}/{run_id}/cancel": TRAINING_EDIT,
    "GET /appraisal/desk/intake/{name}/{run_id}/report.xlsx": TRAINING_EDIT,
}
