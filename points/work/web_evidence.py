"""The rows behind a month's points of one worker, at the desk."""

from uuid import UUID

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from points.work import evidence
from shared.web.application import Router
from shared.web.pages import Asked, page


@get("/desk/workers/{worker_id:uuid}/{number:int}")
async def month(request: Asked, worker_id: FromPath[UUID], number: FromPath[int]) -> Template:
    """Each posted record with who confirmed it and its line in the ledger."""
    found = await evidence.of_month(request.user, worker_id, number)
    return page(request, "work/desk_evidence.html", found=found, number=number)


router = Router("/", route_handlers=[month], include_in_schema=False)
