"""Documents' rows in the table of routes and permissions."""

from shared.identity.routes import FORMER_TOO, OVERSIGHT, Routes, roles
from shared.roster.roles import Role

EDIT = roles(Role.DEPARTMENT, desk=True)
OFFICES = roles(Role.CHIEF, Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR)

DOCUMENT_ROUTES: Routes = {
    "GET /appraisal/desk/documents": OVERSIGHT,
    "GET /appraisal/desk/documents/{name}/template.docx": OVERSIGHT,
    "GET /appraisal/desk/documents/{name}/sample.docx": OVERSIGHT,
    "POST /appraisal/desk/documents/{name}": EDIT,
    "POST /appraisal/desk/documents/{name}/default": EDIT,
    "GET /appraisal/desk/cycles/{cycle_id}/scorecards/{person_id}/sheet.docx": OVERSIGHT,
    "GET /appraisal/me/{cycle_id}/sheet.docx": FORMER_TOO,
    "GET /appraisal/results/{cycle_id}/{person_id}/letter.docx": OFFICES,
    "GET /appraisal/notices/{notice_id}/notice.docx": OFFICES,
    "GET /appraisal/cases/{case_id}/steps/{number}/letter.docx": OFFICES,
    "GET /appraisal/desk/cycles/{cycle_id}/ranking.docx": OVERSIGHT,
}
