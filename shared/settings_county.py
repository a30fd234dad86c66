"""What a county decides for itself, kept as JSON in ``shared.county.settings``.

A field's name is its key; what is not stored has the product's default, so a new release may add
a field without a migration. Amounts are in 0.1 point, money in fen, times as each name says.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Literal

import msgspec

from shared.audit import service as audit
from shared.database import DB
from shared.errors import Conflict, Invalid, NotFound
from shared.identity import queries
from shared.identity.access import Action, require, whole_county
from shared.identity.actor import Actor
from shared.roster.rules import county_code

Days = Annotated[int, msgspec.Meta(ge=1, le=31)]
Line = Annotated[str, msgspec.Meta(max_length=100)]


class CountySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One county's choices, with the product's defaults."""

    posting_mode: Literal["monthly", "immediate"] = "monthly"
    expiry_policy: Literal["year_end_plus_one", "quarter_end", "year_end", "days_365", "never"] = (
        "year_end_plus_one"
    )
    point_value_fen: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    department_name: Annotated[str, msgspec.Meta(min_length=2, max_length=20)] = "组织部"
    declare_close_day: Annotated[int, msgspec.Meta(ge=1, le=28)] = 5
    notice_days: Days = 5
    objection_days: Days = 5
    review_days: Days = 10
    appeal_days: Days = 10
    public_names: Literal["masked", "full"] = "masked"
    """Full names on public notices need the consent that the employment agreement states."""
    month_limit: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 3000
    undo_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10
    pickup_days: Days = 7
    code_seconds: Annotated[int, msgspec.Meta(ge=60, le=600)] = 300
    desk_idle_minutes: Annotated[int, msgspec.Meta(ge=5, le=30)] = 30
    """A desk session that nobody uses for so long ends; 30 is the longest that is allowed."""
    complaint_url: Line = ""
    complaint_phone: Line = ""
    filing_number: Line = ""


Check = Callable[[int, CountySettings, CountySettings], Awaitable[None]]
"""``check(county_id, old, new)`` raises Invalid; a service's own are in ``app.state``."""


async def get(county_id: int) -> CountySettings:
    """The county's settings; raises NotFound for an unknown county."""
    return decoded(await queries.settings(county_id))


async def of_the_only_county() -> CountySettings:
    """For pages before sign-in: whose installation this is; the defaults where it is several's."""
    stored = await queries.only_settings()
    return decoded(stored) if stored is not None else CountySettings()


async def update(
    actor: Actor,
    county_id: int,
    new: CountySettings,
    *,
    seen: CountySettings | None = None,
    checks: Sequence[Check] = (),
) -> CountySettings:
    """Replace the settings; the audit trail keeps the differing fields, before and after.

    ``seen``: what the form showed; ``checks``: what a service holds against a change. Raises
    NotFound, Invalid, and Conflict when somebody else changed them since.
    """
    require(actor, Action.SETTINGS_EDIT, whole_county(county_id))
    checked(new)
    async with DB.transaction():
        old = decoded(await queries.locked_settings(county_id))
        if seen is not None and seen != old:
            raise Conflict("您打开之后别人已改过设置。请刷新，核对后再保存。")
        before, after = differing(old, new)
        if not after:
            return old
        for check in checks:
            await check(county_id, old, new)
        await queries.store_settings(county_id, msgspec.json.encode(new).decode())
        await audit.record(
            actor,
            Action.SETTINGS_EDIT,
            "county",
            county_id=county_id,
            unit_code=county_code(county_id),
            before=before,
            after=after,
        )
    return new


def decoded(stored: str | None) -> CountySettings:
    """Stored JSON as settings; raises NotFound for None."""
    if stored is None:
        raise NotFound("没有这个县的设置。")
    return msgspec.json.decode(stored, type=CountySettings)


def checked(settings: CountySettings) -> None:
    """Raises Invalid naming each field that is out of its bounds."""
    problems = {}
    for field in msgspec.structs.fields(CountySettings):
        try:
            msgspec.convert(getattr(settings, field.name), field.type)
        except msgspec.ValidationError:
            problems[field.name] = "超出了允许的范围，请改正。"
    if settings.complaint_url and not settings.complaint_url.startswith(("https://", "http://")):
        problems["complaint_url"] = "请填以 https:// 开头的网址。"
    if problems:
        raise Invalid("有几处设置需要改正。", problems)


def differing(
    old: CountySettings, new: CountySettings
) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that changed: their old and their new values."""
    before, after = msgspec.structs.asdict(old), msgspec.structs.asdict(new)
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}
