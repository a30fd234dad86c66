"""The table of routes and permissions: who may even ask.

A route without a row cannot be served (start-up refuses) and fails the tests. A row decides by
role only; which object is decided by ``shared.identity.access.allowed`` in the service. Points and
appraisal add their rows in ``points/routes.py`` and ``appraisal/routes.py``.
"""

from collections.abc import Mapping

import msgspec

from shared.roster.roles import Role


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


Routes = Mapping[str, Access]
"""``"POST /verify/{record_id:uuid}"`` → Access."""

SHARED_ROUTES: Routes = {
    "GET /health": PUBLIC,
    "GET /ready": PUBLIC,
    "POST /preferences": PUBLIC,
}
