"""工作台: the department's first page."""

from litestar import Router, get
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from points.desk import service
from shared.web.pages import moment, page


@get("/desk")
async def home(request: HTMXRequest) -> Template:
    """The county in figures, and what waits for a decision."""
    found = await service.overview(request.user, moment(request))
    return page(request, "desk/desk_home.html", found=found)


router = Router("/", route_handlers=[home], include_in_schema=False)
