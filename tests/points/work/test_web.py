"""The pages of workers and verifiers, through the door with a real sign-in."""

import asyncio
import io
import json
import re
import struct
import zlib
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from PIL import Image

from points.errors import WorkRefused
from points.rulebook import service as rulebook
from points.work import photos, service
from points.work.schemas import LogForm
from shared.clock import now, today
from shared.database import DB
from shared.dates import chinese_date
from shared.ids import new_id
from shared.roster import service as roster
from shared.roster.roles import Role
from shared.settings import Settings
from tests.conftest import as_owner
from tests.factories import COUNTY, acting, also_in, member, small_county
from tests.shared.identity.test_web import enter, post


def declaration(**more: str) -> dict[str, str]:
    """The fields of the form as the phone sends them."""
    fields = {
        "id": str(new_id()),
        "rule_code": "ORG-02",
        "work_date": today().isoformat(),
        "choice": "参加网格例会",
        "text": "",
    }
    return fields | more


async def test_the_story_from_declaring_to_confirming(client: httpx.AsyncClient) -> None:
    """A worker declares, the lead sees and confirms it, the worker sees by whom."""
    world = await small_county()
    await enter(client, world.worker)
    for path in ("/home", "/work", "/work/new?category=SVC", "/records"):
        assert (await client.get(path)).status_code == 200, path
    sent = declaration()
    answer = await post(client, "/work", **sent)
    assert answer.status_code == 303
    result = await client.get(answer.headers["location"])
    assert "已提交" in result.text
    assert f"等{world.lead.name}核实" in result.text
    assert (await post(client, "/work", **sent)).headers["location"] == answer.headers["location"]

    await enter(client, world.lead)
    todo = await client.get("/verify")
    assert "参加网格例会" in todo.text
    assert todo.text.index("等您核实 1 条") < todo.text.index("月度审核与公示"), "first what waits"
    answer = await post(client, f"/verify/{sent['id']}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/verify?done=approve")
    assert "已通过。" in (await client.get("/verify?done=approve")).text
    assert "参加网格例会" in (await client.get("/verify/done")).text

    await enter(client, world.worker)
    page = await client.get(f"/records/{sent['id']}")
    assert world.lead.name in page.text
    assert "已核实" in page.text


async def ended(code: str, first: date, **changed: object) -> None:
    """A rule's only version ends before a day; with changes, another begins there."""
    await rulebook.ensure_seeded(COUNTY)
    async with as_owner():
        await DB.execute(
            "UPDATE points.rule_version SET effective_to = $3 WHERE county_id = $1 AND code = $2",
            COUNTY,
            code,
            first,
        )
        if changed:
            await DB.execute(
                "INSERT INTO points.rule_version (county_id, id, kind, code, version,"
                " effective_from, body, recorded_at)"
                " SELECT county_id, $4, kind, code, 2, $3, body || $5::jsonb, recorded_at"
                " FROM points.rule_version WHERE county_id = $1 AND code = $2",
                COUNTY,
                code,
                first,
                new_id(),
                json.dumps(changed | {"version": 2, "effective_from": str(first)}),
            )


async def test_what_was_done_under_an_item_that_has_ended_is_declared(
    client: httpx.AsyncClient,
) -> None:
    """Until declaring closes, on the phone and on paper; correcting it keeps the item."""
    world = await small_county()
    yesterday = today() - timedelta(days=1)
    await ended("LAW-04", today())
    await enter(client, world.worker)
    listed = (await client.get("/work/new?category=LAW")).text
    assert f"{chinese_date(today())}起不再设，只能补记" in listed
    form = (await client.get("/work/new?category=LAW&rule=LAW-04")).text
    assert f'value="{yesterday}"' in form
    late = declaration(rule_code="LAW-04", choice="反诈宣传")
    refused = await post(client, "/work", **late)
    assert (refused.status_code, "没有生效的规则" in refused.text) == (422, True)
    assert 'name="rule_code" value="LAW-04"' in refused.text
    sent = late | {"work_date": str(yesterday)}
    assert (await post(client, "/work", **sent)).status_code == 303
    assert "反诈、防火等专项宣传" in (await client.get("/records")).text
    await service.send_back(await acting(world.lead), UUID(sent["id"]), "写明在哪里", now=now())
    again = (await client.get(f"/work/new?replaces={sent['id']}")).text
    assert 'name="rule_code" value="LAW-04"' in again
    await enter(client, world.chief)
    paper = f"/verify/proxy?worker={world.worker.person_id}&rule=LAW-04"
    assert "LAW-04 反诈、防火等专项宣传</h2>" in (await client.get(paper)).text


