"""Who may do what to which object: one pure function over the duties held at this moment.

Right = role × unit subtree × separation of duties. A unit's code begins with its ancestors' codes,
so "at or above" is a prefix test, and the county is part of it. A target names the unit *whose
authority is asked*: for a cadre's own record, verified one level up, that is the township.
Absent and forbidden look the same: :func:`require` raises NotFound unless only the separation of
duties stands in the way, which it says.
"""

from enum import StrEnum
from uuid import UUID

import msgspec
import structlog

from shared.errors import Forbidden, NotFound
from shared.identity.actor import Actor, Duty
from shared.roster.roles import Role
from shared.roster.rules import county_code


class Action(StrEnum):
    """Everything that is decided per object; the values are also the audit trail's words."""

    ROSTER_VIEW = "roster.view"
    ROSTER_EDIT = "roster.edit"
    ROSTER_IMPORT = "roster.import"
    PHONE_SHOW = "roster.phone"
    SLIP_ISSUE = "identity.slip"
    SESSIONS_REVOKE = "identity.revoke"
    ACCOUNT_VIEW = "identity.view"
    ACCOUNT_DISABLE = "identity.disable"
    DESK_ACCOUNT = "identity.desk_account"
    SHOP_STAFF = "identity.shop_staff"
    TERMINAL_KEY = "identity.terminal_key"
    CARD_PIN = "identity.card_pin"
    OWN_DATA = "identity.own_data"
    SETTINGS_VIEW = "settings.view"
    SETTINGS_EDIT = "settings.edit"
    CALENDAR_EDIT = "calendar.edit"
    AUDIT_READ = "audit.read"
    EXPORT = "export"
    EXPORT_LOG = "export.log"
    RULES_EDIT = "rules.edit"
    VARIANT_PROPOSE = "variant.propose"
    VARIANT_DECIDE = "variant.decide"
    WORK_LOG = "work.log"
    WORK_PROXY = "work.proxy"
    WORK_VIEW = "work.view"
    WORK_IMPORT = "work.import"
    WORK_VERIFY = "work.verify"
    WORK_REVIEW = "work.review"
    WORK_SAMPLE = "work.sample"
    DEDUCT_PROPOSE = "deduct.propose"
    DEDUCT_DECIDE = "deduct.decide"
    DEDUCT_ANSWER = "deduct.answer"
    DEDUCT_VIEW = "deduct.view"
    OBJECT = "objection.raise"
    OBJECTION_ANSWER = "objection.answer"
    OBJECTION_REVIEW = "objection.review"
    APPEAL = "appeal.raise"
    APPEAL_DECIDE = "appeal.decide"
    MONTH_VIEW = "month.view"
    MONTH_POST = "month.post"
    LEDGER_VIEW = "ledger.view"
    WALLET_VIEW = "wallet.view"
    OPENING = "ledger.opening"
    SHOP_VIEW = "shop.view"
    SHOP_EDIT = "shop.edit"
    PRODUCT_EDIT = "product.edit"
    PRODUCT_APPROVE = "product.approve"
    STOCK_EDIT = "stock.edit"
    CODE_SHOW = "code.show"
    ORDER = "order.place"
    REDEEM = "redeem"
    REDEMPTION_VIEW = "redemption.view"
    UNDO_EARLY = "redeem.undo"
    UNDO_LATE = "redeem.undo_late"
    FUND_VIEW = "fund.view"
    FUND_EDIT = "fund.edit"
    STATEMENT_VIEW = "statement.view"
    STATEMENT_BUILD = "statement.build"
    STATEMENT_DISPUTE = "statement.dispute"
    SIGN_SHOP = "statement.sign_shop"
    SIGN_ACCOUNTANT = "statement.sign_accountant"
    SIGN_SUPERVISOR = "statement.sign_supervisor"
    PUBLISH = "publication.edit"
    CYCLE_VIEW = "cycle.view"
    CYCLE_EDIT = "cycle.edit"
    SCHEME_VIEW = "scheme.view"
    SCHEME_EDIT = "scheme.edit"
    SCORE_RUN = "score.run"
    SCORE_CALIBRATE = "score.calibrate"
    SCORE_VIEW = "score.view"
    RANK_VIEW = "rank.view"
    NOTICE_ISSUE = "notice.issue"
    NOTICE_VIEW = "notice.view"
    RESULT_SERVE = "result.serve"
    RESULT_VIEW = "result.view"
    CASE_VIEW = "case.view"
    CASE_SIGN = "case.sign"
    OBJECTOR_SHOW = "case.objector"
    KIN_EDIT = "kin.edit"
    SHIELD_EDIT = "shield.edit"
    SURVEY_VIEW = "survey.view"
    SURVEY_RUN = "survey.run"
    SURVEY_FIELD = "survey.field"
    SURVEY_RESULT = "survey.result"
    DUTY_VIEW = "duty.view"
    DUTY_EDIT = "duty.edit"
    DUTY_IMPORT = "duty.import"
    VETO_DECIDE = "duty.decide"
    RANDOM_VIEW = "random.view"
    RANDOM_DRAW = "random.draw"
    TRAINING_VIEW = "training.view"
    TRAINING_EDIT = "training.edit"
    TRAINING_REQUIRE = "training.require"
    DOCUMENT_VIEW = "document.view"
    DOCUMENT_EDIT = "document.edit"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What an action is done to; state what the action's policy looks at."""

    unit_code: str = ""
    """The unit whose authority is asked; empty = only own or shop rights can apply."""
    owner: UUID | None = None
    """The person it is about: the worker of a record, the holder of a wallet."""
    maker: UUID | None = None
    """Who entered, proposed or first decided it, and so may not be the one to confirm it."""
    shop_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    """Narrows the policy's roles to those a rule asks for (V1 … V4, A); empty = all of them."""


