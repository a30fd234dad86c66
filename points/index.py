"""The address without a path: everybody lands on the page of their daily work."""

from typing import Any

from litestar import Request, get
from litestar.response import Redirect

from shared.identity.actor import Actor
from shared.roster.roles import VERIFIER_ROLES, Role


def start_page(actor: Actor) -> str:
    """Where an actor's day begins: desk, shop, verifier's list or the worker's home."""
    if actor.desk and actor.roles & {Role.DEPARTMENT, Role.AUDITOR}:
        return "/desk"
    if actor.desk and Role.ADMIN in actor.roles:
        return "/desk/accounts"
    if Role.SHOPKEEPER in actor.roles:
        return "/shop"
    if actor.roles & (VERIFIER_ROLES | {Role.AGENCY, Role.TRAINER, Role.ACCOUNTANT}):
        return "/verify"
    if Role.GRIDWORKER in actor.roles:
        return "/home"
    return "/me"


@get("/", include_in_schema=False)
async def index(request: Request[Actor, Any, Any]) -> Redirect:
    """Send each role to its own first page."""
    return Redirect(start_page(request.user), status_code=303)