async def test_the_form_asks_what_the_version_of_the_day_of_the_work_asks(
    client: httpx.AsyncClient,
) -> None:
    """The next version counts by ten households: of yesterday's work one is still declared."""
    world = await small_county()
    await ended("LAW-04", today(), per=10)
    await enter(client, world.worker)
    assert 'name="quantity"' in (await client.get("/work/new?category=LAW&rule=LAW-04")).text
    sent = declaration(rule_code="LAW-04", choice="反诈宣传", quantity="10")
    sent["work_date"] = str(today() - timedelta(days=1))
    answer = await post(client, "/work", **sent)
    assert (answer.status_code, 'name="quantity"' in answer.text) == (422, False)
    del sent["quantity"]
    assert (await post(client, "/work", **sent)).status_code == 303


async def test_marks_that_nobody_sees_are_not_kept(client: httpx.AsyncClient) -> None:
    """One of direction would show the verifier the day and the points behind the text reversed."""
    world = await small_county()
    await enter(client, world.worker)
    text = "参加\u202e网格\u2067例\u200b会"
    assert (await post(client, "/work", **declaration(choice="", text=text))).status_code == 303
    stored = await DB.fetchval("SELECT text FROM points.work_record WHERE county_id = $1", COUNTY)
    assert stored == "参加网格例会"


async def test_a_wrong_form_comes_back_filled_in(client: httpx.AsyncClient) -> None:
    """422, the sentence beside the field, the text kept; a program gets a problem document."""
    world = await small_county()
    await enter(client, world.worker)
    wrong = declaration(work_date="2199-01-01", text="参加网格夜会")
    answer = await post(client, "/work", **wrong)
    assert answer.status_code == 422
    assert "日期还没有到" in answer.text
    assert "参加网格夜会" in answer.text
    token = client.cookies["csrftoken"]
    headers = {"accept": "application/json", "x-csrftoken": token}
    problem = await client.post("/work", data=wrong, headers=headers)
    assert (problem.status_code, problem.json()["code"]) == (422, "work_refused")


async def stored(folder: Path, data: bytes) -> bytes:
    """A picture whose declaration was taken."""
    async with photos.keep(folder, data) as name:
        return name


