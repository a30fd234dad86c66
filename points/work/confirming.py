"""Who confirms many records: the roll of verifying posts, looked up place by place.

For one record the roll of its village is asked; for thousands it is read once for the county and
kept here by the unit where the posts are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from points.rulebook.rules import Step
from points.work import queries
from points.work.rules import Confirmer, PostHeld, confirmer
from shared.roster.roles import Role

CONFIRMING = (
    Role.LEAD,
    Role.CHIEF,
    Role.COMMITTEE,
    Role.SUPERVISOR,
    Role.INSTRUCTOR,
    Role.DEPARTMENT,
    Role.AGENCY,
    Role.TRAINER,
    Role.MEDIATOR,
)
"""Roles that may have to confirm a record."""
VILLAGE = 12
"""Digits of a village's code."""


class Roll:
    """The verifying posts of a county on one day."""

    def __init__(self, posts: Iterable[PostHeld]) -> None:
        self.by_unit: dict[str, list[PostHeld]] = defaultdict(list)
        for held in posts:
            self.by_unit[held.unit_code].append(held)

    def near(self, grid_code: str) -> Sequence[PostHeld]:
        """Posts of the grid's village, township and county."""
        units = (grid_code[:12], grid_code[:9], grid_code[:6])
        return [held for unit in units for held in self.by_unit.get(unit, ())]

    def confirmer(
        self,
        step: Step,
        grid_code: str,
        excluded: frozenset[UUID],
        worker: UUID,
        *,
        cadre: bool,
        confirmed: frozenset[UUID] = frozenset(),
    ) -> Confirmer | None:
        """Who confirms a step, as :func:`points.work.rules.confirmer`."""
        near = self.near(grid_code)
        return confirmer(
            step, grid_code, excluded, near, cadre=cadre, worker=worker, confirmed=confirmed
        )


async def roll_of(county_id: int, on: date, code: str = "") -> Roll:
    """Verifying posts on a day: of the whole county, or those that a village's records ask for."""
    whole = len(code) < VILLAGE
    return Roll(await queries.roll(county_id, on, CONFIRMING, "" if whole else code))


def authority_of(found: Confirmer) -> str:
    """``lead@421222100201``, as audit and verifications write it."""
    return f"{found.role.value}@{found.unit_code}"
