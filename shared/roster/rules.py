"""What a unit's code says, and what follows from a unit's name."""

from collections.abc import Sequence
from datetime import date, timedelta

from shared.roster.roles import Employment, Role, UnitKind
from shared.roster.schemas import Tenure

KIND_BY_LENGTH = {
    6: UnitKind.COUNTY,
    9: UnitKind.TOWNSHIP,
    12: UnitKind.VILLAGE,
    15: UnitKind.GRID,
}
CODE_LENGTH = {kind: length for length, kind in KIND_BY_LENGTH.items()}
GRID_TYPE_NAMES = {"rural": "农村", "community": "城镇社区", "other": "其他"}
FULL_TIME = frozenset({Employment.CONTRACT, Employment.DISPATCHED, Employment.PURCHASED})
"""Employment types that are 专职 unless a file says otherwise."""
ROLES_AT = {
    UnitKind.COUNTY: (Role.DEPARTMENT, Role.AUDITOR, Role.AGENCY, Role.TRAINER),
    UnitKind.TOWNSHIP: (Role.INSTRUCTOR, Role.AGENCY, Role.TRAINER, Role.MEDIATOR),
    UnitKind.VILLAGE: (
        Role.CHIEF,
        Role.LEAD,
        Role.COMMITTEE,
        Role.SUPERVISOR,
        Role.ACCOUNTANT,
        Role.MEDIATOR,
        Role.AGENCY,
    ),
    UnitKind.GRID: (Role.GRIDWORKER,),
}
"""Posts that the office may add at a unit; shopkeepers come with their shop, admins by command."""


def county_code(county_id: int) -> str:
    """The county's own code, with which the codes of all its units begin."""
    return f"{county_id:06d}"


def parent_code(code: str) -> str:
    """Codes grow by three digits a level."""
    return code[:-3]


def grid_type_of(village_name: str) -> str:
    """社区 → community, 村 → rural, forest farms and the like → other."""
    name = village_name.removesuffix("居民委员会").removesuffix("居委会").removesuffix("村委会")
    name = name.removesuffix("村民委员会")
    if name.endswith("社区") or village_name.endswith(("居委会", "居民委员会")):
        return "community"
    if village_name.endswith(("村", "村委会", "村民委员会")):
        return "rural"
    return "other"


def just_left(tenures: Sequence[Tenure], day: date, days: int) -> list[Tenure]:
    """The posts that ended last, of somebody who holds and awaits none and left in these days."""
    if any(tenure.valid_to is None or tenure.valid_to > day for tenure in tenures):
        return []
    last = max((tenure.valid_to for tenure in tenures if tenure.valid_to), default=None)
    if last is None or last + timedelta(days=days) <= day:
        return []
    return [tenure for tenure in tenures if tenure.valid_to == last]


def worked_below(tenures: Sequence[Tenure], codes: tuple[str, ...]) -> bool:
    """Whether somebody is, was or will be gridworker below one of the units."""
    return any(
        tenure.role is Role.GRIDWORKER and tenure.unit_code.startswith(codes) for tenure in tenures
    )
