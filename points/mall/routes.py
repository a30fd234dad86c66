"""Who may ask for the mall's pages."""

from shared.identity.routes import Routes, roles
from shared.roster.roles import Role

KEEPERS = roles(Role.SHOPKEEPER)
MANAGERS = roles(Role.CHIEF, Role.INSTRUCTOR, Role.DEPARTMENT)
DESK = roles(Role.DEPARTMENT, Role.AUDITOR, desk=True)
EDITORS = roles(Role.DEPARTMENT, desk=True)

MALL_ROUTES: Routes = {
    "GET /shop/products": KEEPERS,
    "GET /shop/products/{product_id}": KEEPERS,
    "POST /shop/products/{product_id}/stock": KEEPERS,
    "POST /shop/products/{product_id}/price": KEEPERS,
    "GET /verify/prices": MANAGERS,
    "POST /verify/prices/{price_id}": MANAGERS,
    "GET /desk/shops": DESK,
    "POST /desk/shops": EDITORS,
    "GET /desk/shops/new": EDITORS,
    "GET /desk/shops/{shop_id}": DESK,
    "POST /desk/shops/{shop_id}": EDITORS,
    "POST /desk/shops/{shop_id}/agreements": EDITORS,
    "POST /desk/shops/import": EDITORS,
    "GET /desk/products": DESK,
    "POST /desk/products": EDITORS,
    "GET /desk/products/new": EDITORS,
    "GET /desk/products/{product_id}": DESK,
    "POST /desk/products/{product_id}": EDITORS,
    "POST /desk/products/{product_id}/price": EDITORS,
    "POST /desk/products/prices/{price_id}": EDITORS,
    "POST /desk/products/import": EDITORS,
}
