"""Evidence photos go a year after work and appraisal are over; whatever is open keeps them."""

import io
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from PIL import Image

from points.errors import PhotosElsewhere
from points.work import photos
from points.work.jobs import photo_job
from shared.database import DB
from shared.ids import new_id
from shared.retention.registry import PHOTO
from tests.conftest import as_owner
from tests.factories import COUNTY, SmallCounty, small_county

WORKED = date(2026, 5, 10)
POSTED = datetime(2026, 6, 5, 4, tzinfo=UTC)
OVER = date(2028, 1, 2)
"""366 days after the end of 2026."""
OTHER_COUNTY = 421223


async def picture(folder: Path, colour: str) -> bytes:
    """A stored photo; its name."""
    data = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(data, "PNG")
    async with photos.keep(folder, data.getvalue()) as name:
        return name


async def put(table: str, **columns: Any) -> UUID:
    """A row as its owner writes it."""
    given = {"county_id": COUNTY, "id": new_id(), **columns}
    places = ", ".join(f"${number}" for number in range(1, len(given) + 1))
    async with as_owner():
        await DB.execute(
            f"INSERT INTO {table} ({', '.join(given)}) VALUES ({places})", *given.values()
        )
    return UUID(str(given["id"]))


async def record(town: SmallCounty, photo: bytes, **given: Any) -> UUID:
    """Posted work of the worker with a photo."""
    columns: dict[str, Any] = {
        "county_id": town.county_id,
        "worker_id": town.worker.person_id,
        "grid_code": town.worker.unit_code,
        "rule_code": "SVC-01",
        "rule_version": 1,
        "category": "SVC",
        "work_date": WORKED,
        "run_month": 202605,
        "declared_at": POSTED,
        "text": "代办医保",
        "text_key": str(new_id()),
        "source": "phone",
        "fingerprint": b"",
        "photo": photo,
        "state": "posted",
        "gives": 10,
        "posted_at": POSTED,
    }
    return await put("points.work_record", **columns | given)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def run(folder: Path, day: date, county_id: int = COUNTY) -> str:
    """What the night's job says."""
    return await photo_job(folder).run(county_id, str(day), datetime.combine(day, time(4), UTC))


async def of(record_id: UUID) -> bytes | None:
    """The photo that a record names."""
    found: bytes | None = await DB.fetchval(
        "SELECT photo FROM points.work_record WHERE county_id > 0 AND id = $1", record_id
    )
    return found


async def test_a_photo_goes_on_the_day_and_others_stay(rollback: None, tmp_path: Path) -> None:
    """Record and file; the next year's stay; a second run finds nothing; no name in the audit."""
    town = await small_county()
    old, young = await picture(tmp_path, "red"), await picture(tmp_path, "blue")
    done = await record(town, old)
    kept = await record(town, young, work_date=date(2027, 1, 1))
    assert await run(tmp_path, date(2028, 1, 1)) == "清除工作照片 0 张"
    assert photos.path_of(tmp_path, old).exists()
    assert await run(tmp_path, OVER) == "清除工作照片 1 张"
    assert (await of(done), await of(kept)) == (None, young)
    assert files(tmp_path) == [photos.path_of(tmp_path, young)]
    assert await run(tmp_path, OVER) == "清除工作照片 0 张"
    rows = await DB.fetch(
        "SELECT after FROM shared.audit_event WHERE county_id = $1 AND action = 'data.erase'",
        COUNTY,
    )
    assert [msgspec.json.decode(row["after"]) for row in rows] == [{"what": PHOTO.what, "count": 1}]


async def test_a_file_that_is_gone_already_holds_nothing_up(rollback: None, tmp_path: Path) -> None:
    """As after a run that was cut off between the file and its record."""
    town = await small_county()
    await picture(tmp_path, "red")
    done = await record(town, b"\x01" * 32)
    assert await run(tmp_path, OVER) == "清除工作照片 1 张"
    assert await of(done) is None


async def test_an_upload_that_was_cut_off_leaves_no_picture(rollback: None, tmp_path: Path) -> None:
    """A process killed before the declaration is stored, and one after; a running one stays."""
    town = await small_county()
    colours = ("red", "green", "blue")
    lost, stored, running = [await picture(tmp_path, colour) for colour in colours]
    await record(town, stored, work_date=date(2027, 6, 1))
    night = datetime.combine(OVER, time(4), UTC)
    for name, age in ((lost, 2), (stored, 2), (running, 0)):
        path = photos.path_of(tmp_path, name)
        part = path.replace(path.with_suffix(f".{new_id()}.part"))
        seconds = night.timestamp() - age * 86_400
        os.utime(part, (seconds, seconds))
    assert await run(tmp_path, OVER) == "清除工作照片 0 张"
    kept = files(tmp_path)
    assert photos.path_of(tmp_path, stored) in kept
    assert sorted(path.name[:64] for path in kept) == sorted([stored.hex(), running.hex()])


