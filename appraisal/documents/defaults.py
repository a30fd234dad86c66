"""The product's own templates, built here so that they can be read and changed as code.

Measures of GB/T 9704-2012: A4, margins 37/35/28/26 mm, body 仿宋 of 16 pt on lines of 28 pt, title
小标宋 of 22 pt, page number "— 1 —". The fonts are named; the office's own computer has them.
"""

import io
from functools import cache
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from appraisal.documents.rules import DocumentKind

BODY, TITLE, HEADING = "仿宋_GB2312", "方正小标宋简体", "黑体"
BODY_SIZE, TITLE_SIZE, TABLE_SIZE, PAGE_SIZE = Pt(16), Pt(22), Pt(12), Pt(14)
LINE = Pt(28)
BLACK = RGBColor(0, 0, 0)
"""Word's own titles and headings are blue."""
INDENT = Pt(32)
"""Two characters."""
SEAL = Mm(45)
"""The place for the seal."""
Rows = list[tuple[str, str]]


@cache
def template(kind: DocumentKind) -> bytes:
    """A .docx with placeholders."""
    document = _blank()
    {
        DocumentKind.SHEET: _sheet,
        DocumentKind.RANKING: _ranking,
        DocumentKind.NOTICE: _notice,
        DocumentKind.LETTER: _letter,
        DocumentKind.DECISION: _decision,
    }[kind](document)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _blank() -> Any:
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.footer_distance = Mm(28)
    style = document.styles["Normal"]
    _font(style.font, style.element.get_or_add_rPr(), BODY, BODY_SIZE)
    style.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    style.paragraph_format.line_spacing = LINE
    style.paragraph_format.space_after = Pt(0)
    _page_number(section.footer.paragraphs[0])
    document.core_properties.author = "Gridmerit"
    document.core_properties.title = ""
    return document


def _sheet(document: Any) -> None:
    _title(document)
    _line(document, "考核期：{{ period }}")
    _table(
        document,
        [("姓名", "{{ name }}"), ("单位", "{{ unit }}"), ("用工形式", "{{ employment }}")],
    )
    _heading(document, "一、得分")
    _loop(
        document,
        [("指标", 34), ("权重", 18), ("得分", 18), ("依据", 86)],
        ["{{ row.name }}", "{{ row.weight }}", "{{ row.score }}", "{{ row.basis }}"],
    )
    _table(
        document,
        [
            ("计算得分", "{{ calculated }}"),
            ("校准得分", "{{ calibrated }}"),
            ("校准说明", "{{ calibration }}"),
            ("最终得分", "{{ final }}"),
            ("等次", "{{ grade }}"),
            ("测评样本", "{{ satisfaction }}"),
        ],
    )
    _heading(document, "二、本人意见")
    _line(document, "{{ name }}已阅知《{{ title }}》。", indent=True)
    _line(document, "签名：＿＿＿＿＿＿＿＿　　　　年　　月　　日", right=True)
    _seal(document)


def _ranking(document: Any) -> None:
    _title(document)
    _line(document, "范围：{{ unit }}")
    _line(document, "考核期：{{ period }}")
    _loop(
        document,
        [
            *(("名次", 13), ("乡镇", 26), ("村社区", 36), ("姓名", 22)),
            *(("得分", 18), ("等次", 21), ("有效票", 20)),
        ],
        [
            "{{ row.rank }}",
            "{{ row.township }}",
            "{{ row.village }}",
            "{{ row.name }}",
            "{{ row.score }}",
            "{{ row.grade }}",
            "{{ row.ballots }}",
        ],
    )
    _line(document, "仅供考核工作使用，不得公开张贴。", indent=True)
    _seal(document)


def _notice(document: Any) -> None:
    _title(document)
    _line(document, "{{ basis }}", indent=True)
    _line(
        document,
        "公示期自{{ starts_on }}至{{ ends_on }}（{{ days }}个工作日）。",
        indent=True,
    )
    _loop(
        document,
        [("序号", 16), ("姓名", 34), ("单位", 62), ("备注", 44)],
        ["{{ row.number }}", "{{ row.name }}", "{{ row.unit }}", "{{ row.note }}"],
    )
    _line(
        document,
        "对公示内容有异议的，请在公示期内实名反映。受理地点：{{ place }}，电话：{{ phone }}。",
        indent=True,
    )
    _seal(document)


def _letter(document: Any) -> None:
    _title(document)
    _line(document, "{{ number }}", right=True)
    _line(document, "{{ name }}（{{ unit }}）：")
    _line(
        document,
        "您在{{ cycle }}（{{ period }}）中的最终得分为{{ final }}分，等次为{{ grade }}。",
        indent=True,
    )
    _line(document, "{{ consequence }}", indent=True)
    _line(
        document,
        "如有异议，请在{{ objection_until }}前提出，说明理由，可以附上证据。"
        "在手机“我的考核”里提出，或交到{{ place }}，电话：{{ phone }}。",
        indent=True,
    )
    _seal(document)
    _receipt(document)


