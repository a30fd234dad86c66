"""考核表 on phones: the worker's own, and the scores of those one answers for."""

from uuid import UUID

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from appraisal.cycle import service as cycles
from appraisal.scorecard import service
from appraisal.scorecard.rules import Component
from shared.identity.access import Action, reach
from shared.web.application import Router
from shared.web.pages import Asked, asked_page, may_open, page, part

OWN_SOURCES = {
    Component.ATTENDANCE: "/appraisal/me/duty",
    Component.DATA: "/appraisal/me/duty",
    Component.TRAINING: "/appraisal/me/training",
    Component.MERIT: "/records",
}
LINES = 20
"""Of a unit's workers at once."""
OBJECTION = "/appraisal/me/{cycle_id}/objection"


@get("/appraisal/me")
async def mine(request: Asked) -> Template:
    """我的考核: the county's cycles with one's own result, and those one answers for."""
    return page(
        request,
        "scorecard/m_mine.html",
        owns=await service.mine(request.user),
        leads=bool(reach(request.user, Action.SCORE_VIEW)),
        stages=service.PUBLIC_STAGES,
    )


@get("/appraisal/me/{cycle_id:uuid}")
async def own(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """One's own card, each number in plain words."""
    found = await service.own_card(request.user, cycle_id)
    objection = OBJECTION.format(cycle_id=cycle_id) if may_open(request, OBJECTION) else ""
    links = {key: path for key, path in OWN_SOURCES.items() if may_open(request, path)}
    return page(
        request, "scorecard/m_card.html", card=found, links=links, objection=objection, own=True
    )


@get("/appraisal/team")
async def teams(request: Asked) -> Template:
    """The announced cycles, for those who answer for a unit."""
    found = [
        cycle for cycle in await cycles.cycles(request.user) if cycle.state in service.PUBLIC_STAGES
    ]
    return page(request, "scorecard/m_teams.html", cycles=found)


@get("/appraisal/team/{cycle_id:uuid}")
async def team(request: Asked, cycle_id: FromPath[UUID]) -> Template:
    """The scores of the own unit's workers."""
    cycle, rows = await service.team(request.user, cycle_id)
    number = asked_page(request)
    shown, pages = part(rows, number, LINES)
    return page(
        request,
        "scorecard/m_team.html",
        block="lines" if number > 1 else None,
        cycle=cycle,
        rows=shown,
        total=len(rows),
        more=number + 1 if number < pages else 0,
        ranked=any(row.rank for row in rows),
    )


@get("/appraisal/team/{cycle_id:uuid}/{person_id:uuid}")
async def member(request: Asked, cycle_id: FromPath[UUID], person_id: FromPath[UUID]) -> Template:
    """One worker's card."""
    found = await service.card(request.user, cycle_id, person_id)
    return page(request, "scorecard/m_card.html", card=found, links={}, objection="", own=False)


router = Router("/", route_handlers=[mine, own, teams, team, member], include_in_schema=False)