def whole_county(county_id: int) -> Target:
    """What concerns the county as a whole, and so its department."""
    return Target(unit_code=county_code(county_id))


class Decision(msgspec.Struct, frozen=True):
    """The answer, and under which authority (``chief@421222100201``, ``self``, ``shop``)."""

    allowed: bool
    reason: str = ""
    """Why not: ``stranger`` looks like absence; ``own`` and ``maker`` are said."""
    authority: str = ""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: who may, and whom the separation of duties excludes."""

    over: frozenset[Role] = frozenset()
    """Roles whose unit stands at or above the target's unit."""
    own: bool = False
    """The person it is about."""
    own_role: Role | None = None
    """A role that the person must hold at the target's unit for the own right to apply."""
    shop: bool = False
    """Keepers of the target's shop."""
    apart: bool = False
    """Neither the owner nor the maker, whatever else they hold."""
    former: bool = False
    """Still possible in the 90 days after the last assignment ended."""


LOG = structlog.get_logger("gridmerit.access")
STRANGER = Decision(allowed=False, reason="stranger")
SENTENCES = {
    "own": "这是您本人的事项，按规定要由别人来办，请交给其他有权的人。",
    "maker": "这一件是您经手的，按规定要换一个人来确认。",
}
VERIFIERS = (
    Role.CHIEF,
    Role.LEAD,
    Role.COMMITTEE,
    Role.SUPERVISOR,
    Role.MEDIATOR,
    Role.TRAINER,
    Role.AGENCY,
)
UPPER = (Role.INSTRUCTOR, Role.DEPARTMENT)
MANAGERS = (Role.CHIEF, *UPPER)
READERS = (Role.DEPARTMENT, Role.AUDITOR)
VILLAGE = (Role.CHIEF, Role.LEAD, Role.COMMITTEE, Role.SUPERVISOR, Role.INSTRUCTOR, *READERS)
MONEY = (Role.CHIEF, Role.ACCOUNTANT, Role.SUPERVISOR, Role.INSTRUCTOR, *READERS)


def _over(
    *names: Role, own: bool = False, shop: bool = False, apart: bool = False, former: bool = False
) -> Policy:
    return Policy(over=frozenset(names), own=own, shop=shop, apart=apart, former=former)


