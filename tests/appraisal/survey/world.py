"""A survey in the small county: households in four grids, drawn, with slips and ballots."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from appraisal.cycle.rules import Stage
from appraisal.survey import ballots, field, households, queries, service, slips
from appraisal.survey.rules import Answers
from appraisal.survey.schemas import PrintedSlip, SurveyRow
from appraisal.survey.service import DrawForm, FreezeForm
from shared.identity.actor import Actor
from tests.appraisal.cycle.stages import bring_to, opened
from tests.factories import COUNTY, SmallCounty, acting, small_county

AT = datetime(2026, 7, 3, 2, 0, tzinfo=UTC)
VILLAGE = "421222100001"
GRID = VILLAGE + "001"
SECOND = VILLAGE + "002"
VALUE = "07 13 21 28 30 33 + 05"
FULL = (100,) * 6


class World(msgspec.Struct, frozen=True):
    """The county, the department at its desk, the cycle and its survey."""

    county: SmallCounty
    department: Actor
    instructor: Actor
    cycle_id: UUID
    survey: SurveyRow


def sheet(per_grid: int = 40, groups: int = 2) -> bytes:
    """Households of every grid of the first township."""
    lines = ["网格编码,户号,村民小组"]
    for village in ("001", "002"):
        for grid in ("001", "002"):
            lines += [
                f"421222100{village}{grid},{number:03d},{number % groups + 1}组"
                for number in range(1, per_grid + 1)
            ]
    return "\n".join(lines).encode("gb18030")


async def frozen(per_grid: int = 40, county: SmallCounty | None = None) -> World:
    """The list is frozen, nothing drawn yet."""
    county = county or await small_county()
    department = msgspec.structs.replace(
        await acting(county.department, desk=True), confirmed_at=AT
    )
    done = await households.import_households(None, COUNTY, sheet(per_grid), "households.csv")
    assert done.faults == []
    cycle_id = await opened(department, AT)
    await bring_to(department, cycle_id, Stage.COLLECT, AT)
    form = FreezeForm(value_source="7月5日双色球开奖号码")
    survey = await service.freeze(department, cycle_id, form, AT)
    instructor = await acting(county.instructor)
    return World(county, department, instructor, cycle_id, survey)


async def drawn(per_grid: int = 40, county: SmallCounty | None = None) -> World:
    """The sample stands."""
    made = await frozen(per_grid, county)
    survey = await service.draw_sample(
        made.department, made.cycle_id, DrawForm(public_value=VALUE), AT
    )
    return msgspec.structs.replace(made, survey=survey)


async def printed(made: World, village: str = VILLAGE) -> dict[str, list[str]]:
    """Fresh slips of a village: tokens by grid code."""
    found: list[PrintedSlip] = await slips.print_slips(
        made.department, made.survey.id, village, "http://points", AT
    )
    tokens: dict[str, list[str]] = {}
    for slip in found:
        number = slip.grid_name.partition("第")[2][0]
        tokens.setdefault(f"{village}00{number}", []).append(slip.url.rpartition("/")[2])
    return tokens


async def vote(token: str, values: Sequence[int] = FULL, words: str = "") -> None:
    """One resident's ballot."""
    answers = Answers(aware=True, values=tuple(values), comment=words)
    await ballots.submit_ballot(COUNTY, token, answers)


async def interviewing(made: World) -> Actor:
    """Somebody of the next village who interviews the first one."""
    cousin = await acting(made.county.cousin_worker)
    await field.assign(made.department, made.survey.id, VILLAGE, cousin.person_id, AT)
    return cousin


async def current(made: World) -> SurveyRow:
    """The survey as it stands now."""
    found = await queries.survey(COUNTY, made.survey.id)
    assert found is not None
    return found


async def closed(made: World) -> SurveyRow:
    """The last count."""
    return await service.close(made.department, made.cycle_id, AT)
