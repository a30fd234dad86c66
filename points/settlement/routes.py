"""Who may ask for the pages of money: statements, funds, ledger, public sheets, calendar."""

from shared.identity.routes import OVERSIGHT, Routes, roles
from shared.roster.roles import Role

KEEPER = roles(Role.SHOPKEEPER)
VILLAGE = roles(Role.CHIEF, Role.ACCOUNTANT, Role.SUPERVISOR, Role.INSTRUCTOR)
MONEY = roles(
    Role.CHIEF,
    Role.ACCOUNTANT,
    Role.SUPERVISOR,
    Role.INSTRUCTOR,
    Role.DEPARTMENT,
    Role.AUDITOR,
)
PARTIES = roles(
    Role.SHOPKEEPER,
    Role.CHIEF,
    Role.ACCOUNTANT,
    Role.SUPERVISOR,
    Role.INSTRUCTOR,
    Role.DEPARTMENT,
    Role.AUDITOR,
)
DEPARTMENT = roles(Role.DEPARTMENT, desk=True)

SETTLEMENT_ROUTES: Routes = {
    "GET /shop/statements": KEEPER,
    "GET /verify/statements": VILLAGE,
    "GET /statements/{statement_id}": PARTIES,
    "POST /statements/{statement_id}/sign": PARTIES,
    "POST /statements/{statement_id}/dispute": PARTIES,
    "GET /statements/{statement_id}/file": PARTIES,
    "GET /statements/{statement_id}/print": PARTIES,
    "POST /disputes/{dispute_id}/withdraw": PARTIES,
    "POST /disputes/{dispute_id}/decide": PARTIES,
    "GET /desk/statements": OVERSIGHT,
    "POST /desk/statements": DEPARTMENT,
    "GET /funds": VILLAGE,
    "GET /funds/{fund_id}": MONEY,
    "GET /desk/funds": OVERSIGHT,
    "POST /desk/funds": DEPARTMENT,
    "POST /desk/funds/import": DEPARTMENT,
    "POST /desk/funds/{fund_id}/corrections": DEPARTMENT,
    "POST /funds/{fund_id}/corrections/{correction_id}": roles(Role.DEPARTMENT, Role.ACCOUNTANT),
    "GET /publications/{publication_id}": MONEY,
    "GET /desk/ledger": OVERSIGHT,
    "GET /desk/ledger.xlsx": OVERSIGHT,
    "GET /desk/summary.xlsx": OVERSIGHT,
}
