"""Work's rows in the table of routes and permissions."""

from shared.identity.routes import FORMER_TOO, SIGNED_IN, Access, Routes, roles
from shared.roster.roles import VERIFIER_ROLES, Role

WORKER = roles(Role.GRIDWORKER)
VERIFIER = Access(
    roles=VERIFIER_ROLES | {Role.DEPARTMENT, Role.AGENCY, Role.TRAINER, Role.ACCOUNTANT}
)
CONFIRMER = Access(roles=VERIFIER_ROLES | {Role.DEPARTMENT, Role.AGENCY, Role.TRAINER})
"""An accountant signs statements, and has confirmed no record."""
LOOKER = Access(
    roles=VERIFIER_ROLES
    | {Role.DEPARTMENT, Role.AGENCY, Role.TRAINER, Role.ACCOUNTANT, Role.AUDITOR}
)
PRINTER = Access(roles=VERIFIER_ROLES | {Role.DEPARTMENT, Role.AUDITOR})
READ = roles(Role.DEPARTMENT, Role.AUDITOR, desk=True)
EDIT = roles(Role.DEPARTMENT, desk=True)

WORK_ROUTES: Routes = {
    "GET /home": FORMER_TOO,
    "GET /work": WORKER,
    "GET /work/new": WORKER,
    "POST /work": WORKER,
    "GET /records": FORMER_TOO,
    "GET /records/month": FORMER_TOO,
    "GET /records/{record_id}": FORMER_TOO,
    "GET /records/{record_id}/done": SIGNED_IN,
    "GET /records/{record_id}/photo": FORMER_TOO,
    "POST /records/{record_id}/withdraw": SIGNED_IN,
    "POST /records/{record_id}/objection": FORMER_TOO,
    "POST /records/{record_id}/review": FORMER_TOO,
    "GET /verify": VERIFIER,
    "POST /verify/preview": VERIFIER,
    "POST /verify/batch": VERIFIER,
    "POST /verify/{record_id}": VERIFIER,
    "POST /verify/{record_id}/return": VERIFIER,
    "POST /verify/{record_id}/recuse": VERIFIER,
    "GET /verify/done": CONFIRMER,
    "GET /verify/proxy": VERIFIER,
    "POST /verify/proxy": VERIFIER,
    "GET /verify/proxy/{record_id}": VERIFIER,
    "GET /verify/workers/{worker_id}/{number}": LOOKER,
    "GET /verify/months": LOOKER,
    "GET /verify/months/{village_code}/{number}": LOOKER,
    "POST /verify/months/{village_code}/{number}/review": VERIFIER,
    "POST /verify/months/{village_code}/{number}/sample": VERIFIER,
    "POST /verify/sampled/{record_id}/refuse": VERIFIER,
    "POST /verify/records/{record_id}/contest": VERIFIER,
    "GET /verify/objections": VERIFIER,
    "POST /verify/objections/{objection_id}": VERIFIER,
    "GET /deductions": FORMER_TOO,
    "GET /deductions/{deduction_id}": FORMER_TOO,
    "POST /deductions/{deduction_id}/reply": FORMER_TOO,
    "POST /deductions/{deduction_id}/appeal": FORMER_TOO,
    "GET /verify/deductions": LOOKER,
    "GET /verify/deductions/new": VERIFIER,
    "POST /verify/deductions": VERIFIER,
    "POST /verify/deductions/{deduction_id}/serve": VERIFIER,
    "POST /verify/deductions/{deduction_id}/decide": VERIFIER,
    "POST /verify/deductions/{deduction_id}/appeal": VERIFIER,
    "GET /verify/deductions/{deduction_id}/letter": LOOKER,
    "GET /verify/slips": VERIFIER,
    "GET /verify/months/{village_code}/{number}/notice": PRINTER,
    "GET /verify/months/{village_code}/{number}/sheet": PRINTER,
    "GET /desk/months": READ,
    "POST /desk/months/post": EDIT,
    "GET /desk/months/objections": READ,
    "GET /desk/months/deductions": READ,
    "GET /desk/months/{village_code}/{number}": READ,
    "POST /desk/months/import": EDIT,
    "GET /desk/workers/{worker_id}/{number}": READ,
}
