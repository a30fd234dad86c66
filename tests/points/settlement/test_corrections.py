"""A mistyped resolution is put right by a counter-entry that a second person approves."""

from datetime import date
from uuid import UUID

import httpx
import msgspec
import pytest

from points.settlement.funds import service
from points.settlement.funds.office import import_funds
from points.settlement.funds.schemas import CorrectionForm
from points.settlement.publication import service as publication
from shared.clock import now
from shared.database import DB
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.identity.actor import Actor
from shared.roster.roles import Role
from tests import factories
from tests.factories import COUNTY, Member
from tests.points.ledger.builders import sound
from tests.points.ledger.test_verifier import findings, spoil
from tests.points.settlement.test_funds import ROWS, file
from tests.points.settlement.test_web import enter, post
from tests.points.settlement.world import THIS_MONTH, World, after, earn, wallet, world

TYPED, RIGHT = 4_500_000, 450_000
"""A zero too many: 45,000 yuan instead of 4,500."""


class Desks(msgspec.Struct, frozen=True):
    """The fund, and two people of the department."""

    made: World
    first: Actor
    second: Actor
    colleague: Member
    wrong: UUID

    @property
    def fund_id(self) -> UUID:
        return self.made.fund_id

    def form(self, amount_fen: int = RIGHT) -> CorrectionForm:
        return CorrectionForm(
            resolution_id=self.wrong, amount_fen=amount_fen, reason="多输了一个零"
        )

    async def waiting(self) -> UUID:
        [row] = await service.corrections_waiting(self.second)
        return row.id


async def desks(budget_fen: int = TYPED) -> Desks:
    made = await world(budget_fen=budget_fen)
    await earn(made.county.worker.person_id, made.fund_id, 1000)
    colleague = await factories.member(Role.DEPARTMENT, made.county.units["421222"])
    first = await made.department()
    _, [wrong] = await service.view_fund(first, made.fund_id)
    second = await factories.acting(colleague, desk=True)
    return Desks(made, first, second, colleague, wrong.id)


