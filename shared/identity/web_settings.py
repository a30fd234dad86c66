"""系统设置: what the county decides for itself; read by the auditor and the admin as well."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template

from shared import settings_county
from shared.errors import Conflict, GridmeritError, Invalid
from shared.identity.access import Action, require, whole_county
from shared.identity.web_me import problem
from shared.roster.roles import Role
from shared.settings_county import CountySettings
from shared.web import forms
from shared.web.application import Router
from shared.web.pages import Asked, page

Line = Annotated[str, msgspec.Meta(max_length=100)]
POSTING = [
    ("monthly", "按月入账：月度审核、公示无异议后入账"),
    ("immediate", "即时入账：核实后马上入账"),
]
EXPIRY = [
    ("year_end_plus_one", "次年 12 月 31 日到期"),
    ("quarter_end", "季度末到期"),
    ("year_end", "当年 12 月 31 日到期"),
    ("days_365", "从做工作那天起满 365 天到期"),
    ("never", "不到期"),
]
NAMES = [
    ("masked", "遮挡姓名，如张*明"),
    ("full", "用全名（聘用协议里须写明本人同意）"),
]


class SettingsForm(msgspec.Struct):
    """The form; points and yuan as people write them. ``seen`` is what the page showed."""

    posting_mode: str
    expiry_policy: str
    point_value: Decimal
    department_name: str
    declare_close_day: int
    notice_days: int
    objection_days: int
    review_days: int
    appeal_days: int
    public_names: str
    month_limit: Decimal
    undo_minutes: int
    pickup_days: int
    code_seconds: int
    desk_idle_minutes: int
    seen: str
    complaint_url: Line = ""
    complaint_phone: Line = ""
    filing_number: Line = ""


@get("/desk/settings")
async def settings_page(request: Asked) -> Template:
    """Every setting with its meaning."""
    actor = request.user
    require(actor, Action.SETTINGS_VIEW, whole_county(actor.county_id))
    return await _settings(request)


@post("/desk/settings")
async def save(request: Asked) -> Template | Redirect:
    """Keep them; they count from the next request on, for what happens then."""
    values = await forms.read(request)
    try:
        form = forms.bind(SettingsForm, values)
        new, seen = _from(form)
        checks = request.app.state.get("settings_checks", ())
        await settings_county.update(
            request.user, request.user.county_id, new, seen=seen, checks=checks
        )
    except (Invalid, Conflict) as error:
        return await _settings(request, values, error)
    return Redirect("/desk/settings?saved=1", status_code=303)


def _from(form: SettingsForm) -> tuple[CountySettings, CountySettings]:
    """The new settings and the ones the page showed. Raises Invalid naming the fields."""
    values = msgspec.structs.asdict(form)
    values.pop("seen")
    values["point_value_fen"] = _whole(values.pop("point_value"), 100, "point_value")
    values["month_limit"] = _whole(values["month_limit"], 10, "month_limit")
    try:
        seen = msgspec.json.decode(urlsafe_b64decode(form.seen), type=CountySettings)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid("页面已过期，请刷新后再试。") from error
    return CountySettings(**values), seen


def _whole(value: Decimal, factor: int, field: str) -> int:
    """Yuan to fen, points to tenths; raises Invalid when something is left over."""
    fits = value.is_finite() and abs(value) <= 10**9  # else multiplying may fail
    scaled = value * factor if fits else value
    if not fits or scaled != scaled.to_integral_value():
        raise Invalid("有几处设置需要改正。", {field: "小数位太多或数字太大，请改正。"})
    return int(scaled)


async def _settings(
    request: Asked, values: dict[str, Any] | None = None, error: GridmeritError | None = None
) -> Template:
    stored = await settings_county.get(request.user.county_id)
    shown = msgspec.structs.asdict(stored)
    shown |= {
        "point_value": f"{stored.point_value_fen / 100:g}",
        "month_limit": f"{stored.month_limit / 10:g}",
        "seen": urlsafe_b64encode(msgspec.json.encode(stored)).decode(),
    }
    return page(
        request,
        "identity/desk_settings.html",
        form=shown | (values or {}),
        posting=POSTING,
        expiry=EXPIRY,
        names=NAMES,
        may_edit=Role.DEPARTMENT in request.user.roles,
        manages=bool({Role.DEPARTMENT, Role.ADMIN} & request.user.roles),
        saved="saved" in request.query_params,
        **problem(error),
    )


router = Router("/", route_handlers=[settings_page, save], include_in_schema=False)
