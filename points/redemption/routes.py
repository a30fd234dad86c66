"""Who may ask for the counter's pages and API."""

from shared.identity.routes import PUBLIC, Access, Routes, roles
from shared.roster.roles import Role

COUNTER = roles(Role.SHOPKEEPER, terminal=True)
HOLDER = roles(Role.SHOPKEEPER, Role.GRIDWORKER, terminal=True)
OWN = Access(former=True)
WORKERS = Access(former=True)
"""A former worker's wallet may still be spent for 90 days."""
MANAGERS = roles(Role.CHIEF, Role.INSTRUCTOR, Role.DEPARTMENT)
KEEPERS = roles(Role.SHOPKEEPER)

REDEMPTION_ROUTES: Routes = {
    "POST /api/redemptions": COUNTER,
    "POST /api/holds": HOLDER,
    "POST /api/holds/{hold_id}/post": COUNTER,
    "POST /api/holds/{hold_id}/void": HOLDER,
    "GET /api/wallets/me": OWN,
    "GET /api/wallets/{person_id}/transfers": OWN,
    "GET /api/shops/{shop_id}/redemptions": Access(terminal=True),
    "GET /code": WORKERS,
    "GET /code/state": OWN,
    "GET /receipts/{redemption_id}": OWN,
    "GET /pickups": OWN,
    "GET /pickups/new": roles(Role.GRIDWORKER),
    "POST /pickups": roles(Role.GRIDWORKER),
    "GET /pickups/{pickup_id}": OWN,
    "POST /pickups/{pickup_id}/void": OWN,
    "GET /r/{token}": PUBLIC,
    "GET /shop": KEEPERS,
    "POST /shop/customer": KEEPERS,
    "POST /shop/redeem": KEEPERS,
    "GET /shop/done/{redemption_id}": KEEPERS,
    "POST /shop/redemptions/{redemption_id}/undo": KEEPERS,
    "GET /shop/today": KEEPERS,
    "GET /shop/pickups": KEEPERS,
    "GET /shop/pickups/{pickup_id}": KEEPERS,
    "POST /shop/pickups/{pickup_id}/post": KEEPERS,
    "POST /shop/pickups/{pickup_id}/void": KEEPERS,
    "GET /verify/redemptions": MANAGERS,
    "GET /verify/redemptions/{redemption_id}": MANAGERS,
    "POST /verify/redemptions/{redemption_id}/undo": MANAGERS,
    "GET /verify/cards": MANAGERS,
    "POST /verify/cards": MANAGERS,
    "POST /verify/cards/{person_id}/revoke": MANAGERS,
}
