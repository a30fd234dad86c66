"""简报 of a cycle, to print."""

from uuid import UUID

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from appraisal.brief import service
from shared.web.application import Router
from shared.web.pages import Asked, page


@get("/appraisal/desk/cycles/{cycle_id:uuid}/brief")
async def brief(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """One A4 sheet."""
    found = await service.of_cycle(request.user, cycle_id)
    return page(request, "brief/print_brief.html", found=found, cycle=found.cycle)


router = Router("/", route_handlers=[brief], include_in_schema=False)
