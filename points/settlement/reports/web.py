"""兑换台账 at the desk, and the files that the office takes away."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import get
from litestar.response import Response, Template

from points.settlement.reports import service
from shared.clock import today
from shared.documents.excel import MIME
from shared.roster.office.schemas import Page
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page


class Query(msgspec.Struct):
    """The conditions of the list and of the files; both days included."""

    first: date | None = None
    last: date | None = None
    q: str = ""
    shop: UUID | None = None
    worker: UUID | None = None
    page: Page = 1
    purpose: str = ""


@get("/desk/ledger")
async def ledger(request: Asked) -> Template:
    """Redemptions of a period, newest first: without conditions the last month that has any."""
    query, first, last = _conditions(request)
    wanted = service.day_filter(first, last, query.q, query.shop, query.worker)
    rows, totals = await service.ledger(request.user, wanted, query.page)
    earlier = None
    if not (totals.rows or request.query_params):
        earlier = await service.latest_month(request.user, first)
    if earlier:
        first, last = earlier
        rows, totals = await service.ledger(request.user, service.day_filter(first, last))
    return page(
        request,
        "reports/desk_ledger.html",
        rows=rows,
        totals=totals,
        pages=-(-totals.rows // service.PAGE),
        query=query,
        first=first,
        last=last,
        earlier=bool(earlier),
        link=urlencode(
            {
                "first": first,
                "last": last,
                "q": query.q,
                "shop": query.shop or "",
                "worker": query.worker or "",
            }
        ),
    )


@get("/desk/ledger.xlsx")
async def ledger_file(request: Asked) -> Response[bytes]:
    """兑换台账 as a file; logged with its purpose."""
    query, first, last = _conditions(request)
    wanted = service.day_filter(first, last, query.q, query.shop, query.worker)
    return _file(await service.export_ledger(request.user, wanted, query.purpose))


@get("/desk/summary.xlsx")
async def summary_file(request: Asked) -> Response[bytes]:
    """积分汇总 as a file; logged with its purpose."""
    query, first, last = _conditions(request)
    return _file(await service.export_summary(request.user, first, last, query.purpose))


def _conditions(request: Asked) -> tuple[Query, date, date]:
    """As asked; without dates the running month."""
    query = forms.bind(Query, dict(request.query_params))
    day = today(moment(request))
    first = query.first or day.replace(day=1)
    return query, first, query.last or max(day, first)


def _file(file: service.File) -> Response[bytes]:
    name, content = file
    return Response(content, media_type=MIME, headers=attachment(name))


router = Router("/", route_handlers=[ledger, ledger_file, summary_file], include_in_schema=False)
