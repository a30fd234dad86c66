"""异常线索 at the desk, and its file."""

import msgspec
from litestar import get
from litestar.response import Response, Template

from points.oversight import rules, service
from points.settlement.rules import checked_month
from points.work.web_verify import last_month, month_choices
from shared.documents.excel import MIME
from shared.months import month_cn
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page


class Query(msgspec.Struct):
    """Which month, and what a file is for."""

    month: str = ""
    purpose: str = ""


@get("/desk/oversight")
async def clues(request: Asked) -> Template:
    """A month's clues by kind."""
    _, month = _asked(request)
    return page(
        request,
        "oversight/desk_oversight.html",
        found=await service.look(request.user, month),
        month=month,
        label=month_cn(month),
        choices=month_choices(moment(request)),
        most=rules.MOST,
        note=service.NOTE,
    )


@get("/desk/oversight.xlsx")
async def file(request: Asked) -> Response[bytes]:
    """The same as a file; logged with its purpose."""
    query, month = _asked(request)
    name, content = await service.export(request.user, month, query.purpose, moment(request))
    return Response(content, media_type=MIME, headers=attachment(name))


def _asked(request: Asked) -> tuple[Query, str]:
    """The month as asked, else the one that is over. Raises Invalid."""
    query = forms.bind(Query, dict(request.query_params))
    return query, checked_month(query.month or f"{last_month(moment(request)):%Y-%m}")


router = Router("/", route_handlers=[clues, file], include_in_schema=False)
