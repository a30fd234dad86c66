"""The points service's rows in the table of routes and permissions."""

from points.redemption.routes import REDEMPTION_ROUTES
from points.settlement.routes import SETTLEMENT_ROUTES
from points.rulebook.routes import RULEBOOK_ROUTES
from shared.identity.routes import (
    FORMER_TOO,
    IDENTITY_ROUTES,
    SHARED_ROUTES,
    SIGNED_IN,
    Access,
    Routes,
    roles,
)
from shared.roster.roles import VERIFIER_ROLES, Role
from shared.roster.routes import ROSTER_ROUTES

WORKER = roles(Role.GRIDWORKER)
VERIFIER = Access(
    roles=VERIFIER_ROLES | {Role.DEPARTMENT, Role.AGENCY, Role.TRAINER, Role.ACCOUNTANT}
)

ROUTES: Routes = {
    **SHARED_ROUTES,
    **IDENTITY_ROUTES,
    **ROSTER_ROUTES,
    "GET /": SIGNED_IN,
    **REDEMPTION_ROUTES,
    "GET /desk": roles(Role.DEPARTMENT, Role.AUDITOR, desk=True),
    **SETTLEMENT_ROUTES,
    "GET /home": WORKER,
    "GET /wallet": FORMER_TOO,
    "GET /wallet/{transfer_id}": FORMER_TOO,
    **RULEBOOK_ROUTES,
    "GET /home": FORMER_TOO,
    "GET /work": WORKER,
    "GET /work/new": WORKER,
    "POST /work": WORKER,
    "GET /records": FORMER_TOO,
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
    "GET /verify/done": VERIFIER,
    "GET /verify/proxy": VERIFIER,
    "POST /verify/proxy": VERIFIER,
    "GET /verify/proxy/{record_id}": VERIFIER,
    "GET /verify/months": VERIFIER,
    "GET /verify/months/{village_code}/{number}": VERIFIER,
    "POST /verify/months/{village_code}/{number}/review": VERIFIER,
    "POST /verify/months/{village_code}/{number}/sample": VERIFIER,
    "POST /verify/sampled/{record_id}/refuse": VERIFIER,
    "GET /verify/objections": VERIFIER,
    "POST /verify/objections/{objection_id}": VERIFIER,
}
