"""The roster's rows in the table of routes and permissions; points serves them."""

from shared.identity.routes import Routes, roles
from shared.roster.roles import Role

VIEW = roles(Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, desk=True)
EDIT = roles(Role.DEPARTMENT, desk=True)
EXPORT = roles(Role.DEPARTMENT, Role.AUDITOR, desk=True)
VILLAGE = roles(Role.CHIEF, Role.LEAD, Role.COMMITTEE, Role.SUPERVISOR, Role.INSTRUCTOR)
MANAGERS = roles(Role.CHIEF, Role.INSTRUCTOR)

ROSTER_ROUTES: Routes = {
    "GET /desk/roster": VIEW,
    "GET /desk/roster/people": VIEW,
    "GET /desk/roster/vacancies": VIEW,
    "GET /desk/roster/people/{person_id}": VIEW,
    "POST /desk/roster/people/{person_id}/phone": EDIT,
    "GET /desk/roster/people/{person_id}/edit": EDIT,
    "POST /desk/roster/people/{person_id}/edit": EDIT,
    "GET /desk/roster/posts/{post_id}": VIEW,
    "GET /desk/roster/posts/{post_id}/appoint": EDIT,
    "POST /desk/roster/posts/{post_id}/appoint": EDIT,
    "POST /desk/roster/posts/{post_id}/close": EDIT,
    "GET /desk/roster/assignments/{assignment_id}/end": EDIT,
    "POST /desk/roster/assignments/{assignment_id}/end": EDIT,
    "GET /desk/roster/assignments/{assignment_id}/transfer": EDIT,
    "POST /desk/roster/assignments/{assignment_id}/transfer": EDIT,
    "POST /desk/roster/assignments/{assignment_id}/cancel": EDIT,
    "GET /desk/roster/units/{code}/add": EDIT,
    "POST /desk/roster/units/{code}/add": EDIT,
    "GET /desk/roster/units/{code}/edit": EDIT,
    "POST /desk/roster/units/{code}/edit": EDIT,
    "POST /desk/roster/units/{code}/close": EDIT,
    "GET /desk/roster/units/{code}/post": EDIT,
    "POST /desk/roster/units/{code}/post": EDIT,
    "GET /desk/roster/export.xlsx": EXPORT,
    "GET /desk/roster/template.xlsx": EDIT,
    "GET /desk/roster/import": EDIT,
    "POST /desk/roster/import": EDIT,
    "GET /desk/roster/import/{run_id}": EDIT,
    "POST /desk/roster/import/{run_id}": EDIT,
    "POST /desk/roster/import/{run_id}/cancel": EDIT,
    "GET /desk/roster/import/{run_id}/report.xlsx": EDIT,
    "GET /verify/people": VILLAGE,
    "GET /verify/people/{person_id}": VILLAGE,
    "POST /verify/people/{person_id}/phone": MANAGERS,
}
