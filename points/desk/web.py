"""工作台: the department's first page."""

from litestar import get
from litestar.response import Template

from points.desk import service
from shared.web.application import Router
from shared.web.pages import Asked, moment, page


@get("/desk")
async def home(request: Asked) -> Template:
    """The county in figures, and what waits for a decision."""
    found = await service.overview(request.user, moment(request))
    return page(request, "desk/desk_home.html", found=found)


router = Router("/", route_handlers=[home], include_in_schema=False)
