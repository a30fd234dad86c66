"""Chinese names: masked for lists, romanised for search and sorting.

Sorting by pinyin keeps lists the same on every server, whatever its locale data.
"""

FAMILY_NAMES = {
    "万俟": "mo qi",
    "尉迟": "yu chi",
    "长孙": "zhang sun",
    "澹台": "tan tai",
    "单于": "chan yu",
    "令狐": "ling hu",
    "宰父": "zai fu",
    "单": "shan",
    "解": "xie",
    "曾": "zeng",
    "仇": "qiu",
    "查": "zha",
    "区": "ou",
    "朴": "piao",
    "任": "ren",
    "盖": "ge",
    "乐": "yue",
    "尉": "wei",
    "缪": "miao",
    "覃": "qin",
    "翟": "zhai",
    "华": "hua",
    "召": "shao",
    "冼": "xian",
    "洗": "xian",
    "员": "yun",
    "折": "she",
    "黑": "he",
    "秘": "bi",
    "种": "chong",
    "繁": "po",
    "燕": "yan",
    "宁": "ning",
    "柏": "bai",
    "牟": "mu",
    "宿": "su",
    "祭": "zhai",
    "隗": "wei",
    "谌": "chen",
    "薄": "bo",
    "车": "che",
    "藏": "zang",
    "盛": "sheng",
    "都": "du",
    "句": "gou",
    "角": "jue",
    "粘": "nian",
    "瞿": "qu",
    "莘": "shen",
    "应": "ying",
    "於": "yu",
    "石": "shi",
    "沈": "shen",
    "葛": "ge",
    "纪": "ji",
    "哈": "ha",
    "贾": "jia",
    "洪": "hong",
    "过": "guo",
    "那": "na",
    "幺": "yao",
}
"""Family names whose usual reading is another one than the character's."""


def romanise(name: str) -> tuple[str, str]:
    """Pinyin without tones and initials, lower case: 单小明 → ("shanxiaoming", "sxm").

    The dictionary is read at the first name: it is an eighth of a process's start.
    """
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    family = next((part for part in (name[:2], name[:1]) if part in FAMILY_NAMES), "")
    syllables = FAMILY_NAMES[family].split() if family else []
    if given := name[len(family) :]:
        syllables += lazy_pinyin(given, style=Style.NORMAL, errors=_keep_letters)
    return "".join(syllables), "".join(syllable[0] for syllable in syllables if syllable)


def mask(name: str) -> str:
    """张小明 → 张*明, 张明 → 张*: how a name stands in a published list.

    Never more than two stars, whose number would tell the length of a long name.
    """
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * min(len(name) - 2, 2) + name[-1]


def _keep_letters(text: str) -> str:
    """Latin letters and digits stay, the middle dot of minority names goes."""
    return "".join(letter for letter in text.lower() if letter.isalnum())
