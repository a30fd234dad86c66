"""排名 at the desk: county → township → village → grid → worker, and the file."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response import Response, Template

from appraisal.ranking import service
from appraisal.ranking.schemas import GRID_TYPES, Place, Wanted
from appraisal.scorecard.rules import GRADE_NAMES
from shared.documents.excel import MIME
from shared.roster.office.schemas import Page
from shared.roster.roles import EMPLOYMENT_NAMES
from shared.web import forms
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

COLUMNS = {
    "township_name": "乡镇",
    "village_name": "村社区",
    "grid_name": "网格",
    "grid_type": "网格类型",
    "employment_type": "用工形式",
    "days": "任职天数",
    "attendance": "在岗",
    "orders": "工单",
    "data": "信息",
    "settled": "化解",
    "satisfaction": "满意度",
    "merit": "积分",
    "training": "培训",
    "plus": "加分",
    "minus": "扣分",
    "calculated": "计算得分",
    "calibrated": "校准",
}
USUAL = ("township_name", "village_name", "grid_name", "attendance", "satisfaction", "merit")
SCORES = frozenset(list(COLUMNS)[6:])


class Query(msgspec.Struct):
    """The conditions of the list."""

    unit: str = ""
    type: str = ""
    grade: str = ""
    q: str = ""
    page: Page = 1
    after: Place = 0
    cols: list[str] = []
    purpose: str = ""


@get("/appraisal/desk/cycles/{cycle_id:uuid}/ranking")
async def workers(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """The list of workers."""
    query, wanted = asked(request)
    found = await service.listing(request.user, cycle_id, wanted)
    columns = [name for name in COLUMNS if name in (query.cols or USUAL)]
    kept = [("unit", query.unit), ("type", query.type), ("grade", query.grade), ("q", query.q)]
    chosen = [("cols", name) for name in query.cols if name in COLUMNS]
    return page(
        request,
        "ranking/desk_ranking.html",
        cycle=found.cycle,
        found=found,
        query=query,
        dense=wanted.dense,
        pages=-(-(found.total or 0) // service.PAGE),
        columns=columns,
        labels=COLUMNS,
        link=urlencode([*kept, *chosen]),
        conditions=urlencode(kept),
        types=list(GRID_TYPES.items()),
        type_names=GRID_TYPES,
        grades=list(GRADE_NAMES.items()),
        employments=EMPLOYMENT_NAMES,
        scores=SCORES,
    )


@get("/appraisal/desk/cycles/{cycle_id:uuid}/ranking/units")
async def units(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """The units below one, in figures."""
    query, _ = asked(request)
    found = await service.units(request.user, cycle_id, query.unit)
    return page(request, "ranking/desk_units.html", cycle=found.cycle, found=found, query=query)


@get("/appraisal/desk/cycles/{cycle_id:uuid}/ranking.xlsx")
async def file(request: Asked, cycle_id: FromPath[UUID]) -> Response[bytes]:
    """The list as a file; logged with its purpose."""
    query, wanted = asked(request)
    name, content = await service.export(
        request.user, cycle_id, wanted, query.purpose, moment(request)
    )
    return Response(content, media_type=MIME, headers=attachment(name))


def asked(request: Asked) -> tuple[Query, Wanted]:
    given: dict[str, Any] = dict(request.query_params)
    given["cols"] = request.query_params.getall("cols", [])
    query = forms.bind(Query, given)
    wanted = Wanted(
        unit=query.unit if len(query.unit) > 6 else "",
        grid_type=query.type if query.type in GRID_TYPES else "",
        grade=query.grade,
        text=query.q,
    )
    start = (query.page - 1) * service.PAGE if wanted.dense else query.after
    return query, msgspec.structs.replace(wanted, after=start)


router = Router("/", route_handlers=[workers, units, file], include_in_schema=False)
