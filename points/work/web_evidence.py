"""A worker's month as days and record by record: at the desk, for verifiers, one's own."""

from uuid import UUID

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from points.work import evidence
from points.work.rules import STATE_NAMES, State
from points.work.web import STATE_TONES, rules_by_code
from shared.clock import today
from shared.months import month_cn, month_of, months_later
from shared.web.application import Router
from shared.web.pages import Asked, moment, page

MARKS = {
    State.PENDING: "待",
    State.RETURNED: "退",
    State.REFUSED: "否",
    State.ACCEPTED: "核",
    State.POSTED: "入",
    State.REVERSED: "冲",
}
"""A state in the narrow square of a day."""


@get("/desk/workers/{worker_id:uuid}/{number:int}")
async def month(request: Asked, worker_id: FromPath[UUID], number: FromPath[int]) -> Template:
    """Each record with who confirmed it and its line in the ledger."""
    base = f"/desk/workers/{worker_id}/"
    return await _month(request, "work/desk_evidence.html", worker_id, number, base)


@get("/verify/workers/{worker_id:uuid}/{number:int}")
async def verified(request: Asked, worker_id: FromPath[UUID], number: FromPath[int]) -> Template:
    """A worker's month on the phone of who may look at the records."""
    base = f"/verify/workers/{worker_id}/"
    return await _month(request, "work/m_calendar.html", worker_id, number, base)


@get("/records/month")
async def own(request: Asked, number: FromQuery[int | None] = None) -> Template:
    """One's own month."""
    number = number or month_of(today(moment(request)))
    base = "/records/month?number="
    return await _month(request, "work/m_calendar.html", request.user.person_id, number, base)


async def _month(
    request: Asked, template: str, worker_id: UUID, number: int, base: str
) -> Template:
    found = await evidence.of_month(request.user, worker_id, number)
    on = today(moment(request))
    return page(
        request,
        template,
        found=found,
        rules=await rules_by_code(request.user.county_id),
        worker_id=worker_id,
        number=number,
        label=month_cn(number),
        before=f"{base}{months_later(number, -1)}",
        after=f"{base}{months_later(number)}" if number < month_of(on) else "",
        today=on,
        names=STATE_NAMES,
        tones=STATE_TONES,
        marks=MARKS,
    )


router = Router("/", route_handlers=[month, verified, own], include_in_schema=False)
