"""The table of routes and permissions: who may even ask.

A route without a row cannot be served (start-up refuses) and fails the tests. A row decides by
role only; which object is decided by ``shared.identity.access.allowed`` in the service. Points and
appraisal add their rows in ``points/routes.py`` and ``appraisal/routes.py``.
"""

from collections.abc import Mapping

import msgspec

from shared.identity.actor import Actor
from shared.roster.roles import VERIFIER_ROLES, Role


class Access(msgspec.Struct, frozen=True):
    """Who may call a route: everybody, anybody signed in, or holders of one of the roles."""

    public: bool = False
    roles: frozenset[Role] | None = None
    desk: bool = False
    """Only from a desk session (password and TOTP)."""
    terminal: bool = False
    """Also for a shop terminal's signed requests."""
    former: bool = False
    """Also in the 90 days after the last assignment ended (balance, code, objection)."""


PUBLIC = Access(public=True)
SIGNED_IN = Access()
FORMER_TOO = Access(former=True)


def roles(*names: Role, desk: bool = False, terminal: bool = False) -> Access:
    """Access for holders of one of the roles."""
    return Access(roles=frozenset(names), desk=desk, terminal=terminal)


BEFORE_TAKE_OVER = frozenset(
    {"GET /desk/take-over", "POST /desk/take-over", "POST /sign-out", "GET /desk/alive"}
)
"""All that opens with the first password of a desk account."""


def may_ask(actor: Actor, access: Access) -> bool:
    """Whether the row admits this actor; which object, the service decides."""
    if access.desk and not actor.desk:
        return False
    if (actor.terminal and not access.terminal) or (actor.former and not access.former):
        return False
    return access.roles is None or bool(access.roles & actor.roles)


Routes = Mapping[str, Access]
"""``"POST /verify/{record_id:uuid}"`` → Access."""

SHARED_ROUTES: Routes = {
    "GET /health": PUBLIC,
    "GET /ready": PUBLIC,
    "POST /preferences": PUBLIC,
}

MANAGERS = roles(Role.CHIEF, Role.INSTRUCTOR)
KEEPERS = roles(Role.SHOPKEEPER)
OVERSIGHT = roles(Role.DEPARTMENT, Role.AUDITOR, desk=True)
ACCOUNT_DESK = roles(Role.DEPARTMENT, Role.ADMIN, desk=True)

IDENTITY_ROUTES: Routes = {
    "GET /sign-in": PUBLIC,
    "POST /sign-in": PUBLIC,
    "GET /sign-in/wechat": PUBLIC,
    "GET /wechat/back": PUBLIC,
    "GET /desk/sign-in": PUBLIC,
    "POST /desk/sign-in": PUBLIC,
    "POST /sign-out": FORMER_TOO,
    "GET /activate": PUBLIC,
    "POST /activate": PUBLIC,
    "GET /a/{token}": PUBLIC,
    "POST /a/{token}": PUBLIC,
    "GET /desk/alive": Access(desk=True),
    "GET /desk/take-over": Access(desk=True, former=True),
    "POST /desk/take-over": Access(desk=True, former=True),
    "GET /confirm": FORMER_TOO,
    "POST /confirm": FORMER_TOO,
    "GET /me": FORMER_TOO,
    "POST /me/view": FORMER_TOO,
    "GET /me/look": FORMER_TOO,
    "POST /me/look": FORMER_TOO,
    "GET /me/pin": FORMER_TOO,
    "POST /me/pin": FORMER_TOO,
    "GET /me/card-pin": FORMER_TOO,
    "POST /me/card-pin": FORMER_TOO,
    "GET /me/wechat": FORMER_TOO,
    "GET /me/wechat/bind": FORMER_TOO,
    "POST /me/wechat/end": FORMER_TOO,
    "GET /me/sessions": FORMER_TOO,
    "POST /me/sessions/end-others": FORMER_TOO,
    "POST /me/sessions/{session_id}/end": FORMER_TOO,
    "GET /me/data": FORMER_TOO,
    "GET /me/data.xlsx": FORMER_TOO,
    "GET /shop/me": KEEPERS,
    "GET /shop/staff": KEEPERS,
    "POST /shop/staff": KEEPERS,
    "POST /shop/staff/{person_id}/slip": KEEPERS,
    "POST /shop/staff/{assignment_id}/end": KEEPERS,
    "GET /shop/terminals": KEEPERS,
    "POST /shop/terminals": KEEPERS,
    "POST /shop/terminals/{key_id}/revoke": KEEPERS,
    "GET /verify/accounts": MANAGERS,
    "POST /verify/accounts/slips": MANAGERS,
    "GET /verify/accounts/{person_id}": MANAGERS,
    "POST /verify/accounts/{person_id}/revoke": MANAGERS,
    "POST /verify/accounts/{person_id}/card-pin": MANAGERS,
    "GET /desk/accounts": ACCOUNT_DESK,
    "POST /desk/accounts/slips": roles(Role.DEPARTMENT, desk=True),
    "GET /desk/accounts/stale": roles(Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, desk=True),
    "GET /desk/accounts/{person_id}": ACCOUNT_DESK,
    "POST /desk/accounts/{person_id}/revoke": ACCOUNT_DESK,
    "POST /desk/accounts/{person_id}/disable": ACCOUNT_DESK,
    "POST /desk/accounts/{person_id}/enable": ACCOUNT_DESK,
    "POST /desk/accounts/{person_id}/password": roles(Role.ADMIN, desk=True),
    "GET /desk/settings": roles(Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, desk=True),
    "POST /desk/settings": roles(Role.DEPARTMENT, desk=True),
    "GET /desk/calendar": roles(Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, desk=True),
    "POST /desk/calendar": roles(Role.DEPARTMENT, desk=True),
    "GET /desk/audit": OVERSIGHT,
    "GET /desk/audit.xlsx": OVERSIGHT,
    "GET /desk/exports": OVERSIGHT,
    "GET /desk/retention": roles(Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, desk=True),
}
"""Rows of sign-in, 我的, accounts, settings and oversight; points serves them."""

