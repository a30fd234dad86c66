"""The public sheet, to print and post on the board."""

from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Template

from points.settlement.publication import service
from points.settlement.rules import last_day
from shared.identity.actor import Actor
from shared.web.application import Router
from shared.web.pages import page


@get("/publications/{publication_id:uuid}")
async def sheet(request: Request[Actor, Any, Any], publication_id: FromPath[UUID]) -> Template:
    """A4, with room for the seal."""
    found = await service.view(request.user, publication_id)
    return page(
        request,
        "publication/print_sheet.html",
        sheet_of=found,
        figures=found.figures,
        until=last_day(found.month),
    )


router = Router("/", route_handlers=[sheet], include_in_schema=False)
