"""What appraisal keeps about oneself, to take away."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import httpx
import openpyxl

from appraisal.cycle.rules import Stage
from appraisal.duty import entries
from appraisal.duty import service as duty
from appraisal.duty.rules import EntryForm, EntryKind
from appraisal.duty.schemas import SheetInput
from appraisal.own_data import ARCHIVED
from shared.clock import now
from tests.appraisal.scorecard.scene import scored_cycle
from tests.factories import acting
from tests.shared.identity.test_web import enter

FILE = "/appraisal/me/data.xlsx"


async def sheets_of(client: httpx.AsyncClient) -> dict[str, str]:
    """The file's sheets, each as one text."""
    book = openpyxl.load_workbook(BytesIO((await client.get(FILE)).content))
    return {
        sheet.title: " ".join(str(cell) for row in sheet.values for cell in row)
        for sheet in book.worksheets
    }


async def test_a_worker_takes_their_appraisal_data_away(client: httpx.AsyncClient) -> None:
    """Results, attendance, facts, training and cases of one's own, and nobody else's."""
    scene = await scored_cycle(Stage.NOTICE)
    worker, instructor = scene.town.worker, await acting(scene.town.instructor)
    line = SheetInput(
        person_id=worker.person_id,
        village_code="421222100001",
        month=202607,
        rostered=Decimal(21),
        on_duty=Decimal("20.5"),
        leave=Decimal(0),
        note="下村",
    )
    await duty.save(instructor, [line], now())
    praise = EntryForm(
        kind=EntryKind.COMMEND,
        person_id=worker.person_id,
        happened_on=date(2026, 7, 9),
        level="county",
        by_whom="县委",
        document="通报3号",
    )
    await entries.add(instructor, praise, now())
    await enter(client, worker)
    assert f'href="{FILE}"' in (await client.get("/me/data")).text
    sheets = await sheets_of(client)
    assert "2026年上半年网格员评比" in sheets["考核结果"]
    assert "履职积分" in sheets["考核结果"]
    assert "20.5" in sheets["考勤"]
    assert "通报3号" in sheets["抽查、表扬、投诉"]
    assert {"培训", "考核事项"} <= sheets.keys()
    kept = {title for title, text in sheets.items() if ARCHIVED in text}
    assert kept == {"考核结果", "考勤", "抽查、表扬、投诉", "培训", "考核事项"}
    assert scene.town.second_worker.name not in "".join(sheets.values())
    await enter(client, scene.town.second_worker)
    assert "通报3号" not in (await sheets_of(client))["抽查、表扬、投诉"]
