"""What points keeps about a person, for the self-service export of 我的资料."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from points.ledger import service as ledger
from points.ledger.words import label
from points.rulebook import service as rulebook
from points.rulebook.rules import Rule
from points.work import service as work
from points.work.rules import STATE_NAMES
from shared.identity.actor import Actor
from shared.identity.own_data import Section
from shared.retention.registry import PHOTO
from shared.web.filters import date_cn, points, signed

MOST = 5_000
"""Rows of one section; a worker has a few hundred a year."""
UNITS = {"merit": "履职积分", "wallet": "可兑换积分"}


async def work_records(actor: Actor) -> Section:
    """Every work record, latest first; the rules by name, as nobody knows their codes."""
    versions = await rulebook.versions(actor.county_id)
    rows: list[tuple[str, ...]] = []
    last: UUID | None = None
    while len(rows) < MOST and (page := await work.own_lines(actor, last)):
        rows += [
            (
                date_cn(line.work_date),
                _title(versions[line.rule_code], line.work_date),
                line.text,
                STATE_NAMES[line.state],
                points(line.gives),
                points(line.posted),
                points(line.posted if line.wallet is None else line.wallet),
            )
            for line in page
        ]
        last = page[-1].id
    return Section(
        "工作记录",
        f"用于积分和考核；不记录位置和照片里的信息。照片保存到{PHOTO.term}。",
        ("日期", "规则", "内容", "状态", "应得分", "入账分", "可兑换分"),
        tuple(rows),
    )


def _title(versions: Sequence[Rule], on: date) -> str:
    """What the rule was called on that day."""
    return [rule.title for rule in versions if rule.effective_from <= on][-1]


async def movements(actor: Actor) -> Section:
    """Every movement of points, latest first."""
    rows: list[tuple[str, ...]] = []
    last: UUID | None = None
    while len(rows) < MOST and (
        page := await ledger.transfers(actor.county_id, actor.person_id, before=last, limit=200)
    ):
        rows += [
            (
                date_cn(row.at),
                UNITS.get(row.unit, row.unit),
                label(row.word, row.memo),
                signed(row.amount),
            )
            for row in page
        ]
        last = page[-1].id
    return Section(
        "积分明细", "积分台账依法保存，不能删改。", ("日期", "积分", "事由", "变动"), tuple(rows)
    )


SECTIONS = (work_records, movements)
