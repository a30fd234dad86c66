"""Which documents there are, and what a template of each may name."""

import io
import zipfile
from enum import StrEnum

import msgspec

from appraisal.documents.schemas import (
    Component,
    DecisionFacts,
    Facts,
    LetterFacts,
    NoticeFacts,
    NoticeLine,
    RankingFacts,
    RankLine,
    SheetFacts,
)

MOST_BYTES = 2 * 1024 * 1024
MOST_UNPACKED = 20 * 1024 * 1024
MOST_MEMBERS = 400


class DocumentKind(StrEnum):
    """考核表, 排名表, 公示, 告知书, 决定书."""

    SHEET = "sheet"
    RANKING = "ranking"
    NOTICE = "notice"
    LETTER = "letter"
    DECISION = "decision"


KIND_NAMES = {
    DocumentKind.SHEET: "考核表",
    DocumentKind.RANKING: "考核排名表",
    DocumentKind.NOTICE: "公示",
    DocumentKind.LETTER: "考核结果告知书",
    DocumentKind.DECISION: "决定书",
}
FACTS: dict[DocumentKind, type[Facts]] = {
    DocumentKind.SHEET: SheetFacts,
    DocumentKind.RANKING: RankingFacts,
    DocumentKind.NOTICE: NoticeFacts,
    DocumentKind.LETTER: LetterFacts,
    DocumentKind.DECISION: DecisionFacts,
}
LINES: dict[DocumentKind, type[msgspec.Struct]] = {
    DocumentKind.SHEET: Component,
    DocumentKind.RANKING: RankLine,
    DocumentKind.NOTICE: NoticeLine,
}
REQUIRED = {
    DocumentKind.SHEET: {"name", "rows", "final", "grade"},
    DocumentKind.RANKING: {"rows"},
    DocumentKind.NOTICE: {"rows", "starts_on", "ends_on", "issuer"},
    DocumentKind.LETTER: {"name", "grade", "objection_until", "issuer"},
    DocumentKind.DECISION: {"name", "decision", "effective_on", "appeal", "issuer"},
}
"""What no county may leave out: without it the paper is not what the law asks of it."""
WORDS = {
    "title": "标题",
    "number": "文号",
    "period": "考核期",
    "issuer": "落款单位",
    "date": "落款日期",
    "name": "姓名",
    "unit": "单位",
    "employment": "用工形式",
    "rows": "表格各行",
    "calculated": "计算得分",
    "calibrated": "校准得分",
    "calibration": "校准说明",
    "final": "最终得分",
    "grade": "等次",
    "satisfaction": "测评样本",
    "basis": "依据",
    "starts_on": "公示起",
    "ends_on": "公示止",
    "days": "工作日数",
    "phone": "电话",
    "place": "地点",
    "cycle": "考核名称",
    "consequence": "后续安排",
    "objection_until": "异议截止",
    "matter": "事项",
    "facts": "事实",
    "decision": "决定",
    "effective_on": "生效日期",
    "appeal": "救济途径",
    "rank": "名次",
    "township": "乡镇",
    "village": "村社区",
    "score": "得分",
    "ballots": "有效票",
    "weight": "权重",
    "note": "备注",
}
"""Field → what it is called on the page that lists the placeholders."""


def fields(kind: DocumentKind) -> list[str]:
    """What a template may name."""
    return [field.name for field in msgspec.structs.fields(FACTS[kind])]


def line_fields(kind: DocumentKind) -> list[str]:
    """What it may name of a row."""
    return [field.name for field in msgspec.structs.fields(LINES[kind])] if kind in LINES else []


def package_fault(data: bytes) -> str:
    """Why this is no Word file that may be opened, or empty."""
    if len(data) > MOST_BYTES:
        return f"模板超过 {MOST_BYTES // 1024 // 1024} MB，请去掉里面的大图片。"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            members = package.infolist()
    except zipfile.BadZipFile:
        return "这不是 .docx 文件。请用 Word 或 WPS 另存为“Word 文档（.docx）”再传。"
    names = {member.filename for member in members}
    if "word/document.xml" not in names:
        return "这不是 .docx 文件。请用 Word 或 WPS 另存为“Word 文档（.docx）”再传。"
    if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > MOST_UNPACKED:
        return "模板展开后太大，请从默认模板重新改起。"
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return "模板里有宏，不能使用。请去掉宏再传。"
    return ""


def names_fault(kind: DocumentKind, used: set[str]) -> str:
    """What a template names that does not exist, or leaves out that must stand; else empty."""
    if strange := sorted(used - set(fields(kind))):
        listed = "、".join(f"“{name}”" for name in strange[:5])
        return f"模板里有认不得的占位符：{listed}。请对照页面上的占位符表改正。"
    if missing := sorted(REQUIRED[kind] - used):
        listed = "、".join(f"“{{{{ {name} }}}}”（{WORDS[name]}）" for name in missing)
        return f"模板里缺少不能省的占位符：{listed}。"
    return ""


def sample(kind: DocumentKind) -> Facts:
    """Facts to try a template with."""
    texts = {name: f"{WORDS[name]}示例" for name in fields(kind) if name != "rows"}
    if kind not in LINES:
        return msgspec.convert(texts, FACTS[kind])
    line = {name: f"{WORDS[name]}示例" for name in line_fields(kind)}
    return msgspec.convert(texts | {"rows": [line, line]}, FACTS[kind])