async def test_two_people_correct_an_amount(rollback: None) -> None:
    """Both amounts stay, the budget is the right one, the file of the paper is the same again."""
    at = await desks()
    await service.propose_correction(at.first, at.fund_id, at.form(), now())
    with pytest.raises(Conflict, match="等批准"):
        await service.propose_correction(at.second, at.fund_id, at.form(RIGHT + 1), now())
    waiting = await at.waiting()
    with pytest.raises(Forbidden):
        await service.decide_correction(at.first, at.fund_id, waiting, approve=True, now=now())
    assert (await service.view_fund(at.first, at.fund_id))[0].budget_fen == TYPED
    await service.decide_correction(at.second, at.fund_id, waiting, approve=True, now=now())
    fund, [row] = await service.view_fund(at.first, at.fund_id)
    assert (fund.budget_fen, row.amount_fen, row.stands_fen) == (RIGHT, TYPED, RIGHT)
    assert await wallet(at.made.county.worker.person_id) == 1000
    with pytest.raises(Conflict, match="已经有人办过"):
        await service.decide_correction(at.second, at.fund_id, waiting, approve=True, now=now())
    told = await DB.fetch(
        "SELECT action, before->>'amount_fen' AS was, after->>'amount_fen' AS now, reason"
        " FROM shared.audit_event WHERE county_id = $1 AND action LIKE 'fund.correct%' ORDER BY id",
        COUNTY,
    )
    change = (str(TYPED), str(RIGHT), "多输了一个零")
    assert [tuple(event) for event in told] == [
        ("fund.correct", *change),
        ("fund.correction_approved", *change),
    ]
    paper = (*ROWS[0][:3], row.number, date(2026, 1, 5), RIGHT // 100)
    assert (await import_funds(None, COUNTY, file([paper]), "funds.xlsx", now())).same == 1
    old = await import_funds(None, COUNTY, file([(*paper[:5], TYPED // 100)]), "funds.xlsx", now())
    assert "4500.00 元" in old.faults[0]
    await sound()


async def test_no_correction_below_what_is_issued(rollback: None) -> None:
    """Neither when it is asked for, nor when more was issued until it is approved."""
    at = await desks()
    for amount in (9_999, 10**11 + 1, TYPED):
        with pytest.raises(Invalid) as refused:
            await service.propose_correction(at.first, at.fund_id, at.form(amount), now())
        assert list(refused.value.fields) == ["amount_fen"]
    await service.propose_correction(at.first, at.fund_id, at.form(10_000), now())
    await earn(at.made.county.second_worker.person_id, at.fund_id, 1)
    waiting = await at.waiting()
    with pytest.raises(Conflict, match="超过更正后的预算"):
        await service.decide_correction(at.second, at.fund_id, waiting, approve=True, now=now())
    with pytest.raises(Invalid, match="不同意的原因"):
        await service.decide_correction(at.second, at.fund_id, waiting, approve=False, now=now())
    await service.decide_correction(
        at.second, at.fund_id, waiting, approve=False, note="已经发过了", now=now()
    )
    [row] = await service.corrections(at.first, at.fund_id)
    assert (row.state, row.decision_note) == ("refused", "已经发过了")
    assert (await service.view_fund(at.first, at.fund_id))[0].budget_fen == TYPED
    await service.propose_correction(at.second, at.fund_id, at.form(10_010), now())
    await sound()


async def test_a_correction_upwards_releases_what_waits(rollback: None) -> None:
    """A zero too few: the points follow in their order; another correction starts from it."""
    at = await desks(budget_fen=5_000)
    person = at.made.county.worker.person_id
    assert await wallet(person) == 500
    await service.propose_correction(at.first, at.fund_id, at.form(50_000), now())
    await service.decide_correction(
        at.second, at.fund_id, await at.waiting(), approve=True, now=now()
    )
    assert await wallet(person) == 1000
    await service.propose_correction(at.second, at.fund_id, at.form(20_000), now())
    [second, _] = await service.corrections(at.first, at.fund_id)
    assert (second.was_fen, second.amount_fen) == (50_000, 20_000)
    await service.decide_correction(at.first, at.fund_id, second.id, approve=True, now=now())
    assert (await service.view_fund(at.first, at.fund_id))[0].left_fen == 10_000
    await sound()


async def test_who_has_no_money_to_answer_for_corrects_nothing(rollback: None) -> None:
    """A chief sees the fund; another fund's correction is not found under this one."""
    at = await desks()
    chief = await factories.acting(at.made.county.chief)
    with pytest.raises(NotFound):
        await service.propose_correction(chief, at.fund_id, at.form(), now())
    await service.propose_correction(at.first, at.fund_id, at.form(), now())
    with pytest.raises(NotFound):
        await service.decide_correction(
            at.second, at.wrong, await at.waiting(), approve=True, now=now()
        )
    assert await service.corrections_waiting(chief) == []


async def test_the_pages_of_a_correction(client: httpx.AsyncClient) -> None:
    """Asked for on the fund's page, shown to the other desk, printed on the month's sheet."""
    at = await desks()
    county = at.made.county
    page, path = f"/funds/{at.fund_id}", f"/desk/funds/{at.fund_id}/corrections"
    await enter(client, county.department)
    assert "更正登记错的决议金额" in (await client.get(page)).text
    form = {"resolution_id": str(at.wrong), "amount": "4500", "reason": "多输了一个零"}
    for name, value in (("amount", "一千"), ("amount", "1"), ("reason", ""), ("resolution_id", "")):
        wrong = await post(client, path, **form | {name: value})
        assert (wrong.status_code, "field__error" in wrong.text) == (422, True), (name, value)
    assert (await post(client, path, **form)).status_code == 303
    own = (await client.get(page)).text
    assert "的另一人或村会计批准" in own
    twice = await post(client, path, **form)
    assert (twice.status_code, "等批准" in twice.text) == (409, True)
    waiting = f"/funds/{at.fund_id}/corrections/{await at.waiting()}"
    assert (await post(client, waiting, answer="approve")).status_code == 403
    await enter(client, at.colleague)
    assert "决议更正待批准" in (await client.get("/desk")).text
    assert "等批准的决议更正（1）" in (await client.get("/desk/funds")).text
    silent = await post(client, waiting, answer="refuse")
    assert (silent.status_code, "请写明不同意的原因" in silent.text) == (422, True)
    assert (await post(client, waiting, answer="approve")).status_code == 303
    shown = (await client.get(page)).text
    for words in ("45,000.00", "4,500.00", "多输了一个零", "已更正"):
        assert words in shown, words
    await enter(client, county.accountant)
    assert "由 45,000.00 元更正为 4,500.00 元" in (await client.get(page)).text
    await publication.publish(COUNTY, THIS_MONTH, after(THIS_MONTH))
    [sheet] = await publication.of_fund(await at.made.accountant(), at.fund_id)
    assert sheet.figures.budget_fen == RIGHT
    printed = (await client.get(f"/publications/{sheet.id}")).text
    assert "由 45,000.00 元更正为 4,500.00 元（多输了一个零）" in printed
    assert "−40,500.00" in printed


async def test_the_village_s_accountant_is_a_second_person(client: httpx.AsyncClient) -> None:
    """Who holds the paper resolution confirms on the phone; nobody else of the village does."""
    at = await desks()
    county = at.made.county
    await service.propose_correction(at.first, at.fund_id, at.form(), now())
    path = f"/funds/{at.fund_id}/corrections/{await at.waiting()}"
    for member in (county.chief, county.supervisor, county.instructor):
        await enter(client, member)
        assert path not in (await client.get(f"/funds/{at.fund_id}")).text
        assert (await post(client, path, answer="approve")).status_code == 404
    await enter(client, county.accountant)
    assert "决议更正待批准" in (await client.get("/verify")).text
    assert "等批准的决议更正" in (await client.get("/funds")).text
    assert path in (await client.get(f"/funds/{at.fund_id}")).text
    silent = await post(client, path, answer="refuse")
    assert (silent.status_code, "请写明不同意的原因" in silent.text) == (422, True)
    assert (await post(client, path, answer="approve")).status_code == 303
    assert "决议更正待批准" not in (await client.get("/verify")).text
    assert (await service.view_fund(at.first, at.fund_id))[0].budget_fen == RIGHT


SPOILS = [
    ("UPDATE points.correction SET amount_fen = amount_fen + 1", "I5 更正由另一人批准"),
    ("UPDATE points.correction SET state = 'refused'", "I5 更正由另一人批准"),
    ("UPDATE points.correction SET decided_by = id", "I5 更正由另一人批准"),
    ("UPDATE points.resolution SET amount_fen = -1 WHERE corrects IS NOT NULL", "I5 预算等于决议"),
    ("UPDATE points.resolution SET corrects = id WHERE corrects IS NOT NULL", "I5 资金"),
    ("DELETE FROM shared.audit_event WHERE object_kind = 'correction'", "I18 办理有审计"),
]


@pytest.mark.parametrize(("sql", "invariant"), SPOILS)
async def test_the_verifier_finds_a_spoilt_correction(
    rollback: None, sql: str, invariant: str
) -> None:
    """What was approved, by whom, and what the ledger made of it agree."""
    at = await desks()
    await service.propose_correction(at.first, at.fund_id, at.form(), now())
    await service.decide_correction(
        at.second, at.fund_id, await at.waiting(), approve=True, now=now()
    )
    await sound()
    await spoil(f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} county_id = $1")
    assert [name for name in await findings() if name.startswith(invariant)]