POLICIES: dict[Action, Policy] = {
    Action.ROSTER_VIEW: _over(*VILLAGE, Role.ADMIN, own=True),
    Action.ROSTER_EDIT: _over(*MANAGERS),
    Action.ROSTER_IMPORT: _over(*UPPER),
    Action.PHONE_SHOW: _over(*MANAGERS, own=True),
    Action.SLIP_ISSUE: _over(*MANAGERS),
    Action.SESSIONS_REVOKE: _over(*MANAGERS, Role.ADMIN, own=True, former=True),
    Action.ACCOUNT_VIEW: _over(*READERS, Role.ADMIN),
    Action.ACCOUNT_DISABLE: _over(Role.DEPARTMENT, Role.ADMIN, apart=True),
    Action.DESK_ACCOUNT: _over(Role.ADMIN, apart=True),
    Action.SHOP_STAFF: _over(*MANAGERS, shop=True),
    Action.TERMINAL_KEY: _over(Role.DEPARTMENT, shop=True),
    Action.CARD_PIN: _over(*MANAGERS, own=True, former=True),
    Action.OWN_DATA: Policy(own=True, former=True),
    Action.SETTINGS_VIEW: _over(*READERS, Role.ADMIN),
    Action.SETTINGS_EDIT: _over(Role.DEPARTMENT),
    Action.CALENDAR_EDIT: _over(Role.DEPARTMENT),
    Action.AUDIT_READ: _over(*READERS),
    Action.EXPORT: _over(Role.CHIEF, Role.ACCOUNTANT, Role.INSTRUCTOR, *READERS, shop=True),
    Action.EXPORT_LOG: _over(*READERS),
    Action.RULES_EDIT: _over(Role.DEPARTMENT),
    Action.VARIANT_PROPOSE: _over(Role.CHIEF, Role.INSTRUCTOR),
    Action.VARIANT_DECIDE: _over(*UPPER, apart=True),
    Action.WORK_LOG: Policy(own=True, own_role=Role.GRIDWORKER),
    Action.WORK_PROXY: _over(*MANAGERS),
    Action.WORK_VIEW: _over(*VILLAGE, *VERIFIERS, own=True, former=True),
    Action.WORK_IMPORT: _over(*UPPER),
    Action.WORK_VERIFY: _over(*VERIFIERS, *UPPER, apart=True),
    Action.WORK_REVIEW: _over(Role.COMMITTEE, Role.SUPERVISOR, *UPPER),
    Action.WORK_SAMPLE: _over(*UPPER, apart=True),
    Action.DEDUCT_PROPOSE: _over(Role.LEAD, *MANAGERS, apart=True),
    Action.DEDUCT_DECIDE: _over(*MANAGERS, apart=True),
    Action.DEDUCT_ANSWER: Policy(own=True, former=True),
    Action.DEDUCT_VIEW: _over(*VILLAGE, own=True, former=True),
    Action.OBJECT: Policy(own=True, former=True),
    Action.OBJECTION_ANSWER: _over(Role.COMMITTEE, *MANAGERS, apart=True),
    Action.OBJECTION_REVIEW: _over(*UPPER, apart=True),
    Action.APPEAL: Policy(own=True, former=True),
    Action.APPEAL_DECIDE: _over(*UPPER, apart=True),
    Action.MONTH_VIEW: _over(*VILLAGE),
    Action.MONTH_POST: _over(Role.DEPARTMENT),
    Action.LEDGER_VIEW: _over(*MONEY),
    Action.WALLET_VIEW: _over(
        Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, *READERS, own=True, former=True
    ),
    Action.OPENING: _over(Role.DEPARTMENT),
    Action.SHOP_VIEW: _over(*MONEY, shop=True),
    Action.SHOP_EDIT: _over(*MANAGERS),
    Action.PRODUCT_EDIT: _over(Role.DEPARTMENT, shop=True),
    Action.PRODUCT_APPROVE: _over(*MANAGERS, apart=True),
    Action.STOCK_EDIT: Policy(shop=True),
    Action.CODE_SHOW: Policy(own=True, former=True),
    Action.ORDER: Policy(own=True, own_role=Role.GRIDWORKER),
    Action.REDEEM: Policy(shop=True, apart=True),
    Action.REDEMPTION_VIEW: _over(*MONEY, own=True, shop=True, former=True),
    Action.UNDO_EARLY: Policy(shop=True),
    Action.UNDO_LATE: _over(*MANAGERS, apart=True),
    Action.FUND_VIEW: _over(*MONEY),
    Action.FUND_EDIT: _over(Role.DEPARTMENT, Role.ACCOUNTANT, apart=True),
    Action.STATEMENT_VIEW: _over(*MONEY, shop=True),
    Action.STATEMENT_BUILD: _over(Role.ACCOUNTANT, Role.DEPARTMENT),
    Action.STATEMENT_DISPUTE: _over(Role.ACCOUNTANT, Role.SUPERVISOR, *UPPER, shop=True),
    Action.SIGN_SHOP: _over(*UPPER, shop=True),
    Action.SIGN_ACCOUNTANT: _over(Role.ACCOUNTANT, *UPPER, apart=True),
    Action.SIGN_SUPERVISOR: _over(Role.SUPERVISOR, *UPPER, apart=True),
    Action.PUBLISH: _over(*MANAGERS),
    Action.CYCLE_VIEW: _over(*READERS),
    Action.CYCLE_EDIT: _over(Role.DEPARTMENT),
    Action.SCHEME_VIEW: _over(*READERS),
    Action.SCHEME_EDIT: _over(Role.DEPARTMENT),
    Action.SCORE_RUN: _over(Role.DEPARTMENT),
    Action.SCORE_CALIBRATE: _over(Role.DEPARTMENT, apart=True),
    Action.SCORE_VIEW: _over(
        Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, *READERS, own=True, former=True
    ),
    Action.RANK_VIEW: _over(Role.INSTRUCTOR, *READERS),
    Action.NOTICE_ISSUE: _over(Role.DEPARTMENT),
    Action.NOTICE_VIEW: _over(Role.CHIEF, Role.INSTRUCTOR, *READERS),
    Action.RESULT_SERVE: _over(*MANAGERS, apart=True),
    Action.RESULT_VIEW: _over(*MANAGERS, Role.AUDITOR, own=True, former=True),
    Action.CASE_VIEW: _over(
        Role.COMMITTEE, Role.SUPERVISOR, *MANAGERS, Role.AUDITOR, own=True, former=True
    ),
    Action.CASE_SIGN: _over(Role.COMMITTEE, Role.SUPERVISOR, *MANAGERS, apart=True),
    Action.OBJECTOR_SHOW: _over(Role.INSTRUCTOR, *READERS, apart=True),
    Action.KIN_EDIT: _over(Role.DEPARTMENT),
    Action.SHIELD_EDIT: _over(Role.DEPARTMENT, apart=True),
    Action.SURVEY_VIEW: _over(Role.INSTRUCTOR, *READERS),
    Action.SURVEY_RUN: _over(Role.DEPARTMENT),
    Action.SURVEY_FIELD: _over(*UPPER),
    Action.SURVEY_RESULT: _over(Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, *READERS),
    Action.DUTY_VIEW: _over(Role.CHIEF, Role.LEAD, Role.INSTRUCTOR, *READERS, own=True),
    Action.DUTY_EDIT: _over(*UPPER, apart=True),
    Action.DUTY_IMPORT: _over(*UPPER),
    Action.VETO_DECIDE: _over(Role.DEPARTMENT, apart=True),
    Action.RANDOM_VIEW: _over(Role.INSTRUCTOR, *READERS),
    Action.RANDOM_DRAW: _over(*UPPER),
    Action.TRAINING_VIEW: _over(Role.TRAINER, Role.INSTRUCTOR, *READERS),
    Action.TRAINING_EDIT: _over(Role.TRAINER, *UPPER, apart=True),
    Action.TRAINING_REQUIRE: _over(Role.DEPARTMENT),
    Action.DOCUMENT_VIEW: _over(*READERS),
    Action.DOCUMENT_EDIT: _over(Role.DEPARTMENT),
}
"""Every action has a row; tests/shared/identity/test_access.py holds it against an oracle."""


