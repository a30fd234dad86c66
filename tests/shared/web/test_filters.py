import re
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from shared.settings import Settings
from shared.settings_county import CountySettings
from shared.web import filters
from shared.web.templating import environment

NOW = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
"""14:05 in China."""


@pytest.fixture(scope="module")
def jinja() -> Environment:
    made = environment([])
    made.globals["csrf_token"] = lambda: "tok<en"
    return made


def shown(jinja: Environment, source: str, **context: Any) -> str:
    """What a template with the usual context renders to."""
    common = {
        "actor": None,
        "county": CountySettings(),
        "settings": Settings(filing_number="备123"),
        "theme": "auto",
        "text_size": "normal",
        "now": NOW,
        "may": lambda _: True,
        "here": "/here",
        "request": SimpleNamespace(method="GET", url=SimpleNamespace(path="/here")),
    }
    return jinja.from_string(source).render(**common | context)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (5, "0.5"), (350, "35"), (12345, "1234.5"), (-25, "−2.5"), (-5, "−0.5")],
)
def test_points_have_no_trailing_zero(amount: int, text: str) -> None:
    """Amounts are integers of 0.1 point."""
    assert filters.points(amount) == text


def test_signed_points_and_money() -> None:
    """Movements carry their sign, money its two digits."""
    assert [filters.signed(20), filters.signed(0), filters.signed(-20)] == ["+2", "0", "−2"]
    assert [filters.yuan(1250), filters.yuan(5), filters.yuan(123456789), filters.yuan(-50)] == [
        "12.50",
        "0.05",
        "1,234,567.89",
        "−0.50",
    ]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), "今天 08:00"),
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), "今天 00:00"),
        (datetime(2026, 11, 23, 15, 59, tzinfo=UTC), "昨天 23:59"),
        (datetime(2026, 11, 3, 1, 0, tzinfo=UTC), "11月3日 09:00"),
        (datetime(2025, 12, 31, 15, 0, tzinfo=UTC), "2025年12月31日 23:00"),
    ],
)
def test_moments_are_in_chinas_time(jinja: Environment, at: datetime, text: str) -> None:
    """The page's clock decides what 今天 is, and the day changes at China's midnight."""
    assert shown(jinja, "{{ at|moment }}", at=at) == text


def test_dates(jinja: Environment) -> None:
    """Lists say 今天 and 昨天, official sheets the whole date."""
    assert shown(jinja, "{{ on|day }}", on=date(2026, 11, 24)) == "今天"
    assert shown(jinja, "{{ on|day }}", on=date(2026, 11, 3)) == "11月3日"
    assert shown(jinja, "{{ on|date_cn }}", on=date(2026, 11, 3)) == "2026年11月3日"
    assert shown(jinja, "{{ at|time_cn }}", at=NOW) == "14:05"
    assert shown(jinja, "{{ on|month_cn }}", on=date(2026, 9, 30)) == "2026年9月"


def test_a_note_breaks_at_no_unit_no_dot_and_in_no_name() -> None:
    """A line began with 条, with the dot between two facts, or with half a masked name."""
    assert filters.tied("王 5 · 3 条 · 张*明") == "王 5\xa0· 3\xa0条\xa0· 张\u2060*\u2060明"


def test_names_are_masked() -> None:
    """The first character stays, of longer names the last as well."""
    masked = [filters.mask(name) for name in ("张三", "张小明", "阿依古丽·买买提", "王")]
    assert masked == ["张*", "张*明", "阿**提", "王"]


def test_qr_is_a_labelled_drawing() -> None:
    """Inline SVG, with nothing a content security policy refuses."""
    drawing = filters.qr("https://h.example/r/abc", title='兑换码"')
    assert drawing.startswith('<svg role="img" aria-label="兑换码&#34;"')
    assert "style=" not in drawing


def test_macros_escape_and_describe(jinja: Environment) -> None:
    """A value cannot leave its attribute; the error belongs to its field for screen readers."""
    text = shown(
        jinja,
        '{{ ui.field("name", "姓名", value, error="请填写。", hx_get="/x", autofocus=true) }}',
        value='"><script>',
    )
    assert "<script>" not in text
    assert 'hx-get="/x"' in text
    assert " autofocus>" in text
    assert 'aria-invalid="true" aria-describedby="e-name"' in text


def test_forms_carry_the_token(jinja: Environment) -> None:
    """csrf() writes the hidden field that the platform checks."""
    field = shown(jinja, "{{ csrf() }}")
    assert field == '<input type="hidden" name="_csrf_token" value="tok&lt;en">'


@pytest.mark.parametrize("base", ["m_base.html", "desk_base.html"])
def test_every_page_says_where_to_complain(jinja: Environment, base: str) -> None:
    """The rules ask for a complaint link and the filing number on every page."""
    county = CountySettings(complaint_url="https://complain.example/")
    text = shown(jinja, f'{{% extends "{base}" %}}', county=county)
    assert '<a href="https://complain.example/">投诉建议</a>' in text
    assert "备案编号：备123" in text
    assert "style=" not in text
    assert "<script>" not in text


def test_a_summary_of_errors_says_each_sentence_once(jinja: Environment) -> None:
    """Five empty fields are one sentence, which leads to the first of them."""
    source = '{{ ui.errors({"name": "请填写。", "unit": "请填写。", "day": "没有这一天。"}) }}'
    for kit in ("ui", "desk"):
        text = shown(jinja, source.replace("ui.", f"{kit}."))
        assert text.count("请填写。") == 1
        assert 'href="#f-name"' in text
        assert 'href="#f-day"' in text


def test_a_chart_of_months_says_its_figures_in_words_too(jinja: Environment) -> None:
    """Described for who does not see it, a table below, bars that end at the largest figure."""
    rows = [("2026-10", 1200, 300), ("2026-11", 0, 605)]
    source = '{{ chart.months("每月积分", ["发放", "兑换"], rows) }}'
    text = shown(jinja, source, rows=rows)
    assert "<title>每月积分</title>" in text
    assert "2026年10月发放 120 分、兑换 30 分；2026年11月发放 0 分、兑换 60.5 分" in text
    assert '<td class="num">60.5</td>' in text
    heights = [float(height) for height in re.findall(r'height="([\d.]+)em"/>\n', text)]
    assert heights == [10, 2.5, 0, 5.04]
    lefts = [float(left) for left in re.findall(r'<rect class="chart__bar_\d" x="([\d.]+)%"', text)]
    assert lefts == sorted(lefts)
    assert "style=" not in text


def test_a_chart_of_nothing_is_drawn(jinja: Environment) -> None:
    """No months, months without points, a unit without a mean."""
    assert 'height="0.0em"' in shown(jinja, '{{ chart.months("无", ["积分"], [("2026-11", 0)]) }}')
    shown(jinja, '{{ chart.months("无", ["积分"], []) }}')
    text = shown(jinja, '{{ chart.bars("均分", [("甲", none, "—"), ("乙", 8000, "80")], 10000) }}')
    assert re.findall(r'chart__bar_1" width="([\d.]+)%"', text) == ["80.0"]