VERIFIERS = Access(
    roles=VERIFIER_ROLES | {Role.DEPARTMENT, Role.AGENCY, Role.TRAINER, Role.ACCOUNTANT}
)
MENU_ROUTES: Routes = {
    **IDENTITY_ROUTES,
    "GET /home": FORMER_TOO,
    "GET /work": roles(Role.GRIDWORKER),
    "GET /records": FORMER_TOO,
    "GET /shop": KEEPERS,
    "GET /shop/products": KEEPERS,
    "GET /shop/statements": KEEPERS,
    "GET /verify": VERIFIERS,
    "GET /verify/done": Access(roles=VERIFIER_ROLES | {Role.DEPARTMENT, Role.AGENCY, Role.TRAINER}),
    "GET /verify/people": Access(roles=VERIFIER_ROLES - {Role.MEDIATOR}),
    "GET /desk": OVERSIGHT,
    "GET /desk/roster": roles(Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, desk=True),
    "GET /desk/rules": OVERSIGHT,
    "GET /desk/months": OVERSIGHT,
    "GET /desk/funds": OVERSIGHT,
    "GET /desk/shops": OVERSIGHT,
    "GET /desk/products": OVERSIGHT,
    "GET /desk/statements": OVERSIGHT,
    "GET /desk/ledger": OVERSIGHT,
    "GET /desk/oversight": OVERSIGHT,
    "GET /appraisal/me": FORMER_TOO,
    "GET /appraisal/team": roles(
        Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR
    ),
    "GET /appraisal/visits": SIGNED_IN,
    "GET /appraisal/opinion": roles(
        Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, Role.DEPARTMENT, Role.AUDITOR
    ),
    "GET /appraisal/desk": OVERSIGHT,
    "GET /appraisal/desk/duty": roles(Role.DEPARTMENT, Role.AUDITOR, Role.INSTRUCTOR),
    "GET /appraisal/desk/training": roles(
        Role.DEPARTMENT, Role.AUDITOR, Role.INSTRUCTOR, Role.TRAINER
    ),
    "GET /appraisal/desk/documents": OVERSIGHT,
    "GET /appraisal/duty": roles(Role.INSTRUCTOR),
    "GET /appraisal/me/duty": FORMER_TOO,
    "GET /appraisal/me/training": FORMER_TOO,
    "GET /appraisal/cases": FORMER_TOO,
    "GET /appraisal/desk/cases": OVERSIGHT,
}
"""What the menus link to, said once more because points and appraisal do not know each other's
tables; a test holds each row against the service's own."""
