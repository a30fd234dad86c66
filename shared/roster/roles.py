"""Roles that a post gives, kinds of unit and employment types, with their Chinese names."""

from enum import StrEnum


class Role(StrEnum):
    """A role comes from a post that is held now; ``admin`` has no business rights."""

    CHIEF = "chief"
    LEAD = "lead"
    GRIDWORKER = "gridworker"
    INSTRUCTOR = "instructor"
    SHOPKEEPER = "shopkeeper"
    DEPARTMENT = "department"
    COMMITTEE = "committee"
    SUPERVISOR = "supervisor"
    ACCOUNTANT = "accountant"
    AGENCY = "agency"
    TRAINER = "trainer"
    MEDIATOR = "mediator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class UnitKind(StrEnum):
    """Unit kinds; an ancestor's code is a prefix of its descendants' codes."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    GRID = "grid"


class Employment(StrEnum):
    """用工形式: it selects the exit path."""

    CONTRACT = "contract"
    DISPATCHED = "dispatched"
    PURCHASED = "purchased"
    VILLAGE_PAID = "village_paid"
    CADRE = "cadre"
    VOLUNTEER = "volunteer"
    OFFICIAL = "official"


ROLE_NAMES = {
    Role.CHIEF: "总网格长",
    Role.LEAD: "网格长",
    Role.GRIDWORKER: "网格员",
    Role.INSTRUCTOR: "网格指导员",
    Role.SHOPKEEPER: "店主",
    Role.DEPARTMENT: "组织部",
    Role.COMMITTEE: "两委成员",
    Role.SUPERVISOR: "村监委会",
    Role.ACCOUNTANT: "村会计",
    Role.AGENCY: "责任单位",
    Role.TRAINER: "培训人",
    Role.MEDIATOR: "调解员",
    Role.AUDITOR: "审计",
    Role.ADMIN: "系统管理员",
}


def role_names(department: str) -> dict[Role, str]:
    """Their names in a county whose department is called so."""
    return ROLE_NAMES | {Role.DEPARTMENT: department}


UNIT_KIND_NAMES = {
    UnitKind.COUNTY: "县",
    UnitKind.TOWNSHIP: "乡镇（街道）",
    UnitKind.VILLAGE: "村（社区）",
    UnitKind.GRID: "网格",
}

EMPLOYMENT_NAMES = {
    Employment.CONTRACT: "合同制",
    Employment.DISPATCHED: "劳务派遣",
    Employment.PURCHASED: "政府购买服务",
    Employment.VILLAGE_PAID: "村付补贴",
    Employment.CADRE: "村干部兼任",
    Employment.VOLUNTEER: "志愿者",
    Employment.OFFICIAL: "在编干部",
}

DESK_ROLES = frozenset({Role.DEPARTMENT, Role.AUDITOR, Role.ADMIN, Role.AGENCY, Role.TRAINER})
"""Roles that sign in at a desk with password and TOTP."""
VERIFIER_ROLES = frozenset(
    {Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, Role.COMMITTEE, Role.SUPERVISOR, Role.MEDIATOR}
)
"""Roles whose phone pages are 待办 / 已办 / 名册 / 我的."""
