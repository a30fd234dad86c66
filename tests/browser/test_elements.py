"""The custom elements, each on a page of its own: what they promise whatever server answers."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import segno
from PIL import Image
from playwright.async_api import (
    BrowserContext,
    FilePayload,
    Page,
    Request,
    Route,
    async_playwright,
    expect,
)

from shared.clock import now
from shared.ids import new_id
from shared.settings import Settings
from shared.settings_county import CountySettings
from shared.web.templating import environment
from tests.browser.checks import assert_accessible, shoot
from tests.browser.conftest import ARGUMENTS, CHROMIUM, PHONE, follow

PERSON = new_id()
OFFLINE_FORM = """
<offline-form><form method="post" action="/work" enctype="multipart/form-data">{{ csrf() }}
<input type="hidden" name="id">{{ ui.field("text", "内容") }}{{ ui.photo() }}
{{ ui.button("提交") }}</form>
<template data-stored>{{ ui.result(true, "已存在手机里") }}</template></offline-form>
"""
STAYING_FORM = """
<form {{ ui.staying("/work") }} enctype="multipart/form-data" hx-encoding="multipart/form-data">
{{ ui.field("text", "内容") }}{{ ui.photo(kept=true) }}{{ ui.button("提交") }}</form>
"""
Posted = list[Request]


def html(content: str, **context: Any) -> str:
    """A phone page of a signed-in worker with this content."""
    jinja = environment([])
    jinja.globals["csrf_token"] = lambda: "token"
    source = '{% extends "m_base.html" %}{% block content %}' + content + "{% endblock %}"
    return jinja.from_string(source).render(
        actor=SimpleNamespace(person_id=PERSON),
        county=CountySettings(),
        settings=Settings(),
        theme="light",
        text_size="normal",
        now=now(),
        here="/try",
        request=SimpleNamespace(method="GET", url=SimpleNamespace(path="/try")),
        **context,
    )


async def shown(context: BrowserContext, content: str, **values: Any) -> Page:
    """Open the content at /try; the style sheets and scripts come from the real server."""
    page = await context.new_page()
    body = html(content, **values)

    async def fulfil(route: Route) -> None:
        await route.fulfill(body=body, content_type="text/html; charset=utf-8")

    await page.route("**/try", fulfil)
    await page.goto("/try")
    return page


async def answering(page: Page, path: str, status: int = 200, body: str = "") -> Posted:
    """Answer posts to a path; returns what was posted."""
    posted: Posted = []

    async def fulfil(route: Route) -> None:
        posted.append(route.request)
        kind = "application/problem+json" if body.startswith("{") else "text/html"
        await route.fulfill(status=status, body=body, content_type=f"{kind}; charset=utf-8")

    # The latest answer counts; with none in between a record sent then would meet the server.
    await page.route(f"**{path}", fulfil)
    return posted


def photograph(text: str, size: int = 2000) -> bytes:
    """A large photo of a QR code, as a phone's camera takes it."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=12, border=4)
    code = Image.open(drawn).convert("RGB")
    photo = Image.new("RGB", (size, size), "lightgray")
    photo.paste(code, ((size - code.width) // 2, (size - code.height) // 2))
    stored = io.BytesIO()
    photo.save(stored, "JPEG")
    return stored.getvalue()


async def test_a_record_survives_a_dead_network(open_context: Callable[..., Any]) -> None:
    """Kept on the phone, shown in the yellow bar, sent once when the network is back."""
    context = await open_context()
    page = await shown(context, OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    await context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("heading", name="已存在手机里").wait_for()
    bar = page.locator(".outbox")
    assert "已存在手机里，有网自动上传（1）" in await bar.inner_text()
    posted = await answering(page, "/work")
    await context.set_offline(offline=False)
    await bar.wait_for(state="detached")
    assert len(posted) == 1
    sent = posted[0].post_data or ""
    assert "走访三户" in sent
    assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", sent)
    assert posted[0].headers["x-csrftoken"] == "token"


async def test_an_ended_session_keeps_the_record(open_context: Callable[..., Any]) -> None:
    """A 401 loses nothing: the bar asks for the PIN, the record waits."""
    page = await shown(await open_context(), OFFLINE_FORM)
    await answering(page, "/work", 401)
    await page.get_by_label("内容").fill("走访三户")
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("link", name="登录后上传").wait_for()
    assert "/sign-in" in str(
        await page.get_by_role("link", name="登录后上传").get_attribute("href")
    )
    await page.reload()
    await page.get_by_role("link", name="登录后上传").wait_for()


@pytest.mark.parametrize("status", [403, 429, 502])
async def test_a_server_that_cannot_answer_keeps_the_record(
    open_context: Callable[..., Any], status: int
) -> None:
    """The proxy answers while the service starts anew, or a token is too old: it is sent later."""
    page = await shown(await open_context(), OFFLINE_FORM)
    await answering(page, "/work", status, "<title>Bad Gateway</title><h1>Bad Gateway</h1>")
    await page.get_by_label("内容").fill("走访三户")
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("heading", name="已存在手机里").wait_for()
    await page.locator(".outbox").wait_for()
    posted = await answering(page, "/work")
    await page.evaluate("dispatchEvent(new Event('online'))")  # or by itself, a moment before
    await page.locator(".outbox").wait_for(state="detached")
    assert "走访三户" in (posted[0].post_data or "")


async def test_another_person_does_not_send_it(open_context: Callable[..., Any]) -> None:
    """On a shared phone a record waits for the one who wrote it."""
    context = await open_context()
    page = await shown(context, OFFLINE_FORM)
    await answering(page, "/work", 401)
    await page.get_by_label("内容").fill("走访三户")
    await page.get_by_role("button", name="提交").click()
    await page.locator(".outbox").wait_for()
    posted = await answering(page, "/work")
    await page.evaluate("document.querySelector('meta[name=person]').content = 'somebody else'")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.locator(".outbox").wait_for(state="detached")
    assert posted == []


async def test_a_refused_record_says_why(open_context: Callable[..., Any]) -> None:
    """What the server will never take is shown with its reason and can be deleted, not resent."""
    context = await open_context()
    page = await shown(context, OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    await context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.locator(".outbox").wait_for()
    posted = await answering(page, "/work", 409, '{"title": "这一条与昨天的重复。"}')
    await context.set_offline(offline=False)
    await page.get_by_text("这一条与昨天的重复。").wait_for()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.get_by_role("button", name="删除这一条").click()
    await page.locator(".outbox").wait_for(state="detached")
    assert len(posted) == 1


@pytest.mark.parametrize(("status", "code"), [(400, "invalid"), (403, "forbidden"), (404, "")])
async def test_a_refusal_for_good_is_not_sent_again(
    open_context: Callable[..., Any], status: int, code: str
) -> None:
    """The reason stands beside what was written; it is sent again only when its writer says so."""
    context = await open_context()
    page = await shown(context, OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    await context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.locator(".outbox").wait_for()
    body = f'{{"title": "您不在这个岗位了。", "code": "{code}"}}'
    posted = await answering(page, "/work", status, body)
    await context.set_offline(offline=False)
    await page.get_by_text("“走访三户”：您不在这个岗位了。").wait_for()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.reload()
    await page.get_by_text("有 1 条没有收下").wait_for()
    assert len(posted) == 1
    await shoot(page, "outbox-refused")
    posted = await answering(page, "/work")
    await page.get_by_role("button", name="再交一次").click()
    await page.locator(".outbox").wait_for(state="detached")
    assert len(posted) == 1


async def test_a_refusal_without_a_form_keeps_what_was_written(
    open_context: Callable[..., Any],
) -> None:
    """An error's page has no form: its sentence is said, and the words stay."""
    page = await shown(await open_context(), OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    for answer in (html('{{ ui.result(false, "文件太大了。") }}'), "<h1>413 Too Large</h1>"):
        await answering(page, "/work", 413, answer)
        await page.get_by_role("button", name="提交").click()
        said = "文件太大了" if "文件" in answer else "没有收下，请改了再交"
        await page.get_by_role("dialog").get_by_text(said).wait_for()
        await page.get_by_role("button", name="确定").click()
        assert await page.get_by_label("内容").input_value() == "走访三户"


async def test_wrong_fields_are_shown_in_place(open_context: Callable[..., Any]) -> None:
    """A 422 answers with the form and its errors, and the reader is led to them."""
    page = await shown(await open_context(), OFFLINE_FORM)
    answer = html('{{ ui.errors({"text": "请写明做了什么。"}) }}')
    await answering(page, "/work", 422, answer)
    await page.get_by_label("内容").fill("走访三户")
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("alert").wait_for()
    assert await page.evaluate("document.activeElement.getAttribute('role')") == "alert"


@pytest.mark.parametrize("form", [OFFLINE_FORM, STAYING_FORM], ids=["offline", "staying"])
async def test_a_refused_form_keeps_its_photo(open_context: Callable[..., Any], form: str) -> None:
    """Only the date was wrong: the photo is still chosen and shown when the form comes back."""
    page = await shown(await open_context(), form)
    wrong = '{{ ui.errors({"text": "请写明做了什么。"}) }}'
    await answering(page, "/work", 422, html(wrong + form))
    await page.get_by_label("内容").fill("走访三户")
    photo = FilePayload(name="big.jpg", mimeType="image/jpeg", buffer=photograph("x", 1500))
    await page.locator("input[type=file]").set_input_files(photo)
    await page.locator("photo-input img").wait_for()
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("alert").wait_for()
    files = "[...document.querySelector('input[type=file]').files].map((file) => file.name)"
    assert await page.evaluate(files) == ["photo.jpg"]
    assert await page.locator("photo-input img").is_visible()


async def test_a_phone_without_room_says_so(open_context: Callable[..., Any]) -> None:
    """What can neither be sent nor kept stays in the form, and the reader is told."""
    context = await open_context()
    full = "throw new DOMException('', 'QuotaExceededError')"
    await context.add_init_script(f"IDBFactory.prototype.open = () => {{ {full} }}")
    page = await shown(context, OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    await context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("手机里存不下，还没有提交").wait_for()
    await page.get_by_role("button", name="确定").click()
    assert await page.get_by_label("内容").input_value() == "走访三户"
    posted = await answering(page, "/work")
    await context.set_offline(offline=False)
    async with page.expect_response("**/work"):
        await page.get_by_role("button", name="提交").click()
    assert len(posted) == 1


async def test_the_first_wrong_field_is_led_to(open_context: Callable[..., Any]) -> None:
    """Without a summary the reader lands on the field itself, whose sentence is read with it."""
    page = await shown(await open_context(), OFFLINE_FORM)
    wrong = '{{ ui.radios("how", "方式", [("1", "签字")], error="请选一个。") }}'
    await answering(page, "/work", 422, html(wrong + '{{ ui.field("day", "哪一天") }}'))
    await page.get_by_label("内容").fill("走访三户")
    await page.get_by_role("button", name="提交").click()
    await page.get_by_text("请选一个。").wait_for()
    assert await page.evaluate("document.activeElement.name") == "how"


async def test_photos_shrink_before_they_leave(open_context: Callable[..., Any]) -> None:
    """At most 1280 px and a JPEG, whatever the camera took."""
    page = await shown(await open_context(), OFFLINE_FORM)
    photo = FilePayload(name="big.jpg", mimeType="image/jpeg", buffer=photograph("x", 3000))
    await page.locator("input[type=file]").set_input_files(photo)
    await page.locator("photo-input img").wait_for()
    size = await page.evaluate(
        """async () => {
          const [file] = document.querySelector('input[type=file]').files;
          const image = await createImageBitmap(file);
          return [image.width, image.height, file.type];
        }"""
    )
    assert size == [1280, 1280, "image/jpeg"]


OLDER = """
Object.defineProperty(window, 'createImageBitmap', {value: (file, options) => options
  ? Promise.reject(new TypeError("'from-image' is not a valid ImageOrientation"))
  : Promise.reject(new DOMException('', 'InvalidStateError'))});
"""


async def test_photos_shrink_on_older_phones_too(open_context: Callable[..., Any]) -> None:
    """A browser of 2022 cannot turn a bitmap by its EXIF; the photo is small and upright there."""
    context = await open_context()
    await context.add_init_script(OLDER)
    page = await shown(context, OFFLINE_FORM)
    taken, stored = Image.new("RGB", (3000, 2000), "lightblue"), io.BytesIO()
    exif = taken.getexif()
    exif[0x0112] = 6  # held upright
    taken.save(stored, "JPEG", exif=exif)
    photo = FilePayload(name="big.jpg", mimeType="image/jpeg", buffer=stored.getvalue())
    await page.locator("input[type=file]").set_input_files(photo)
    await page.locator("photo-input img").wait_for()
    size = await page.evaluate(
        """async () => {
          const [file] = document.querySelector('input[type=file]').files;
          const image = new Image();
          image.src = URL.createObjectURL(file);
          await image.decode();
          return [image.naturalWidth, image.naturalHeight, file.name];
        }"""
    )
    assert size == [853, 1280, "photo.jpg"]
    await page.locator("input[type=file]").set_input_files([])
    await page.locator("photo-input img").wait_for(state="detached")


SLOW = """
for (const name of ['decode', 'createImageBitmap']) {
  const thing = name in window ? window : HTMLImageElement.prototype;
  const real = thing[name];
  thing[name] = async function (...given) {
    await new Promise((done) => { window.decoded = done; });
    return real.apply(this, given);
  };
}
"""
KEPT = """() => new Promise((resolve) => {
  indexedDB.open('gridmerit', 1).onsuccess = ({target}) => {
    const all = target.result.transaction('waiting').objectStore('waiting').getAll();
    all.onsuccess = () => resolve(all.result[0].fields.at(-1)[1].name);
  };
})"""


async def test_a_photo_is_small_however_soon_the_form_leaves(
    open_context: Callable[..., Any],
) -> None:
    """提交 right after the camera waits for the photo: a whole one may be too large to be taken."""
    context = await open_context()
    await context.add_init_script(SLOW)
    page = await shown(context, OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    photo = FilePayload(name="big.jpg", mimeType="image/jpeg", buffer=photograph("x", 3000))
    await page.locator("input[type=file]").set_input_files(photo)
    await context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.evaluate("decoded()")
    await page.get_by_role("heading", name="已存在手机里").wait_for()
    assert await page.evaluate(KEPT) == "photo.jpg"


ASKING = """
<form method="post" action="/work" data-confirm="确定提交吗？">
<button name="answer" value="yes">提交</button></form>
"""


async def test_an_act_without_network_is_not_lost(open_context: Callable[..., Any]) -> None:
    """The page stays with what was chosen and says that nothing was done; then it is sent once."""
    context = await open_context()
    page = await shown(context, SCANNER)
    posted = await answering(page, "/shop")
    await page.get_by_label("兑换码").fill("12345678")
    await context.set_offline(offline=True)
    await page.get_by_label("兑换码").press("Enter")
    await page.get_by_text("网络不通，没有交上去").wait_for()
    await page.get_by_role("button", name="取消").click()
    assert (posted, await page.get_by_label("兑换码").input_value()) == ([], "12345678")
    await context.set_offline(offline=False)
    async with page.expect_navigation():
        await page.get_by_label("兑换码").press("Enter")
    assert len(posted) == 1


async def test_a_record_is_kept_when_nobody_answers(open_context: Callable[..., Any]) -> None:
    """A network that swallows everything: after half a minute the record is on the phone."""
    context = await open_context()
    await context.clock.install()
    page = await shown(context, OFFLINE_FORM)
    await page.route("**/work", lambda _: None)
    await page.get_by_label("内容").fill("走访三户")
    await page.get_by_role("button", name="提交").click()
    await page.clock.run_for(1_000)
    await page.get_by_text("正在提交，请稍等").wait_for()
    await page.clock.run_for(10_000)
    await page.get_by_text("网络慢，还在提交").wait_for()
    await page.clock.run_for(30_000)
    await page.get_by_role("heading", name="已存在手机里").wait_for()
    await expect(page.locator(".underway")).to_have_count(0)


async def test_who_presses_to_upload_is_answered(open_context: Callable[..., Any]) -> None:
    """现在上传 without network says that there is none."""
    context = await open_context()
    page = await shown(context, OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    await context.set_offline(offline=True)
    await page.get_by_role("button", name="提交").click()
    await page.get_by_role("button", name="现在上传").click()
    await page.get_by_role("dialog").get_by_text("网络还不通，没有传上去").wait_for()


SAID = """
new MutationObserver(() => {
  const line = document.querySelector('.underway[role=status]');
  if (line?.checkVisibility()) sessionStorage.said = line.textContent;
}).observe(document, {childList: true, subtree: true});
"""


async def test_a_press_is_answered_on_a_slow_network(open_context: Callable[..., Any]) -> None:
    """A form that the browser sends itself says 正在提交 until its page comes."""
    context = await open_context()
    await context.add_init_script(SAID)
    page = await shown(context, '{{ ui.post("/undo", "撤销", csrf()) }}')

    async def answer_late(route: Route) -> None:
        await asyncio.sleep(1.5)
        await route.fulfill(body=html("好了"), content_type="text/html; charset=utf-8")

    await page.route("**/undo", answer_late)
    await follow(page.get_by_role("button", name="撤销"))
    assert await page.evaluate("sessionStorage.said") == "正在提交，请稍等…"
    await expect(page.locator(".underway")).to_have_count(0)


LACKING = """
<form method="post" action="/work">{{ ui.radios("how", "方式", [("1", "签字")], required=true) }}
{{ ui.field("day", "哪一天", type="date") }}{{ ui.button("提交") }}</form>
"""


async def test_what_a_form_lacks_is_said_in_the_page(open_context: Callable[..., Any]) -> None:
    """Beside the field, in the page's letters, until it is mended: a browser's bubble is small."""
    context = await open_context()
    page = await shown(context, LACKING)
    posted = await answering(page, "/work")
    await page.get_by_role("button", name="提交").click()
    await expect(page.get_by_text("这一项还没选，请选一个。")).to_be_in_viewport()
    await page.get_by_text("这一项还没填，请填写。").wait_for()
    await expect(page.get_by_label("签字")).to_be_focused()
    await assert_accessible(page)
    await page.get_by_label("签字").check()
    await expect(page.get_by_text("这一项还没选")).to_have_count(0)
    await page.get_by_label("哪一天").fill("2026-11-03")
    await expect(page.locator(".field_wrong")).to_have_count(0)
    async with page.expect_navigation():
        await page.get_by_role("button", name="提交").click()
    assert len(posted) == 1


async def test_questions_work_on_an_older_iphone(open_context: Callable[..., Any]) -> None:
    """Safari 15 cannot ask a form to send itself: the button that was pressed still goes along."""
    context = await open_context()
    await context.add_init_script("delete HTMLFormElement.prototype.requestSubmit")
    page = await shown(context, ASKING)
    posted = await answering(page, "/work")
    await page.get_by_role("button", name="提交").click()
    async with page.expect_navigation():
        await page.get_by_role("button", name="确定").click()
    assert posted[0].post_data == "answer=yes"


async def test_a_dead_network_keeps_what_was_typed(open_context: Callable[..., Any]) -> None:
    """The phone says that it is online, and nobody answers: the page asks first, and stays."""
    context = await open_context()
    await context.clock.install()
    page = await shown(context, SCANNER)
    posted = await answering(page, "/shop")
    asked: list[Route] = []

    async def hang(route: Route) -> None:
        asked.append(route)

    await page.route("**/health", hang)
    await page.get_by_label("兑换码").fill("12345678")
    await page.clock.fast_forward(30_000)
    await page.get_by_label("兑换码").press("Enter")
    await page.locator("form[aria-busy]").wait_for()
    await page.get_by_label("兑换码").press("Enter")
    await page.clock.fast_forward(10_000)
    await page.get_by_text("网络不通，没有交上去").wait_for()
    assert (len(asked), posted) == (1, [])
    await page.unroute("**/health")
    await page.route("**/health", lambda route: route.fulfill(status=502))
    await page.get_by_role("button", name="再试一次").click()
    await page.get_by_role("button", name="取消").click()
    assert (posted, await page.get_by_label("兑换码").input_value()) == ([], "12345678")
    await page.unroute("**/health")
    async with page.expect_navigation():
        await page.get_by_label("兑换码").press("Enter")
    assert len(posted) == 1


async def test_questions_work_without_dialogs(open_context: Callable[..., Any]) -> None:
    """Safari before 15.4 has no dialog element: the browser's own question takes its place."""
    context = await open_context()
    await context.add_init_script("delete window.HTMLDialogElement")
    page = await shown(context, ASKING)
    posted = await answering(page, "/work")
    page.once("dialog", lambda dialog: dialog.accept())
    async with page.expect_navigation():
        await page.get_by_role("button", name="提交").click()
    assert posted[0].post_data == "answer=yes"


TURNING = """
<form method="post" action="/work">
{{ ui.radios("correct", "结果", [("1", "正确"), ("0", "错误")]) }}
{{ ui.select("who", "谁", [("a", "甲")], blank="") }}{{ ui.field("day", "哪天", "11月3日") }}</form>
{{ ui.pager(1, 2, "/try?") }}
"""


async def test_turning_the_page_loses_nothing_unsaid(open_context: Callable[..., Any]) -> None:
    """Marks that are not saved are asked about; a page without any is turned at once."""
    page = await shown(await open_context(), TURNING)
    await page.get_by_label("错误").check()
    await page.get_by_role("link", name="下一页").click()
    await page.get_by_text("还没有提交").wait_for()
    await page.get_by_role("button", name="取消").click()
    assert await page.get_by_label("错误").is_checked()
    await page.get_by_role("link", name="下一页").click()
    async with page.expect_navigation():
        await page.get_by_role("button", name="仍要翻页").click()
    await page.goto("/try")
    async with page.expect_navigation():
        await page.get_by_role("link", name="下一页").click()


async def test_a_sheet_can_be_printed_again(open_context: Callable[..., Any]) -> None:
    """What opens beside the page is asked for once by two quick presses, again later."""
    page = await shown(
        await open_context(),
        '<form method="post" action="/work" target="_blank"><button>打印</button></form>',
    )
    await page.context.route("**/work", lambda route: route.fulfill(body="sheet"))
    async with page.expect_popup():
        await page.get_by_role("button", name="打印").dblclick()
    await page.locator("main form:not([data-sent])").wait_for()
    assert len(page.context.pages) == 2
    async with page.expect_popup():
        await page.get_by_role("button", name="打印").click()


WECHAT = """
const wechat = 'Mozilla/5.0 (Linux; Android 10; wv) Chrome/130.0.0.0 Mobile MicroMessenger/8.0.55';
Object.defineProperty(navigator, 'userAgent', {get: () => wechat});
window.print = () => { window.printed = true; };
"""


async def test_wechat_says_that_it_cannot_print(open_context: Callable[..., Any]) -> None:
    """On a phone its browser ignores a page that wants to be printed."""
    context = await open_context()
    await context.add_init_script(WECHAT)
    page = await shown(context, '<button type="button" data-print>打印</button>')
    async with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name="打印").click()
    assert "手机微信里不能打印" in (await asked.value).message
    assert not await page.evaluate("window.printed")


async def test_larger_letters_keep_what_is_typed(open_context: Callable[..., Any]) -> None:
    """大字版 in the middle of a form: the letters grow, the words stay, the choice is kept."""
    page = await shown(await open_context(), OFFLINE_FORM)
    await page.get_by_label("内容").fill("走访三户")
    async with page.expect_request("**/preferences") as asked:
        await page.get_by_role("button", name="大字版").click()
    assert "text_size=elder" in ((await asked.value).post_data or "")
    await page.locator("html[data-text=elder]").wait_for()
    assert await page.get_by_label("内容").input_value() == "走访三户"
    await page.get_by_role("button", name="标准版").click()
    await page.locator("html[data-text=normal]").wait_for()
    assert await page.get_by_role("button", name="大字版").get_attribute("aria-pressed") == "false"


SCANNER = """
<form method="post" action="/shop">{{ ui.field("code", "兑换码") }}</form>{{ ui.scanner("f-code") }}
"""


async def test_a_photo_of_a_code_is_read(open_context: Callable[..., Any]) -> None:
    """The second way to scan: a photo, decoded on the phone."""
    page = await shown(await open_context(), SCANNER)
    posted = await answering(page, "/shop")
    picture = photograph("https://h.example/r/abcdef")
    photo = FilePayload(name="code.jpg", mimeType="image/jpeg", buffer=picture)
    async with page.expect_navigation():
        await page.locator("input[type=file]").set_input_files(photo)
    assert "abcdef" in (posted[0].post_data or "")


async def test_a_photo_without_a_code_says_so(open_context: Callable[..., Any]) -> None:
    """The failure is a sentence with what to do."""
    page = await shown(await open_context(), SCANNER)
    blank = io.BytesIO()
    Image.new("RGB", (400, 400), "white").save(blank, "PNG")
    photo = FilePayload(name="blank.png", mimeType="image/png", buffer=blank.getvalue())
    await page.locator("input[type=file]").set_input_files(photo)
    await page.get_by_role("alert").wait_for()
    assert "没有找到二维码" in await page.get_by_role("alert").inner_text()


@pytest.fixture
async def camera_context(site: str, tmp_path: Any) -> AsyncIterator[BrowserContext]:
    """A phone whose camera sees a redemption code."""
    film = tmp_path / "film.mjpeg"
    film.write_bytes(photograph("https://h.example/r/filmed", 640) * 10)
    fakes = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, *fakes]
        )
        context = await browser.new_context(base_url=site, viewport=PHONE)  # type: ignore[arg-type]
        yield context
        await browser.close()


async def test_the_camera_reads_a_code(camera_context: BrowserContext) -> None:
    """The decoder loads when the button is pressed, and the form is sent with what it read."""
    page = await shown(camera_context, SCANNER)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    posted = await answering(page, "/shop")
    await follow(page.get_by_role("button", name="打开相机"))
    assert "filmed" in (posted[0].post_data or "")
    assert any("qr-decoder" in url for url in loaded)


async def test_a_scanner_gun_types_and_enters(open_context: Callable[..., Any]) -> None:
    """The field has the focus from the start, and Enter sends its form."""
    content = """<form method="post" action="/shop"><scan-input>
    <input name="code" aria-label="兑换码" inputmode="none"></scan-input></form>"""
    page = await shown(await open_context(), content)
    posted = await answering(page, "/shop")
    async with page.expect_navigation():
        await page.keyboard.type("12345678\n", delay=5)
    assert (posted[0].post_data or "") == "code=12345678"


async def test_a_scanner_gun_types_after_a_button_was_pressed(
    open_context: Callable[..., Any],
) -> None:
    """打开相机 failed and has the focus: the next code goes into the field, not to the button."""
    content = """<button type="button">打开相机</button><form method="post" action="/shop">
    <scan-input><input name="code" aria-label="兑换码"></scan-input></form>"""
    page = await shown(await open_context(), content)
    posted = await answering(page, "/shop")
    await page.get_by_role("button", name="打开相机").click()
    async with page.expect_navigation():
        await page.keyboard.type("12345678\n", delay=5)
    assert (posted[0].post_data or "") == "code=12345678"


async def test_a_phone_on_its_side_shows_goods(open_context: Callable[..., Any]) -> None:
    """The bar to pay and the tabs do not lie over the page; upright they stay in reach."""
    content = '<div class="dock pay"><button class="weui-btn">确认兑换</button></div>'
    page = await shown(await open_context(), content)
    places = "getComputedStyle(document.querySelector('.dock')).position"
    assert await page.evaluate(places) == "sticky"
    await page.set_viewport_size({"width": 667, "height": 320})
    assert await page.evaluate(places) == "static"


CART = """
<cart-total balance="100"><form method="post" action="/pay">
{{ ui.stepper("n", "食用油", 0, 0, 5, data_price=350) }}
<p>共 <b data-total></b> 分，剩 <b data-rest></b> 分</p>
<p data-short hidden>还差 <b data-missing></b> 分</p>
<button data-pay>确认</button></form></cart-total>
"""


async def test_the_cart_adds_up_and_warns(open_context: Callable[..., Any]) -> None:
    """The total follows the steppers; 不够分 shows before anybody confirms."""
    page = await shown(await open_context(), CART.replace('balance="100"', 'balance="400"'))
    pay = page.get_by_role("button", name="确认")
    assert await pay.is_disabled()
    await page.get_by_role("button", name="增加食用油").click()
    assert await page.locator("[data-total]").inner_text() == "35"
    assert await page.locator("[data-rest]").inner_text() == "5"
    assert await pay.is_enabled()
    await page.get_by_role("button", name="增加食用油").click()
    assert await page.locator("[data-missing]").inner_text() == "30"
    assert await page.locator("[data-short]").is_visible()
    assert await pay.is_disabled()


async def test_the_code_page_hears_of_its_redemption(open_context: Callable[..., Any]) -> None:
    """It counts down, asks while it is in front, and turns into the receipt."""
    content = '<code-watch src="/code/state" seconds="300"><p data-left></p></code-watch>'
    page = await shown(await open_context(), content)
    await page.wait_for_function(
        "/^\\d+:\\d\\d$/.test(document.querySelector('[data-left]').textContent)"
    )
    receipt = '<div class="result" data-feedback="ok"><h2 tabindex="-1">已扣 35 分</h2></div>'
    await answering(page, "/code/state", 200, receipt)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.get_by_role("heading", name="已扣 35 分").wait_for()
    assert await page.locator("code-watch").count() == 0


async def test_the_sound_of_results_can_be_off(open_context: Callable[..., Any]) -> None:
    """The switch is on at first; what was chosen stays on this phone."""
    page = await shown(await open_context(), "{{ ui.sound_switch() }}")
    box = page.get_by_label("扫码和兑换时发出声音、振动")
    assert await box.is_checked()
    await box.uncheck()
    await page.reload()
    assert not await box.is_checked()
    await box.check()
    await page.reload()
    assert await box.is_checked()


HEARD = """
Object.defineProperty(UserActivation.prototype, 'hasBeenActive', {get: () => false});
window.AudioContext = class extends AudioContext {
  constructor() { super(); window.heard = this.state; }
};
"""


async def test_a_result_sounds_on_the_page_after_the_press(
    open_context: Callable[..., Any],
) -> None:
    """WeChat's browsers count no press on a new page, but let it sound all the same."""
    context = await open_context()
    await context.add_init_script(HEARD)
    page = await shown(context, '{{ ui.post("/shop", "兑换", csrf()) }}')
    await answering(page, "/shop", 200, html('{{ ui.result(true, "兑换成功") }}'))
    await follow(page.get_by_role("button", name="兑换"))
    assert await page.evaluate("window.heard") == "running"


async def test_questions_before_an_act(open_context: Callable[..., Any]) -> None:
    """取消 sends nothing, 确定 sends once."""
    content = '{{ ui.post("/undo", "撤销", csrf(), confirm="确定撤销吗？") }}'
    page = await shown(await open_context(), content)
    posted = await answering(page, "/undo")
    await page.get_by_role("button", name="撤销").click()
    await page.get_by_role("button", name="取消").click()
    assert posted == []
    await page.get_by_role("button", name="撤销").click()
    await follow(page.get_by_role("button", name="确定"))
    assert len(posted) == 1
