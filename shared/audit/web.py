"""Desk pages of oversight: 审计查询 and 导出记录."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import get
from litestar.response import Response, Template

from shared.audit import search
from shared.audit.schemas import Filters
from shared.audit.words import SUBJECTS
from shared.clock import today
from shared.documents.excel import MIME
from shared.errors import Invalid
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

DAYS = 30


class Query(msgspec.Struct):
    """The conditions as the page sends them; ``after`` is the last line of the page before."""

    since: date | None = None
    until: date | None = None
    subject: str = ""
    who: str = ""
    unit: str = ""
    object_id: UUID | None = None
    purpose: str = ""
    after_at: datetime | None = None
    after_id: UUID | None = None


@get("/desk/audit")
async def audit_page(request: Asked) -> Template:
    """Who did what, under which authority, and what changed."""
    query = forms.bind(Query, dict(request.query_params))
    filters = _filters(request, query)
    lines = await search.search(request.user, filters, _after(query))
    return page(
        request,
        "audit/desk_audit.html",
        lines=lines,
        filters=filters,
        subjects=list(SUBJECTS.items()),
        more=_more(query, lines, search.PAGE),
    )


@get("/desk/audit.xlsx")
async def audit_file(request: Asked) -> Response[bytes]:
    """The same as a file, with its purpose in 导出记录."""
    query = forms.bind(Query, dict(request.query_params))
    filters = _filters(request, query)
    now = moment(request)
    department = request.scope["state"]["county"].department_name
    name, content = await search.export(request.user, filters, query.purpose, now, department)
    return Response(content, media_type=MIME, headers=attachment(name))


@get("/desk/exports")
async def exports_page(request: Asked) -> Template:
    """导出记录."""
    query = forms.bind(Query, dict(request.query_params))
    filters = _filters(request, query)
    lines = await search.exports(
        request.user, filters.since, filters.until, filters.who, _after(query)
    )
    return page(
        request,
        "audit/desk_exports.html",
        lines=lines,
        filters=filters,
        more=_more(query, lines, search.PAGE),
    )


def _filters(request: Asked, query: Query) -> Filters:
    """Without dates: the last thirty days."""
    day = today(moment(request))
    until = query.until or day
    if query.unit and not (query.unit.isascii() and query.unit.isdigit()):
        raise Invalid("单位代码只能是数字。", {"unit": "单位代码只能是数字。"})
    search.span(until, until)
    return Filters(
        since=query.since or until - timedelta(days=DAYS),
        until=until,
        subject=query.subject,
        who=query.who,
        unit=query.unit,
        object_id=query.object_id,
    )


def _after(query: Query) -> search.Cursor | None:
    if query.after_at is None or query.after_id is None:
        return None
    if query.after_at.tzinfo is None:
        raise Invalid("页码有误，请重新查询。")
    return query.after_at, query.after_id


def _more(query: Query, lines: list[Any], size: int) -> str:
    """The conditions of the next page, or empty."""
    if len(lines) < size:
        return ""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(query).items()
        if value and not name.startswith("after")
    }
    last = lines[-1]
    return urlencode(given | {"after_at": last.at.isoformat(), "after_id": last.id})


router = Router("/", route_handlers=[audit_page, audit_file, exports_page], include_in_schema=False)