def allowed(actor: Actor, action: Action, target: Target) -> Decision:
    """Decide; pure, so that it can be tested on any world.

    Precedence: no right at all, then own matter, then made by oneself.
    """
    policy = POLICIES[action]
    if actor.former and not policy.former:
        return STRANGER
    authority = _authority(actor, policy, target)
    if not authority:
        return STRANGER
    if policy.apart and target.owner == actor.person_id:
        return Decision(allowed=False, reason="own")
    if policy.apart and target.maker == actor.person_id:
        return Decision(allowed=False, reason="maker")
    return Decision(allowed=True, authority=authority)


def require(actor: Actor, action: Action, target: Target) -> str:
    """The authority under which the actor may; raises NotFound, or Forbidden with the reason."""
    decision = allowed(actor, action, target)
    if decision.allowed:
        return decision.authority
    LOG.warning("refused", action=action.value, person=str(actor.person_id), reason=decision.reason)
    if sentence := SENTENCES.get(decision.reason):
        raise Forbidden(sentence)
    raise NotFound


def reach(actor: Actor, action: Action, roles: frozenset[Role] = frozenset()) -> tuple[str, ...]:
    """Codes of the units over whose subtrees the actor may do this, for lists; none repeated.

    The same policy as :func:`allowed`, without own and shop rights and separation of duties.
    """
    policy = POLICIES[action]
    if actor.former:
        return ()
    asked = policy.over & roles if roles else policy.over
    found: list[str] = []
    for code in sorted({duty.unit_code for duty in actor.duties if duty.role in asked}):
        if not found or not code.startswith(found[-1]):
            found.append(code)
    return tuple(found)


def _authority(actor: Actor, policy: Policy, target: Target) -> str:
    """The nearest duty that gives the right, else the shop, else oneself; empty if none."""
    asked = policy.over & target.roles if target.roles else policy.over
    over = [duty for duty in actor.duties if duty.role in asked and covers(duty, target.unit_code)]
    if over:
        nearest = max(over, key=lambda duty: len(duty.unit_code))
        return f"{nearest.role.value}@{nearest.unit_code}"
    if policy.shop and target.shop_id is not None and target.shop_id in actor.shops:
        return "shop"
    if policy.own and target.owner == actor.person_id and _holds(actor, policy, target):
        return "self"
    return ""


def covers(duty: Duty, unit_code: str) -> bool:
    """Whether a duty's unit is the given unit or stands above it."""
    return bool(unit_code) and unit_code.startswith(duty.unit_code)


def _holds(actor: Actor, policy: Policy, target: Target) -> bool:
    return policy.own_role is None or any(
        duty.role is policy.own_role and covers(duty, target.unit_code) for duty in actor.duties
    )
