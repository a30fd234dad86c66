"""Who may do what, said a second time: in plain sentences, by walking the unit tree.

It shares nothing with ``shared.identity.access`` but the names of actions. A row reads: who over
the unit | what else opens it (own, shop) and what closes it (apart) or stays open (former).
"""

import re
from datetime import date
from typing import NamedTuple

UPPER = "instructor department"
MANAGE = f"chief {UPPER}"
SEE = "department auditor"
VILLAGE = f"chief lead committee supervisor instructor {SEE}"
MONEY = f"chief accountant supervisor instructor {SEE}"
VERIFY = "chief lead committee supervisor mediator trainer agency"
TABLE = f"""
roster.view: {VILLAGE} admin | own
roster.edit: {MANAGE} |
roster.import: {UPPER} |
roster.phone: {MANAGE} | own
identity.slip: {MANAGE} |
identity.revoke: {MANAGE} admin | own former
identity.view: {SEE} admin |
identity.disable: department admin | apart
identity.desk_account: admin | apart
identity.shop_staff: {MANAGE} | shop
identity.terminal_key: department | shop
identity.card_pin: {MANAGE} | own former
identity.own_data: | own former
settings.view: {SEE} admin |
settings.edit: department |
calendar.edit: department |
audit.read: {SEE} |
export: chief accountant instructor {SEE} | shop
export.log: {SEE} |
rules.edit: department |
variant.propose: chief instructor |
variant.decide: {UPPER} | apart
work.log: | own:gridworker
work.proxy: {MANAGE} |
work.view: {VILLAGE} {VERIFY} | own former
work.import: {UPPER} |
work.verify: {VERIFY} {UPPER} | apart
work.review: committee supervisor {UPPER} |
work.sample: {UPPER} | apart
deduct.propose: lead {MANAGE} | apart
deduct.decide: {MANAGE} | apart
deduct.answer: | own former
deduct.view: {VILLAGE} | own former
objection.raise: | own former
objection.answer: committee {MANAGE} | apart
objection.review: {UPPER} | apart
appeal.raise: | own former
appeal.decide: {UPPER} | apart
month.view: {VILLAGE} |
month.post: department |
ledger.view: {MONEY} |
wallet.view: chief lead instructor {SEE} | own former
ledger.opening: department |
shop.view: {MONEY} | shop
shop.edit: {MANAGE} |
product.edit: department | shop
product.approve: {MANAGE} | apart
stock.edit: | shop
code.show: | own former
order.place: | own:gridworker
redeem: | shop apart
redemption.view: {MONEY} | own shop former
redeem.undo: | shop
redeem.undo_late: {MANAGE} | apart
fund.view: {MONEY} |
fund.edit: department accountant | apart
statement.view: {MONEY} | shop
statement.build: accountant department |
statement.sign_shop: {UPPER} | shop
statement.dispute: accountant supervisor {UPPER} | shop
statement.sign_accountant: accountant {UPPER} | apart
statement.sign_supervisor: supervisor {UPPER} | apart
publication.edit: {MANAGE} |
cycle.view: {SEE} |
cycle.edit: department |
scheme.view: {SEE} |
scheme.edit: department |
score.run: department |
score.calibrate: department | apart
score.view: chief lead instructor {SEE} | own former
rank.view: instructor {SEE} |
notice.issue: department |
notice.view: chief instructor {SEE} |
result.serve: {MANAGE} | apart
result.view: {MANAGE} auditor | own former
case.view: {MANAGE} committee supervisor auditor | own former
case.sign: {MANAGE} committee supervisor | apart
case.objector: instructor {SEE} | apart
kin.edit: department |
shield.edit: department | apart
survey.view: instructor {SEE} |
survey.run: department |
survey.field: {UPPER} |
survey.result: chief lead instructor {SEE} |
duty.view: chief lead instructor {SEE} | own
duty.edit: {UPPER} | apart
duty.import: {UPPER} |
duty.decide: department | apart
random.view: instructor {SEE} |
random.draw: {UPPER} |
training.view: trainer instructor {SEE} |
training.edit: trainer {UPPER} | apart
training.require: department |
document.view: {SEE} |
document.edit: department |
"""


class Post(NamedTuple):
    """A person's post from one day to the day before another (0 = open end)."""

    role: str
    unit: str
    shop: int
    start: date
    end: date | None


class Thing(NamedTuple):
    """What is acted upon."""

    unit: str
    owner: int
    maker: int
    shop: int


ROWS = {
    action: (set(over.split()), set(words.split()))
    for action, over, words in (
        re.split("[:|]", line, maxsplit=2) for line in TABLE.strip().splitlines()
    )
}
"""Action → (roles over the unit, further words)."""


def may(
    action: str, me: int, posts: list[Post], thing: Thing, parent: dict[str, str], on: date
) -> str:
    """``yes``, ``absent``, ``own`` or ``maker``."""
    over, words = ROWS[action]
    held = [post for post in posts if post.start <= on and (post.end is None or on < post.end)]
    former = not held
    if former and "former" not in words:
        return "absent"
    above, unit = set(), thing.unit
    while unit:
        above.add(unit)
        unit = parent.get(unit, "")
    by_role = any(post.role in over and post.unit in above for post in held)
    by_shop = "shop" in words and any(
        post.role == "shopkeeper" and post.shop == thing.shop for post in held
    )
    works = any(post.role == "gridworker" and post.unit in above for post in held)
    by_self = thing.owner == me and ("own" in words or ("own:gridworker" in words and works))
    if not (by_role or by_shop or by_self):
        return "absent"
    if "apart" in words and me in (thing.owner, thing.maker):
        return "own" if thing.owner == me else "maker"
    return "yes"
