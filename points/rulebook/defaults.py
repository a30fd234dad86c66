"""The default rulebook, shipped as data; a county changes it by new versions, not in code."""

from datetime import date

from points.rulebook.rules import Caps, Category, Evidence, Penalty, Rule, Step

SINCE = date(2026, 1, 1)

_V1 = (Step.V1,)
_V2 = (Step.COMMITTEE, Step.SUPERVISOR)
_V3 = (Step.V3,)
_V4 = (Step.V4,)


def _rule(
    code: str,
    title: str,
    points: int,
    caps: tuple[int | None, int | None],
    steps: tuple[Step, ...],
    templates: tuple[str, ...],
    **more: object,
) -> Rule:
    """A row of the table below; amounts in 0.1 point, ``caps`` are (day, month)."""
    return Rule(
        code=code,
        category=Category(code.partition("-")[0]),
        title=title,
        points=points,
        cap_day=caps[0],
        cap_month=caps[1],
        steps=steps,
        templates=templates,
        effective_from=SINCE,
        **more,  # type: ignore[arg-type]  # field names are checked by the tests of this table
    )


RULES: tuple[Rule, ...] = (
    _rule(
        "ORG-01",
        "参加主题党日或网格党小组会（非党员参加网格议事会同分）",
        20,
        (None, 40),
        _V1,
        ("参加主题党日", "参加网格党小组会", "参加网格议事会"),
    ),
    _rule("ORG-02", "参加网格例会", 10, (None, 40), _V1, ("参加网格例会",)),
    _rule("ORG-03", "参加培训并通过测试", 20, (None, 40), (Step.TRAINER,), ("参加培训并通过测试",)),
    _rule(
        "ORG-04",
        "参加志愿服务集体行动",
        20,
        (None, 40),
        _V1,
        ("参加清洁行动", "参加志愿服务活动"),
    ),
    _rule(
        "SVC-01",
        "代办帮办民生事项",
        10,
        (30, 120),
        _V1,
        ("代办医保缴费", "代办高龄津贴认证", "帮办证件材料"),
        resident=True,
    ),
    _rule(
        "SVC-02",
        "上门服务行动不便群众",
        20,
        (40, 80),
        _V1,
        ("上门为行动不便老人测血压", "上门代取药品", "上门办理认证"),
        resident=True,
    ),
    _rule("SVC-03", "工单按期办结且评价满意以上", 20, (40, 100), (Step.SYSTEM,), (), resident=True),
    _rule("SVC-04", "突发事件先期处置", 50, (None, 100), _V3, ("突发事件先期处置", "险情先期处置")),
    _rule(
        "OPN-01",
        "有效社情民意或一般隐患上报",
        10,
        (20, 80),
        _V2,
        ("上报路灯损坏", "上报道路隐患", "上报社情民意"),
        repeat_zero=True,
    ),
    _rule("OPN-02", "协调性事件被采纳", 30, (None, 90), _V3, ("上报山洪隐患点被乡镇采纳",)),
    _rule("OPN-03", "重大隐患或线索核实", 80, (None, 160), _V4, ("上报重大隐患",)),
    _rule(
        "OPN-04",
        "基础信息变动及时更新",
        5,
        (30, 60),
        (Step.CHECK,),
        ("更新流动人口信息", "更新住户信息"),
    ),
    _rule(
        "MED-01",
        "口头劝解化解",
        20,
        (40, 80),
        _V1,
        ("劝解邻里纠纷", "劝解邻里宅基地纠纷", "劝解家庭纠纷"),
        resident=True,
        quiet_days=7,
    ),
    _rule(
        "MED-02",
        "协助村调委会达成书面协议",
        40,
        (None, 120),
        (Step.MEDIATOR,),
        ("协助村调委会签订调解协议",),
    ),
    _rule("MED-03", "协助乡镇综治中心化解", 60, (None, 120), _V3, ("协助乡镇综治中心化解纠纷",)),
    _rule("MED-04", "30 日回访无反复", 10, (None, 40), _V2, ("30 日回访无反复",)),
    _rule(
        "CARE-01",
        "探访独居老人、留守儿童、残疾人",
        10,
        (20, 80),
        _V1,
        ("探访独居老人", "探访留守儿童", "探访残疾人"),
        household=True,
    ),
    _rule(
        "CARE-02",
        "参与专项帮教",
        20,
        (None, 40),
        (Step.AGENCY,),
        ("专项帮教",),
        evidence=Evidence.NONE,
        secret=True,
    ),
    _rule(
        "CARE-03",
        "帮助就业、就医、就学、救助对接成功",
        40,
        (None, 80),
        (*_V2, Step.AGENCY),
        ("帮助就业对接成功", "帮助救助对接成功"),
    ),
    _rule("CARE-04", "危机发现并及时报告", 80, (None, 80), _V3, ("发现危机并及时报告",)),
    _rule(
        "LAW-01",
        "入户政策法律宣传（每 10 户）",
        10,
        (10, 40),
        (Step.CHECK,),
        ("入户宣传反诈（10户）", "入户宣传医保政策（10户）"),
        per=10,
    ),
    _rule("LAW-02", "组织院坝会宣讲（10 人以上）", 20, (None, 40), _V1, ("院坝会宣讲",)),
    _rule("LAW-03", "引导法律援助、司法确认", 20, (None, 40), (Step.AGENCY,), ("引导法律援助",)),
    _rule("LAW-04", "反诈、防火等专项宣传", 10, (None, 40), _V1, ("反诈宣传", "防火宣传")),
)

PENALTIES: tuple[Penalty, ...] = tuple(
    Penalty(code=code, title=title, choices=choices, reverses=reverses, effective_from=SINCE)
    for code, title, choices, reverses in (
        ("PEN-01", "网格例会无故缺席", (20,), False),
        ("PEN-02", "检查发现变动未记录 / 记错", (20, 10), False),
        ("PEN-03", "催办后台账仍缺项", (10,), False),
        ("PEN-04", "工单超期未延期 / 无故退单", (10, 20), False),
        ("PEN-05", "投诉属实（乡镇级 / 县级）", (20, 50), False),
        ("PEN-06", "重大事项不报或瞒报", (100,), False),
        ("PEN-07", "虚报或重复申报（全额冲回）", (100,), True),
        ("PEN-08", "泄露群众个人信息（停用权限、启动退出审查）", (200,), False),
    )
)

CAPS = Caps(
    category_month={
        Category.ORG: 80,
        Category.SVC: 200,
        Category.OPN: 200,
        Category.MED: 200,
        Category.CARE: 140,
        Category.LAW: 80,
    },
    person_month=600,
    person_year=6000,
    effective_from=SINCE,
)