async def test_a_refused_declaration_leaves_no_photo_behind(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    """Nobody would ever see or erase it; the same photo of a declaration that was taken stays."""
    world = await small_county()
    await enter(client, world.worker)
    picture = io.BytesIO()
    Image.effect_noise((90, 70), 50).save(picture, "PNG")
    file = {"photo": ("p.png", picture.getvalue(), "image/png")}
    before = {path for path in settings.data_dir.glob("photos/**/*") if path.is_file()}

    async def sent(**more: str) -> int:
        data = {"_csrf_token": client.cookies["csrftoken"], **declaration(), **more}
        return (await client.post("/work", data=data, files=file)).status_code

    def kept() -> set[Path]:
        return {path for path in settings.data_dir.glob("photos/**/*") if path.is_file()} - before

    assert await sent(rule_code="NO-99") == 422
    assert await sent(quantity="7") == 422
    assert not kept()
    assert await sent() == 303
    [path] = kept()
    assert await sent() == 409
    assert kept() == {path}


async def test_a_process_that_dies_after_the_commit_loses_no_photo(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    """It is shown from where it waits, and the next night's job moves it; the refused one goes."""
    world = await small_county()
    folder = settings.data_dir
    taken, refused = io.BytesIO(), io.BytesIO()
    Image.effect_noise((91, 71), 50).save(taken, "PNG")
    Image.effect_noise((91, 71), 50).save(refused, "PNG")
    dying = [photos.keep(folder, data.getvalue()) for data in (taken, refused)]
    names = [await keeping.__aenter__() for keeping in dying]
    sent = declaration()
    form = LogForm(id=UUID(sent["id"]), rule_code="ORG-02", work_date=today(), text="参加网格例会")
    await service.log(await acting(world.worker), form, now(), photo=names[0])
    waiting = [next(folder.glob(f"photos/*/{name.hex()}.*.part")) for name in names]

    await enter(client, world.worker)
    shown = (await client.get(f"/records/{sent['id']}/photo")).content
    assert shown.startswith(b"\xff\xd8")
    await photos.put_right(folder, now())
    assert all(partial.exists() for partial in waiting), "somebody may just be declaring"
    await photos.put_right(folder, now() + timedelta(days=2))
    assert not any(partial.exists() for partial in waiting)
    assert photos.path_of(folder, names[0]).read_bytes() == shown
    assert not photos.path_of(folder, names[1]).exists()


async def test_a_photo_is_re_encoded_without_its_place(
    client: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    """EXIF and comments are dropped, the picture is kept, only those with a right see it."""
    world = await small_county()
    await enter(client, world.worker)
    picture = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "home address"
    said = {"comment": b"home address", "xmp": b"home address"}
    Image.new("RGB", (2400, 1200), "red").save(picture, "JPEG", exif=exif, **said)
    assert picture.getvalue().count(b"home address") == 3
    sent = declaration()
    answer = await client.post(
        "/work",
        data={"_csrf_token": client.cookies["csrftoken"], **sent},
        files={"photo": ("p.jpg", picture.getvalue(), "image/jpeg")},
    )
    assert answer.status_code == 303, answer.text
    shown = await client.get(f"/records/{sent['id']}/photo")
    assert b"home address" not in shown.content
    with Image.open(io.BytesIO(shown.content)) as kept:
        assert (kept.format, kept.size) == ("JPEG", (1600, 800))
    await enter(client, world.cousin_worker)
    assert (await client.get(f"/records/{sent['id']}/photo")).status_code == 404


async def test_a_file_that_is_no_picture_is_refused(client: httpx.AsyncClient) -> None:
    """What cannot be opened as a picture never lands on the disk."""
    world = await small_county()
    await enter(client, world.worker)
    answer = await client.post(
        "/work",
        data={"_csrf_token": client.cookies["csrftoken"], **declaration()},
        files={"photo": ("p.jpg", b"MZ not a picture", "image/jpeg")},
    )
    assert answer.status_code == 422
    assert "不是能打开的照片" in answer.text


@pytest.mark.parametrize("side", [7_000, 20_000])
async def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path, side: int) -> None:
    """Also beyond what the library will open at all; the header alone says so."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    with pytest.raises(WorkRefused, match="尺寸太大"):
        await stored(tmp_path, b"\x89PNG\r\n\x1a\n" + b"".join(parts))


async def test_a_photo_with_wrong_exif_is_kept_upright(tmp_path: Path) -> None:
    """Some phones write numbers where a text belongs; the picture is as good as any."""
    camera = struct.pack("<HHIHH", 0x010F, 3, 3, 1, 0)
    turned = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + camera + turned + struct.pack("<I", 0)
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(picture, "JPEG", exif=exif)
    found = await photos.load(tmp_path, await stored(tmp_path, picture.getvalue()))
    with Image.open(io.BytesIO(found or b"")) as kept:
        assert kept.size == (40, 60)
        assert not kept.getexif()


async def test_one_picture_is_unpacked_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few forged files at once would fill the memory of a county's server."""
    unpack, running, most = photos._reencoded, 0, 0

    def watched(data: bytes) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return unpack(data)
        finally:
            running -= 1

    monkeypatch.setattr(photos, "_reencoded", watched)
    picture = io.BytesIO()
    Image.effect_noise((1500, 1500), 50).save(picture, "PNG")
    await asyncio.gather(*(stored(tmp_path, picture.getvalue()) for _ in range(4)))
    assert most == 1


async def test_sending_back_and_correcting(client: httpx.AsyncClient) -> None:
    """The reason reaches the worker, and the form comes back filled in."""
    world = await small_county()
    await enter(client, world.worker)
    sent = declaration()
    await post(client, "/work", **sent)
    await enter(client, world.lead)
    assert (await post(client, f"/verify/{sent['id']}/return")).status_code == 422
    answer = await post(client, f"/verify/{sent['id']}/return", choice="日期不对，请改正")
    assert "已退回，网格员看得到原因" in (await client.get(answer.headers["location"])).text
    assert answer.status_code == 303
    for late in (f"/verify/{sent['id']}", f"/verify/{sent['id']}/return"):
        told = await post(client, late, choice="日期不对，请改正")
        assert told.status_code == 409
        assert "已退回" in told.text, "it is in the list no more, yet the press is answered"
    await enter(client, world.worker)
    page = await client.get(f"/records/{sent['id']}")
    assert "日期不对，请改正" in page.text
    link = re.search(r"/work/new\?replaces=[0-9a-f-]+", page.text)
    assert link
    assert "参加网格例会" in (await client.get(link.group())).text


async def test_a_corrected_record_keeps_its_photo(client: httpx.AsyncClient) -> None:
    """Only the words were unclear: nobody goes back to the place for the same picture."""
    world = await small_county()
    await enter(client, world.worker)
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(picture, "JPEG")
    token, sent = {"_csrf_token": client.cookies["csrftoken"]}, declaration()
    file = {"photo": ("p.jpg", picture.getvalue(), "image/jpeg")}
    assert (await client.post("/work", data=token | sent, files=file)).status_code == 303
    await service.send_back(await acting(world.lead), UUID(sent["id"]), "请写清楚", now=now())
    form = (await client.get(f"/work/new?replaces={sent['id']}")).text
    assert "上次的照片还在" in form
    better = sent | {"id": str(new_id()), "text": "参加网格例会，发了言", "replaces": sent["id"]}
    for _ in range(2):
        answer = await post(client, "/work", **better)
        assert answer.headers["location"] == f"/records/{better['id']}/done"
    shown = await client.get(f"/records/{better['id']}/photo")
    assert shown.content == (await client.get(f"/records/{sent['id']}/photo")).content
    page = (await client.get(f"/records/{sent['id']}")).text
    assert page.index("退回原因") < page.index("工作日期"), "the reason stands first"


async def test_a_returned_record_is_corrected_under_another_item(
    client: httpx.AsyncClient,
) -> None:
    """规则选错了 is a reason to tap: the item is chosen anew, and the returned record is gone."""
    world = await small_county()
    await enter(client, world.worker)
    sent = declaration(choice="参加清洁行动")
    await post(client, "/work", **sent)
    await service.send_back(
        await acting(world.lead), UUID(sent["id"]), "规则选错了，请重新选", now=now()
    )
    form = (await client.get(f"/work/new?replaces={sent['id']}")).text
    listed = f"/work/new?category=ORG&amp;replaces={sent['id']}"
    assert form.count(f'href="{listed}"') == 2, "back, and another item"
    page = (await client.get(listed.replace("&amp;", "&"))).text
    assert "做了哪一项" in page
    assert f'href="{listed}&amp;rule=ORG-04"' in page
    assert f'href="/work?replaces={sent["id"]}"' in page
    tiles = (await client.get(f"/work?replaces={sent['id']}")).text
    assert f'href="/work/new?category=SVC&amp;replaces={sent["id"]}"' in tiles
    again = (await client.get(f"{listed}&rule=ORG-04".replace("&amp;", "&"))).text
    assert 'name="rule_code" value="ORG-04"' in again
    assert f'name="replaces" value="{sent["id"]}"' in again
    better = sent | {"id": str(new_id()), "rule_code": "ORG-04", "replaces": sent["id"]}
    assert (await post(client, "/work", **better)).status_code == 303
    assert "被退回" not in (await client.get("/home")).text


async def test_each_step_names_whom_it_waits_for(client: httpx.AsyncClient) -> None:
    """V2 needs two people: the page does not say that one of them does both."""
    world = await small_county()
    await enter(client, world.worker)
    sent = declaration(rule_code="OPN-01", choice="路灯不亮")
    await post(client, "/work", **sent)
    page = (await client.get(f"/records/{sent['id']}")).text
    assert (page.count(world.committee.name), page.count(world.supervisor.name)) == (1, 1)


async def test_a_batch_is_shown_before_it_is_confirmed(client: httpx.AsyncClient) -> None:
    """Two records ticked, previewed, confirmed."""
    world = await small_county()
    await enter(client, world.worker)
    ids = []
    for text in ("参加网格例会", "参加网格夜会"):
        sent = declaration(text=text)
        ids.append(sent["id"])
        await post(client, "/work", **sent)
    await enter(client, world.lead)
    token = client.cookies["csrftoken"]
    data = {"_csrf_token": token, "ids": ids}
    preview = await client.post("/verify/preview", data=data)
    assert "将通过 2 条" in preview.text
    done = await client.post("/verify/batch", data=data)
    assert "已通过 2 条" in done.text
    states = await DB.fetch("SELECT state FROM points.work_record WHERE county_id = $1", COUNTY)
    assert [row["state"] for row in states] == ["accepted", "accepted"]


async def test_a_batch_names_what_it_did_not_confirm(client: httpx.AsyncClient) -> None:
    """Beside each reason stands whose record and which one it is."""
    world = await small_county()
    await enter(client, world.worker)
    sent = declaration(text="参加网格例会")
    await post(client, "/work", **sent)
    asking = declaration(rule_code="SVC-01", choice="代办医保缴费")
    await post(client, "/work", **asking)
    await enter(client, world.lead)
    token = client.cookies["csrftoken"]
    data = {"_csrf_token": token, "ids": [sent["id"], asking["id"]]}
    preview = (await client.post("/verify/preview", data=data)).text
    assert "其中 1 条要群众确认，怎样确认的" in preview
    assert 'value="phone" required' in preview
    done = (await client.post("/verify/batch", data=data)).text
    assert "已通过 1 条" in done
    assert "请选择群众是怎样确认的" in done
    assert f"{world.worker.name}：代办医保缴费" in done


async def test_a_full_last_page_promises_no_more(client: httpx.AsyncClient) -> None:
    """Twenty records are one page; the twenty-first is asked for, and is there."""
    world = await small_county()
    await enter(client, world.worker)
    for number in range(service.PAGE):
        sent = declaration(text=f"参加第 {number} 组网格例会")
        assert (await post(client, "/work", **sent)).status_code == 303
    assert "加载更多" not in (await client.get("/records")).text
    assert (await post(client, "/work", **declaration())).status_code == 303
    first = (await client.get("/records")).text
    more = re.search(r'href="(/records\?[^"]*after=[^"]*)"', first)
    assert more
    assert "参加第 0 组网格例会" not in first
    assert "参加第 0 组网格例会" in (await client.get(more[1].replace("&amp;", "&"))).text


async def test_a_long_text_is_short_in_lists_and_whole_on_its_page(
    client: httpx.AsyncClient,
) -> None:
    """In large letters a row would else fill a screen; it leads to the whole."""
    world = await small_county()
    text = "参加网格例会，讨论道路维修、路灯安装和沟渠清淤的安排，" * 6
    sent = declaration(text=text)
    await enter(client, world.worker)
    await post(client, "/work", **sent)
    for path in ("/home", "/records"):
        page = (await client.get(path)).text
        assert f"{text[:29]}…" in page, path
        assert text not in page, path
    assert text in (await client.get(f"/records/{sent['id']}")).text
    await enter(client, world.lead)
    assert text in (await client.get("/verify")).text, "whole where it is judged"
    await post(client, f"/verify/{sent['id']}")
    assert f"{world.worker.name}：{text[:29]}…" in (await client.get("/verify/done")).text


async def test_a_paper_slip_is_keyed_in(client: httpx.AsyncClient) -> None:
    """代录: the secretary types, the lead confirms."""
    world = await small_county()
    await enter(client, world.chief)
    first = (await client.get("/verify/proxy")).text
    grid = f"{world.worker.name}（{world.units[world.worker.unit_code].name}）"
    assert (grid in first, "代录提交" in first) == (True, False)
    chosen = f"/verify/proxy?worker={world.worker.person_id}&rule=ORG-02"
    assert f"{grid}：ORG-02 参加网格例会" in (await client.get(chosen)).text
    sent = declaration(worker_id=str(world.worker.person_id), text="参加网格例会")
    answer = await post(client, "/verify/proxy", **sent)
    assert answer.status_code == 303
    assert f"等{world.lead.name}核实" in (await client.get(answer.headers["location"])).text


async def test_the_grid_is_chosen_by_who_has_two_and_kept_for_the_day(
    client: httpx.AsyncClient,
) -> None:
    """Nothing extra for one grid; with two a choice, then the last one; 代录 has its own."""
    world = await small_county()
    first, second = world.worker.unit_code, world.second_worker.unit_code
    form = "/work/new?category=ORG&rule=ORG-02"
    await enter(client, world.worker)
    assert "在哪个网格" not in (await client.get(form)).text
    await also_in(world.worker, world.units[second])
    page = (await client.get(form)).text
    assert re.findall(r'name="grid_code" value="(\d+)"( checked)?', page) == [
        (first, ""),
        (second, ""),
    ]
    answer = await post(client, "/work", **declaration(grid_code=second))
    done = (await client.get(answer.headers["location"])).text
    assert world.units[second].name in done
    assert f"等{world.other_lead.name}核实" in done
    assert f'value="{second}" checked' in (await client.get(form)).text
    wrong = await post(client, "/work", **declaration(grid_code=world.cousin_worker.unit_code))
    assert wrong.status_code == 422
    assert wrong.text.count("不在这个网格的岗位上") == 2

    await enter(client, world.chief)
    names = "、".join(world.units[code].name for code in (first, second))
    slip = f"/verify/proxy?worker={world.worker.person_id}&rule=ORG-01"
    page = (await client.get(slip)).text
    assert page.count(f">{world.worker.name}（{names}）</option>") == 1
    assert f'value="{second}" checked' not in page
    sent = declaration(worker_id=str(world.worker.person_id), rule_code="ORG-01", text="主题党日")
    await post(client, "/verify/proxy", **sent, grid_code=second)
    assert (await service.view(await acting(world.chief), UUID(sent["id"])))[0].grid_code == second
    assert f'value="{second}" checked' in (await client.get(slip)).text


async def test_a_paper_objection_is_keyed_in(client: httpx.AsyncClient) -> None:
    """The secretary finds the form beside the refused record; the lead who refused does not."""
    world = await small_county()
    await enter(client, world.worker)
    sent = declaration()
    await post(client, "/work", **sent)
    record = f"/records/{sent['id']}"
    await enter(client, world.lead)
    answer = await post(client, f"/verify/{sent['id']}/return", reason="没有来", refuse="1")
    assert "已定为不予认定" in (await client.get(answer.headers["location"])).text
    assert "书面异议" not in (await client.get(record)).text
    await enter(client, world.chief)
    assert "代录书面异议" in (await client.get(record)).text
    made = await post(client, f"{record}/objection", text="签到表上有我")
    assert made.status_code == 303
    page = (await client.get(record)).text
    assert "签到表上有我（书面材料，王书记代录）" in page
    await enter(client, world.worker)
    assert "王书记代录" in (await client.get(record)).text


async def test_a_village_without_gridworkers_says_so(client: httpx.AsyncClient) -> None:
    """No list to choose nobody from: the secretary reads why."""
    world = await small_county()
    await enter(client, await member(Role.CHIEF, world.units["421222100002"], "黎书记"))
    for path in ("/verify/proxy", "/verify/deductions/new"):
        text = (await client.get(path)).text
        assert "这里没有网格员" in text, path
        assert "请选择" not in text, path


async def test_the_empty_slip_names_every_item(client: httpx.AsyncClient) -> None:
    """Also one without sentences to tap; only what nobody declares is left out."""
    world = await small_county()
    await ended("LAW-04", today(), templates=[])
    await enter(client, world.chief)
    slip = (await client.get("/verify/slips")).text
    assert "LAW-04 反诈、防火等专项宣传" in slip
    assert "SVC-03" not in slip


async def test_a_paper_slip_comes_with_the_photo_that_the_item_asks_for(
    client: httpx.AsyncClient,
) -> None:
    """Where a photo is required a slip could not be keyed in at all."""
    world = await small_county()
    await ended("SVC-04", today() - timedelta(days=1), evidence="required")
    await enter(client, world.chief)
    page = (await client.get(f"/verify/proxy?worker={world.worker.person_id}&rule=SVC-04")).text
    assert re.search(r'<input type="file" name="photo"[^>]* required', page)
    sent = declaration(rule_code="SVC-04", text="险情处置", worker_id=str(world.worker.person_id))
    bare = await post(client, "/verify/proxy", **sent)
    assert (bare.status_code, "这一项要附照片" in bare.text) == (422, True)
    picture = io.BytesIO()
    Image.effect_noise((90, 70), 50).save(picture, "PNG")
    answer = await client.post(
        "/verify/proxy",
        data={"_csrf_token": client.cookies["csrftoken"], **sent},
        files={"photo": ("p.png", picture.getvalue(), "image/png")},
    )
    assert answer.status_code == 303
    await enter(client, world.instructor)
    assert (await client.get(f"/records/{sent['id']}/photo")).status_code == 200


async def test_a_paper_that_was_sent_back_is_corrected(client: httpx.AsyncClient) -> None:
    """Its worker has no phone that would say so: the secretary is told, and keys it in again."""
    world = await small_county()
    await enter(client, world.chief)
    sent = declaration(worker_id=str(world.worker.person_id), text="参加网格例会")
    await post(client, "/verify/proxy", **sent)
    assert "退回 1 条" not in (await client.get("/verify")).text
    await service.send_back(await acting(world.lead), UUID(sent["id"]), "写清楚是哪一次", now=now())
    assert "退回 1 条" in (await client.get("/verify")).text
    listed = (await client.get("/verify/proxy")).text
    assert f"{world.worker.name}：参加网格例会" in listed
    assert "退回原因：写清楚是哪一次" in listed
    again = (await client.get(f"/verify/proxy?replaces={sent['id']}")).text
    assert f'name="replaces" value="{sent["id"]}"' in again
    assert ">参加网格例会</textarea>" in again
    better = sent | {"id": str(new_id()), "text": "参加十月网格例会", "replaces": sent["id"]}
    answer = await post(client, "/verify/proxy", **better)
    assert f"等{world.lead.name}核实" in (await client.get(answer.headers["location"])).text
    assert "退回原因" not in (await client.get("/verify/proxy")).text
    await service.send_back(await acting(world.lead), UUID(better["id"]), "没有这件事", now=now())
    page = (await client.get(f"/verify/proxy?replaces={better['id']}")).text
    assert f'action="/records/{better["id"]}/withdraw"' in page
    answer = await post(client, f"/records/{better['id']}/withdraw", next="/verify/proxy")
    assert answer.headers["location"] == "/verify/proxy"
    assert "退回原因" not in (await client.get("/verify/proxy")).text
    own = LogForm(id=new_id(), rule_code="ORG-04", work_date=today(), text="参加清洁行动")
    await service.log(await acting(world.worker), own, now())
    assert (await post(client, f"/records/{own.id}/withdraw")).status_code == 404
    await enter(client, world.instructor)
    assert (await client.get("/verify/proxy")).status_code == 200


async def test_the_papers_of_who_has_left_are_keyed_in(client: httpx.AsyncClient) -> None:
    """Declaring is open until the fifth, and who left on the last day has no phone page for it."""
    world = await small_county()
    await roster.end_assignment(COUNTY, world.worker.assignment_id)
    await enter(client, world.chief)
    grid = world.units[world.worker.unit_code].name
    for path in ("/verify/proxy", "/verify/deductions/new"):
        assert f">{world.worker.name}（原{grid}）</option>" in (await client.get(path)).text, path
    sent = declaration(
        worker_id=str(world.worker.person_id),
        work_date=str(today() - timedelta(days=1)),
        text="参加网格例会",
    )
    answer = await post(client, "/verify/proxy", **sent)
    assert answer.status_code == 303
    assert f"等{world.lead.name}核实" in (await client.get(answer.headers["location"])).text
    late = await post(client, "/verify/proxy", **sent | {"id": "", "work_date": str(today())})
    assert (late.status_code, "不在网格员岗位上" in late.text) == (422, True)


async def test_the_month_pages_open(client: httpx.AsyncClient) -> None:
    """Months, one village's month, objections."""
    world = await small_county()
    await enter(client, world.chief)
    village = world.chief.unit_code
    for path in ("/verify/months", f"/verify/months/{village}/202610", "/verify/objections"):
        assert (await client.get(path)).status_code == 200, path
    assert (await client.get("/verify/months/421222101001/202610")).status_code == 404


async def test_figures_on_the_phone_have_their_units(client: httpx.AsyncClient) -> None:
    """待核实 3 may be points or records: each says which."""
    world = await small_county()
    await enter(client, world.worker)
    assert (await post(client, "/work", **declaration())).status_code == 303
    assert "<dt>待核实</dt><dd>1 分</dd>" in (await client.get("/home")).text
    assert "<dt>冻结</dt><dd>0 分</dd>" in (await client.get("/wallet")).text
    homes = declaration(rule_code="LAW-01", choice="入户宣传", quantity="20")
    assert (await post(client, "/work", **homes)).status_code == 303
    assert "<dt>户数</dt><dd>20 户</dd>" in (await client.get(f"/records/{homes['id']}")).text
    await enter(client, world.chief)
    months = await client.get(f"/verify/months?chosen={today():%Y-%m}")
    # one household visit in ten is drawn to be called back
    figures = r"待核实 [12] 条 · 已核实 [01] 条 · 已入账 0 条"
    assert re.search(figures, months.text.replace("\xa0", " "))


async def test_the_accountant_is_led_to_nothing_that_is_not_theirs(
    client: httpx.AsyncClient,
) -> None:
    """No records to confirm and no months to see: 待办 says what will wait there."""
    world = await small_county()
    await enter(client, world.accountant)
    page = (await client.get("/verify")).text
    assert "对账单轮到您签字时会排在这里" in page
    assert "/verify/months" not in page
    assert "等您核实" not in page


async def test_who_signs_cases_is_led_to_them_from_what_waits(client: httpx.AsyncClient) -> None:
    """The secretary's 待办 leads to 考核事项; a lead and a mediator, who sign none, are not."""
    world = await small_county()
    mediator = await member(Role.MEDIATOR, world.units["421222100001"])
    await enter(client, world.chief)
    assert 'href="/appraisal/cases"' in (await client.get("/verify")).text
    for someone in (world.lead, mediator):
        await enter(client, someone)
        for path in ("/verify", "/me"):
            assert "/appraisal/cases" not in (await client.get(path)).text


async def test_who_only_confirms_is_shown_no_empty_list(client: httpx.AsyncClient) -> None:
    """An agency's 待办 ended in 其他事项 with nothing under it."""
    town = await small_county()
    await enter(client, await member(Role.AGENCY, town.units["421222100"]))
    assert "其他事项" not in (await client.get("/verify")).text
    await enter(client, town.committee)
    assert "其他事项" in (await client.get("/verify")).text


async def test_own_data_reads_like_a_sheet_of_paper(client: httpx.AsyncClient) -> None:
    """Days as people write them, rules by their name: no codes, no 2026-11-03."""
    world = await small_county()
    await enter(client, world.worker)
    await post(client, "/work", **declaration())
    page = (await client.get("/me/data")).text
    assert f"<dd>{chinese_date(today())}</dd>" in page
    assert "<dd>参加网格例会</dd>" in page
    assert "ORG-02" not in page
    assert not re.search(r"<dd>\d{4}-\d\d-\d\d</dd>", page)
