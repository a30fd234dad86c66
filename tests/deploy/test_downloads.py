"""Files and sheets for the desk, whichever service makes them: nobody else waits for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import httpx
import msgspec
import pytest
import segno
import xlsxwriter

from appraisal.ranking import service as ranking
from appraisal.ranking.schemas import Wanted
from points.mall.goods_file import import_products
from points.settlement.funds.office import import_funds
from shared.clock import now
from tests.appraisal.ranking.test_ranking import ranked_cycle
from tests.appraisal.survey.world import VILLAGE, drawn
from tests.factories import COUNTY, acting, small_county
from tests.points.mall.test_office import goods
from tests.points.work.test_web_desk import file_of
from tests.shared.identity.test_matrix import act_as
from tests.shared.identity.test_web import post

FILES = (
    "/desk/audit.xlsx",
    "/desk/ledger.xlsx",
    "/desk/oversight.xlsx",
    "/desk/summary.xlsx",
    "/desk/roster/export.xlsx",
    "/desk/roster/template.xlsx",
    "/appraisal/desk/cases.xlsx",
    "/me/data.xlsx",
    "/appraisal/me/data.xlsx",
)


@contextmanager
def beside(where: Any, name: str) -> Iterator[list[int]]:
    """A slow function's calls, by thread; none may be on the loop's."""
    called: list[int] = []
    original = getattr(where, name)

    def noted(*args: Any, **options: Any) -> Any:
        called.append(get_ident())
        return original(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, noted)
        yield called
    assert get_ident() not in called


async def test_workbooks_are_written_beside_the_loop(client: httpx.AsyncClient) -> None:
    """A long list takes seconds: so long no counter would have been served."""
    world = await small_county()
    await act_as(client, world.department)
    for path in FILES:
        with beside(xlsxwriter.Workbook, "close") as written:
            answer = await client.get(path, params={"purpose": "审计"})
        assert (answer.status_code, len(written)) == (200, 1), path


async def test_a_ranking_is_written_beside_the_loop(rollback: None) -> None:
    """The longest list of all."""
    actor = await acting((await small_county()).department, desk=True)
    department = msgspec.structs.replace(actor, confirmed_at=now())
    cycle_id, _ = await ranked_cycle(department, 3)
    with beside(xlsxwriter.Workbook, "close") as written:
        await ranking.export(department, cycle_id, Wanted(), "部务会", now())
    assert len(written) == 1


async def test_files_with_faults_come_back_beside_the_loop(client: httpx.AsyncClient) -> None:
    """A list of goods, of resolutions, of work: red, or with the outcome of every row."""
    world = await small_county()
    faulty = goods(["肥皂", "块", "五", 4.5, 20.0])
    funds = "村代码,村社区,资金来源,决议文号,决议日期,预算金额元\n1,石桥村,,,,\n".encode("gb18030")
    await act_as(client, world.department)
    await client.get("/desk/months")
    with beside(xlsxwriter.Workbook, "close") as written:
        assert (await import_products(None, COUNTY, faulty, "goods.xlsx", now())).report
        assert (await import_funds(None, COUNTY, funds, "funds.csv", now())).report
        answer = await client.post(
            "/desk/months/import",
            data={"act": "report", "_csrf_token": client.cookies["csrftoken"]},
            files={"file": ("a.csv", file_of())},
        )
    assert answer.status_code < 300, answer.text[:300]
    assert len(written) == 3


async def test_codes_of_a_sheet_are_drawn_beside_the_loop(client: httpx.AsyncClient) -> None:
    """Six hundred ballots took as many times 10 ms, in which nobody was answered."""
    made = await drawn()
    person = str(made.county.worker.person_id)
    village = f"/appraisal/visits/{made.survey.id}/{VILLAGE}"
    for member, path, count in (
        (made.county.chief, "/verify/accounts/slips", 1),
        (made.county.chief, "/verify/cards", 1),
        (made.county.instructor, f"{village}/slips", 60),
    ):
        await act_as(client, member)
        with beside(segno, "make") as coded:
            sheet = await post(client, path, person=person)
        assert sheet.text.count('class="qr"') == len(coded) == count, path
