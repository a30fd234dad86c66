"""The rulebook's rows in the table of routes and permissions."""

from shared.identity.routes import Routes, roles
from shared.roster.roles import Role

READ = roles(Role.DEPARTMENT, Role.AUDITOR, desk=True)
EDIT = roles(Role.DEPARTMENT, desk=True)
MANAGERS = roles(Role.CHIEF, Role.INSTRUCTOR, Role.DEPARTMENT)

RULEBOOK_ROUTES: Routes = {
    "GET /desk/rules": READ,
    "POST /desk/rules": EDIT,
    "GET /desk/rules/new": EDIT,
    "GET /desk/rules/{code}": READ,
    "POST /desk/rules/{code}": EDIT,
    "GET /desk/rules/{code}/correct": EDIT,
    "POST /desk/rules/{code}/correct": EDIT,
    "POST /desk/rules-penalties": EDIT,
    "GET /desk/rules-penalties/new": EDIT,
    "GET /desk/rules-penalties/{code}": READ,
    "POST /desk/rules-penalties/{code}": EDIT,
    "GET /desk/rules-penalties/{code}/correct": EDIT,
    "POST /desk/rules-penalties/{code}/correct": EDIT,
    "GET /desk/rules-caps": READ,
    "POST /desk/rules-caps": EDIT,
    "GET /verify/variants": MANAGERS,
    "POST /verify/variants": MANAGERS,
    "POST /verify/variants/{variant_id}": MANAGERS,
}
