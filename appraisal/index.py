"""The service's address without a path: the desk for those who appraise, else one's own page."""

from typing import Any

from litestar import Request, get
from litestar.response import Redirect

from shared.identity.actor import Actor
from shared.roster.roles import Role


@get("/appraisal", include_in_schema=False)
async def index(request: Request[Actor, Any, Any]) -> Redirect:
    """Send each role to its own first page."""
    actor = request.user
    desk = actor.desk and actor.roles & {Role.DEPARTMENT, Role.AUDITOR}
    return Redirect("/appraisal/desk" if desk else "/appraisal/me", status_code=303)
