"""考核表 on the worker's phone."""

from typing import Any

from litestar import Request, Router, get
from litestar.response import Template

from appraisal.cycle import service as cycles
from shared.identity.actor import Actor
from shared.web.pages import page

Asked = Request[Actor, Any, Any]


@get("/appraisal/me")
async def mine(request: Asked) -> Template:
    """我的考核: the county's cycles."""
    return page(
        request,  # type: ignore[arg-type]  # the app's request class is HTMXRequest
        "scorecard/m_mine.html",
        cycles=await cycles.cycles(request.user),
    )


router = Router("/", route_handlers=[mine], include_in_schema=False)
