"""How templates say points, money, dates, names and QR codes: filters and globals of Jinja.

Amounts come as integers of 0.1 point and of fen; instants as aware datetimes, shown in China's
time.
"""

import asyncio
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import segno
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from shared.clock import LOCAL_ZONE, now
from shared.dates import chinese_date
from shared.months import month_cn
from shared.roster import names
from shared.web.assets import Assets

APP_NAME = "网格积分"
MINUS = "−"
TIED = re.compile(r"(?<=\d) (?=[一-鿿])| (?=· )")
"""Blanks at which a line must not break."""


def install(environment: Environment, dist: Path) -> None:
    """Give an environment our filters, and the globals ``asset``, ``csrf`` and our macros."""
    environment.filters |= {
        "points": points,
        "signed": signed,
        "plain": plain,
        "yuan": yuan,
        "score": score,
        "tenths": tenths,
        "moment": moment,
        "day": day,
        "date_cn": date_cn,
        "time_cn": time_cn,
        "month_cn": month_cn,
        "tied": tied,
        "mask": mask,
        "qr": qr,
        "digits": digits,
        "attributes": attributes,
    }
    environment.globals |= {
        "app_name": APP_NAME,
        "asset": Assets(dist).url,
        "csrf": csrf,
    }
    # Macros are globals and not imports, because a block rendered alone for htmx runs no import.
    environment.globals["ui"] = environment.get_template("ui.html").module
    environment.globals["desk"] = environment.get_template("desk_ui.html").module
    environment.globals["chart"] = environment.get_template("charts.html").module


def points(amount: int) -> str:
    """``5 → "0.5"``, ``350 → "35"``: a trailing ``.0`` is never shown."""
    whole, tenth = divmod(abs(amount), 10)
    text = f"{whole}.{tenth}" if tenth else str(whole)
    return f"{MINUS}{text}" if amount < 0 else text


def signed(amount: int) -> str:
    """Points with their sign, for lists of movements."""
    return f"+{points(amount)}" if amount > 0 else points(amount)


def plain(value: Decimal) -> str:
    """``20.0 → "20"``, ``20.50 → "20.5"``: exact, without zeros nobody needs."""
    return f"{value.normalize():f}"


def yuan(fen: int) -> str:
    """``1250 → "12.50"``."""
    whole, rest = divmod(abs(fen), 100)
    return f"{MINUS if fen < 0 else ''}{whole:,}.{rest:02d}"


def score(hundredths: int | None) -> str:
    """``8765 → "87.65"``; what is not there is a dash."""
    return "—" if hundredths is None else f"{Decimal(hundredths) / 100:.2f}"


def tenths(value: int | None) -> str:
    """``865 → "86.5"``; what is not there is a dash."""
    return "—" if value is None else f"{Decimal(value) / 10:.1f}"


@pass_context
def moment(context: Context, at: datetime) -> str:
    """今天 14:05, 昨天 14:05, 11月3日 14:05, 2025年11月3日 14:05."""
    local = at.astimezone(LOCAL_ZONE)
    return f"{_day(local.date(), _today(context))} {local:%H:%M}"


@pass_context
def day(context: Context, on: date | datetime) -> str:
    """今天, 昨天, 11月3日, 2025年11月3日."""
    return _day(_local_date(on), _today(context))


def date_cn(on: date | datetime) -> str:
    """2026年11月3日, for official sheets."""
    return chinese_date(_local_date(on))


def time_cn(at: datetime) -> str:
    """14:05 in China."""
    return f"{at.astimezone(LOCAL_ZONE):%H:%M}"


def tied(text: str) -> str:
    """``12 条 · 张*明`` with each figure at its unit, the dot at what it ends, the name whole."""
    text = TIED.sub("\xa0", text)
    return text.replace("*", "\u2060*\u2060")


def mask(name: str) -> str:
    """张小明 → 张*明, 张三 → 张*: as lists that others can see show a person."""
    return names.mask(name) if len(name) > 1 else name


def digits(code: str, group: int = 4) -> str:
    """``"12345678" → "1234 5678"``, as people read a code aloud, or compare a hash."""
    return " ".join(code[start : start + group] for start in range(0, len(code), group))


def qr(text: str, error: str = "m", title: str = "二维码") -> Markup:
    """A QR code as inline SVG with its quiet zone; level ``m`` on screens, ``q`` on paper."""
    drawing = segno.make(text, error=error, micro=False).svg_inline(
        omitsize=True, border=3, svgclass="qr", lineclass=None
    )
    label = f'<svg role="img" aria-label="{escape(title)}" '
    return Markup(drawing.replace("<svg ", label, 1))  # noqa: S704  segno's own markup


async def drawn(texts: Iterable[str], title: str) -> list[Markup]:
    """QR codes for a sheet, beside the loop: one takes 10 ms, and a sheet may have hundreds."""
    return await asyncio.to_thread(lambda: [qr(text, "q", title) for text in texts])


def attributes(given: dict[str, object]) -> Markup:
    """Further attributes of a macro's element: ``{"hx_get": url}`` → `` hx-get="url"``."""
    parts = [
        Markup(" {}").format(name.replace("_", "-"))
        if value is True
        else Markup(' {}="{}"').format(name.replace("_", "-"), value)
        for name, value in given.items()
        if value is not None and value is not False
    ]
    return Markup("").join(parts)


@pass_context
def csrf(context: Context) -> Markup:
    """The hidden field that every posted form needs."""
    token = context.call(context["csrf_token"])
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token)


def _local_date(on: date | datetime) -> date:
    return on.astimezone(LOCAL_ZONE).date() if isinstance(on, datetime) else on


def _today(context: Context) -> date:
    at: datetime = context.get("now") or now()
    return at.astimezone(LOCAL_ZONE).date()


def _day(on: date, today: date) -> str:
    ago = (today - on).days
    if ago in {0, 1}:
        return "今天" if ago == 0 else "昨天"
    text = f"{on.month}月{on.day}日"
    return text if on.year == today.year else f"{on.year}年{text}"