async def test_a_scheduler_without_the_photos_erases_no_record(
    rollback: None, tmp_path: Path
) -> None:
    """On another machine the files would stay for ever, known to nobody."""
    town = await small_county()
    done = await record(town, b"\x01" * 32)
    with pytest.raises(PhotosElsewhere):
        await run(tmp_path, OVER)
    assert await of(done) == b"\x01" * 32


async def cycle(town: SmallCounty, closed_at: datetime | None) -> None:
    await put(
        "appraisal.cycle",
        kind="annual",
        year=2026,
        title="2026年度考核",
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        state="closed" if closed_at else "appeal",
        opened_by=town.department.person_id,
        opened_at=POSTED,
        closed_at=closed_at,
    )


async def objection(town: SmallCounty, record_id: UUID) -> None:
    await put(
        "points.objection",
        record_id=record_id,
        worker_id=town.worker.person_id,
        village_code="421222100001",
        text="那天我去了",
        state="review",
        raised_at=POSTED,
        due_on=WORKED,
    )


async def deduction(town: SmallCounty, record_id: UUID) -> None:
    await put(
        "points.deduction",
        worker_id=town.worker.person_id,
        village_code="421222100001",
        code="PEN-07",
        title="虚报",
        amount=100,
        record_id=record_id,
        facts="照片与事实不符",
        evidence="走访",
        happened_on=WORKED,
        state="appealed",
        proposed_by=town.lead.person_id,
        proposed_at=POSTED,
        answer_due_on=WORKED,
    )


async def case(town: SmallCounty) -> None:
    await put(
        "appraisal.case_file",
        machine="exit_wish",
        pool="exit",
        person_id=town.worker.person_id,
        unit_code=town.worker.unit_code,
        state="applied",
        opened_at=POSTED,
    )


async def state(record_id: UUID, name: str) -> None:
    await DB.execute(
        "UPDATE points.work_record SET state = $3 WHERE county_id = $1 AND id = $2",
        *(COUNTY, record_id, name),
    )


async def posted(record_id: UUID, at: datetime) -> None:
    await DB.execute(
        "UPDATE points.work_record SET posted_at = $3 WHERE county_id = $1 AND id = $2",
        *(COUNTY, record_id, at),
    )


LATE = datetime(2027, 2, 1, 4, tzinfo=UTC)
HELD: dict[str, Callable[[SmallCounty, UUID], Awaitable[None]]] = {
    "an open cycle": lambda town, _: cycle(town, None),
    "a cycle closed late": lambda town, _: cycle(town, LATE),
    "an objection": objection,
    "a deduction": deduction,
    "a case": lambda town, _: case(town),
    "not confirmed": lambda _, record_id: state(record_id, "pending"),
    "not posted": lambda _, record_id: state(record_id, "accepted"),
    "posted late": lambda _, record_id: posted(record_id, LATE),
}


@pytest.mark.parametrize("held", HELD)
async def test_what_is_open_keeps_the_photo(rollback: None, tmp_path: Path, held: str) -> None:
    """Every obstacle alone; what only came late goes a year after that."""
    town = await small_county()
    name = await picture(tmp_path, "red")
    record_id = await record(town, name)
    await HELD[held](town, record_id)
    assert await run(tmp_path, OVER) == "清除工作照片 0 张"
    assert photos.path_of(tmp_path, name).exists()
    gone = "1" if held.endswith("late") else "0"
    assert await run(tmp_path, date(2028, 2, 1)) == "清除工作照片 0 张"
    assert await run(tmp_path, date(2028, 2, 3)) == f"清除工作照片 {gone} 张"


async def test_a_picture_of_two_records_stays_for_the_other(rollback: None, tmp_path: Path) -> None:
    """Files are named by what they show, across counties too; the last record takes it along."""
    town, there = await small_county(), await small_county(OTHER_COUNTY)
    name = await picture(tmp_path, "red")
    first, second = await record(town, name), await record(town, name)
    other = await record(there, name)
    assert await run(tmp_path, OVER) == "清除工作照片 2 张"
    assert (await of(first), await of(second), await of(other)) == (None, None, name)
    assert photos.path_of(tmp_path, name).exists()
    assert await run(tmp_path, OVER, OTHER_COUNTY) == "清除工作照片 1 张"
    assert not files(tmp_path)


async def test_a_picture_that_is_declared_again_meanwhile_is_put_back(tmp_path: Path) -> None:
    """The second question is asked when the file is aside, and then somebody has it."""
    name = await picture(tmp_path, "red")
    answers = iter((False, True))

    async def used() -> bool:
        return next(answers)

    await photos._erase(tmp_path, name, used)
    assert files(tmp_path) == [photos.path_of(tmp_path, name)]