def _decision(document: Any) -> None:
    _title(document)
    _line(document, "{{ number }}", right=True)
    _line(document, "{{ name }}（{{ unit }}）：")
    _heading(document, "一、事项")
    _line(document, "{{ matter }}", indent=True)
    _heading(document, "二、事实和理由")
    _line(document, "{{ facts }}", indent=True)
    _heading(document, "三、决定")
    _line(document, "{{ basis }}", indent=True)
    _line(document, "{{ decision }}", indent=True)
    _line(document, "自{{ effective_on }}起生效。", indent=True)
    _heading(document, "四、救济途径")
    _line(document, "{{ appeal }}", indent=True)
    _seal(document)
    _receipt(document)


def _title(document: Any) -> None:
    paragraph = document.add_paragraph(style="Title")
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.line_spacing = Pt(36)
    paragraph.paragraph_format.space_after = LINE
    _no_border(paragraph)
    _run(paragraph, "{{ title }}", TITLE, TITLE_SIZE)


def _heading(document: Any, text: str) -> None:
    paragraph = document.add_paragraph(style="Heading 1")
    paragraph.paragraph_format.space_before = Pt(0)
    paragraph.paragraph_format.first_line_indent = INDENT
    _run(paragraph, text, HEADING, BODY_SIZE)


def _line(document: Any, text: str, *, indent: bool = False, right: bool = False) -> None:
    paragraph = document.add_paragraph()
    if indent:
        paragraph.paragraph_format.first_line_indent = INDENT
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _run(paragraph, text, BODY, BODY_SIZE)


def _seal(document: Any) -> None:
    """Issuer, date and the place for the seal, kept together at the right."""
    for text in ("", "{{ issuer }}", "{{ date }}", "（盖章）"):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        paragraph.paragraph_format.right_indent = SEAL // 2
        paragraph.paragraph_format.keep_with_next = text != "（盖章）"
        _run(paragraph, text, BODY, BODY_SIZE)


def _receipt(document: Any) -> None:
    """On lines of their own: a line holds 28 characters."""
    _line(document, "送达回执：本人已收到。")
    _line(document, "签名：＿＿＿＿＿＿　　　　年　　月　　日", right=True)


def _table(document: Any, rows: Rows) -> None:
    table = document.add_table(rows=0, cols=2, style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    widths = [34, 122]
    for label, value in rows:
        cells = table.add_row().cells
        _cell(cells[0], label, Mm(widths[0]), HEADING)
        _cell(cells[1], value, Mm(widths[1]), BODY)
    _wide(table, widths)
    document.add_paragraph()


def _loop(document: Any, columns: list[tuple[str, int]], cells: list[str]) -> None:
    """A table whose middle row is repeated for every row of the facts."""
    table = document.add_table(rows=4, cols=len(columns), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for index, (title, width) in enumerate(columns):
        _cell(table.rows[0].cells[index], title, Mm(width), HEADING)
        _cell(table.rows[2].cells[index], cells[index], Mm(width), BODY)
    _cell(table.rows[1].cells[0], "{%tr for row in rows %}", Mm(columns[0][1]), BODY)
    _cell(table.rows[3].cells[0], "{%tr endfor %}", Mm(columns[0][1]), BODY)
    header = table.rows[0]._tr.get_or_add_trPr()  # noqa: SLF001  python-docx has no other way
    header.append(OxmlElement("w:tblHeader"))
    _wide(table, [width for _, width in columns])
    document.add_paragraph()


def _wide(table: Any, widths: list[int]) -> None:
    """Columns as wide as their cells, as WPS goes by the table's even grid; no row is torn."""
    table.autofit = False
    for row in table.rows:
        row._tr.get_or_add_trPr().insert(0, OxmlElement("w:cantSplit"))  # noqa: SLF001  as above
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)


def _cell(cell: Any, text: str, width: Any, font: str) -> None:
    cell.width = width
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    _run(paragraph, text, font, TABLE_SIZE)


def _run(paragraph: Any, text: str, font: str, size: Any) -> None:
    run = paragraph.add_run(text)
    _font(run.font, run._element.get_or_add_rPr(), font, size)  # noqa: SLF001  as above


def _font(given: Any, properties: Any, name: str, size: Any) -> None:
    """Chinese characters follow ``eastAsia``, which python-docx does not set."""
    given.name = name
    given.size = size
    given.bold = False
    given.color.rgb = BLACK
    fonts = properties.find(qn("w:rFonts"))
    for script in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(script), name)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)


def _no_border(paragraph: Any) -> None:
    """Word's own title style draws a line below."""
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    bottom.set(qn("w:val"), "nil")
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().append(borders)  # noqa: SLF001  as above


def _page_number(paragraph: Any) -> None:
    """— 1 —, in the middle."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(paragraph, "— ", "宋体", PAGE_SIZE)
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)  # noqa: SLF001  as above
    _run(paragraph, " —", "宋体", PAGE_SIZE)
