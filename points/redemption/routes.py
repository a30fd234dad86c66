"""Who may ask for the counter's pages and API."""

from shared.identity.routes import Access, Routes, roles
from shared.roster.roles import Role

COUNTER = roles(Role.SHOPKEEPER, terminal=True)
HOLDER = roles(Role.SHOPKEEPER, Role.GRIDWORKER, terminal=True)
OWN = Access(former=True)

REDEMPTION_ROUTES: Routes = {
    "POST /api/redemptions": COUNTER,
    "POST /api/holds": HOLDER,
    "POST /api/holds/{hold_id}/post": COUNTER,
    "POST /api/holds/{hold_id}/void": HOLDER,
    "GET /api/wallets/me": OWN,
    "GET /api/wallets/{person_id}/transfers": OWN,
    "GET /api/shops/{shop_id}/redemptions": Access(terminal=True),
}
