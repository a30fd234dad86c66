"""个人信息保存: which personal data is kept, why, how long, and when it was last erased."""

from typing import Any

from litestar import Request, get
from litestar.response import Template

from shared.identity.actor import Actor
from shared.retention import service
from shared.web.application import Router
from shared.web.pages import page


@get("/desk/retention")
async def retention_page(request: Request[Actor, Any, Any]) -> Template:
    """The registry as a table."""
    return page(request, "retention/desk_retention.html", lines=await service.listed(request.user))


router = Router("/", route_handlers=[retention_page], include_in_schema=False)
