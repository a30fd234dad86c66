"""Every kind of case as data: step → what may precede it, who signs, which evidence and terms.

Sources: the appraisal rules of domain handbook section 6; the labour law's order for incompetence
(training or transfer, re-check, union, thirty days or a month's pay) and for serious fault.
"""

from appraisal.casework.fields import CHECK_FIELDS, CONTEST_FIELDS, SERVICE_FIELDS, UNDELIVERED
from appraisal.casework.rules import (
    CONTESTED,
    LET_GO,
    OVERTURNED,
    UNDELIVERABLE,
    Machine,
    Need,
    Outcome,
    Pool,
    Span,
    Step,
    Term,
)
from shared.roster.roles import Employment, Role

DEPARTMENT = frozenset({Role.DEPARTMENT})
UPPER = frozenset({Role.INSTRUCTOR, Role.DEPARTMENT})
MANAGERS = UPPER | {Role.CHIEF}
VILLAGE = frozenset({Role.CHIEF, Role.COMMITTEE, Role.SUPERVISOR})
COUNTY_LEVEL, TOWNSHIP_LEVEL, VILLAGE_LEVEL = 6, 9, 12
FAIR = (Need.SUBSTANTIAL, Need.UNPROTECTED)
CORRECTIONS = ("score", "veto_lifted", "days_met")
"""What the answer to a person's own objection or appeal may find wrong."""
TOLD = ("told", "told_late")


def _undelivered(
    what: str, after: tuple[str, ...], *, needs: tuple[Need, ...] = (), stands: Outcome
) -> tuple[Step, ...]:
    """A letter that came back, or whose reader has died: one records it, another confirms it.

    Nobody was told, so that no term runs and nothing to their disadvantage may rest on it.
    """
    return (
        Step(
            key="undelivered",
            title=f"登记：{what}送达不到",
            after=after,
            signs=MANAGERS,
            needs=needs,
            fields=(UNDELIVERED,),
            document=True,
        ),
        Step(
            key=UNDELIVERABLE,
            title=f"核实：{what}确实送达不到",
            after=("undelivered",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fresh=("undelivered",),
            needs=needs,
            outcome=stands,
        ),
    )


def _told(after: tuple[str, ...], stands: Outcome) -> tuple[Step, ...]:
    """Served on the person; where it cannot be, it stands until they have it after all."""
    return (
        Step(
            key="told",
            title="答复书送达本人",
            after=(*after, "undelivered"),
            own=True,
            signs=MANAGERS,
            fields=SERVICE_FIELDS,
            letter="送达回证",
        ),
        *_undelivered("答复书", after, stands=stands),
        Step(
            key="told_late",
            title="答复书补送达本人",
            after=(UNDELIVERABLE,),
            own=True,
            signs=MANAGERS,
            fields=SERVICE_FIELDS,
            late=True,
            letter="送达回证",
        ),
    )


def _told_and_appealed(
    after: tuple[str, ...], decided: tuple[str, ...], *, stands: Outcome, falls: Outcome
) -> tuple[Step, ...]:
    """An answer is served on the person, and stands unless the county decides otherwise."""
    return (
        *_told(after, stands),
        Step(
            key="appealed",
            title="向县级申诉",
            after=(*TOLD, "lapsed"),
            own=True,
            signs=MANAGERS,
            needs=(Need.CYCLE_OPEN,),
            within=Term(TOLD, Span.OBJECTION),
            late=True,
            answer=Span.APPEAL,
            letter="申诉受理单",
        ),
        Step(
            key="lapsed",
            title="申诉期满，复核结果生效",
            after=TOLD,
            auto=True,
            past=(Term(TOLD, Span.OBJECTION),),
            outcome=stands,
        ),
        Step(
            key="appeal_overdue",
            title="申诉逾期未答复，督办",
            after=("appealed",),
            auto=True,
            past=(Term(("appealed",), Span.APPEAL),),
            answer=Span.ESCALATED,
        ),
        *_appeal_answered(decided, stands=stands, falls=falls),
    )


def _appeal_answered(
    decided: tuple[str, ...], *, stands: Outcome, falls: Outcome
) -> tuple[Step, ...]:
    """The county answers, by somebody who did not decide before."""
    return tuple(
        Step(
            key=key,
            title=title,
            after=("appealed", "appeal_overdue"),
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            fresh=(*decided, "appealed", "*"),
            needs=(Need.CYCLE_OPEN,),
            fields=fields,
            outcome=ends,
            document=True,
            letter="申诉答复书",
        )
        for key, title, fields, ends in (
            ("appeal_rejected", "申诉答复：维持", (), stands),
            ("appeal_upheld", "申诉答复：变更结果", CORRECTIONS, falls),
        )
    )


OBJECTION = Machine(
    key="objection",
    title="对考核结果的异议",
    pool=Pool.OBJECTION,
    steps=(
        Step(
            key="raised",
            title="提出异议",
            own=True,
            signs=MANAGERS,
            needs=(Need.CYCLE_OPEN, Need.IN_TIME),
            late=True,
            answer=Span.REVIEW,
            letter="异议受理单",
        ),
        Step(
            key="escalated",
            title="逾期未答复，转县级督办",
            after=("raised",),
            auto=True,
            past=(Term(("raised",), Span.REVIEW),),
            answer=Span.ESCALATED,
        ),
        Step(
            key="withdrawn",
            title="撤回异议",
            after=("raised", "escalated"),
            own=True,
            outcome=Outcome.WITHDRAWN,
        ),
        *(
            Step(
                key=key,
                title=title,
                after=("raised", "escalated"),
                signs=UPPER,
                level=TOWNSHIP_LEVEL,
                fresh=("raised", "*"),
                needs=(Need.CYCLE_OPEN,),
                fields=fields,
                answer=Span.OBJECTION,
                letter="异议复核答复书",
            )
            for key, title, fields in (
                ("review_kept", "复核：维持原结果", ()),
                ("review_changed", "复核：变更结果", CORRECTIONS),
            )
        ),
        *_told_and_appealed(
            ("review_kept", "review_changed"),
            ("raised", "review_kept", "review_changed"),
            stands=Outcome.UPHELD,
            falls=Outcome.CHANGED,
        ),
    ),
)


RECOMPUTED = Machine(
    key="recomputed",
    title="上半年成绩变更，重新计算全年成绩",
    pool=Pool.OBJECTION,
    steps=(
        Step(
            key="recomputed",
            title="重新计算全年成绩",
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            needs=(Need.CYCLE_OPEN,),
            fields=("first_half", "annual"),
            answer=Span.OBJECTION,
            letter="全年成绩变更告知书",
        ),
        *_told_and_appealed(
            ("recomputed",), ("recomputed",), stands=Outcome.CHANGED, falls=Outcome.CHANGED
        ),
    ),
)
"""The year of somebody whose half-year was corrected after the year's results came out."""

LEFT_OUT = Machine(
    key="left_out",
    title="漏评",
    pool=Pool.OBJECTION,
    steps=(
        Step(
            key="reported",
            title="提出漏评",
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            needs=(Need.CYCLE_OPEN, Need.LEFT_OUT),
            document=True,
            answer=Span.REVIEW,
        ),
        Step(
            key="escalated",
            title="逾期未核查，转县级督办",
            after=("reported",),
            auto=True,
            past=(Term(("reported",), Span.REVIEW),),
            answer=Span.ESCALATED,
        ),
        Step(
            key="added",
            title="核查：漏评属实，补评",
            after=("reported", "escalated"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fresh=("reported", "*"),
            needs=(Need.CYCLE_OPEN, Need.LEFT_OUT),
            fields=("score", "days_met"),
            document=True,
            outcome=Outcome.CHANGED,
            letter="补评决定书",
        ),
        Step(
            key="not_added",
            title="核查：不属于漏评",
            after=("reported", "escalated"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fresh=("reported", "*"),
            needs=(Need.CYCLE_OPEN,),
            document=True,
            answer=Span.OBJECTION,
            letter="漏评核查答复书",
        ),
        *_told_and_appealed(
            ("not_added",), ("reported", "not_added"), stands=Outcome.UPHELD, falls=Outcome.CHANGED
        ),
    ),
)
"""Of somebody who was in post on the last day, and is in no result of the cycle.

Whoever is added has a result as everybody else: it is served, and may be objected to.
"""

SERVING = Machine(
    key="serving",
    title="考核结果送达不到",
    pool=Pool.SERVICE,
    steps=(
        *_undelivered("考核结果", (), needs=(Need.UNSERVED,), stands=Outcome.UNDELIVERED),
        Step(
            key="deliverable",
            title="核实：能送达，撤销登记",
            after=("undelivered",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            outcome=Outcome.WITHDRAWN,
        ),
    ),
)
"""A result that reaches nobody does not keep everybody's cycle open for ever."""


def _contest(key: str, *, result: bool) -> Machine:
    """Anybody's objection to a notice, entered by the office that received it.

    The objector is answered; whoever is on the notice is heard first, and where their result is
    changed it is served on them and may be appealed, as in an objection of their own.
    """
    later = _told_and_appealed(
        ("replied_changed",),
        ("received", "contest_changed"),
        stands=Outcome.CHANGED,
        falls=Outcome.UPHELD,
    )
    return Machine(
        key=key,
        title="对公示的异议",
        pool=Pool.OBJECTION,
        steps=(
            Step(
                key="received",
                title="收到对公示的异议",
                signs=DEPARTMENT,
                level=COUNTY_LEVEL,
                needs=(Need.NOTICED, Need.CYCLE_OPEN) if result else (Need.NOTICED,),
                late=True,
                fields=CONTEST_FIELDS,
                answer=Span.REVIEW,
            ),
            Step(
                key="escalated",
                title="逾期未核查，转县级督办",
                after=("received",),
                auto=True,
                past=(Term(("received",), Span.REVIEW),),
                answer=Span.ESCALATED,
            ),
            Step(
                key="withdrawn",
                title="反映人书面撤回",
                after=("received", "escalated"),
                signs=DEPARTMENT,
                level=COUNTY_LEVEL,
                document=True,
                outcome=Outcome.WITHDRAWN,
            ),
            *_looked_into(result=result),
            *(later if result else ()),
        ),
    )


def _looked_into(*, result: bool) -> tuple[Step, ...]:
    """Found wrong or right by somebody else, who has heard the person; then the objector knows."""
    changed = "contest_changed" if result else "contest_dropped"
    found = tuple(
        Step(
            key=key,
            title=title,
            after=("received", "escalated"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fresh=("received", "*"),
            needs=(Need.CYCLE_OPEN,) if result else (),
            fields=fields,
            document=True,
            letter="异议核查结论书",
        )
        for key, title, fields in (
            ("contest_kept", "核查：异议不成立，公示不变", ("heard",)),
            (changed, "核查：异议成立，变更结果", ("heard", "score"))
            if result
            else (changed, "核查：异议成立，不再列入", ("heard",)),
        )
    )
    replied = tuple(
        Step(
            key=key,
            title="答复反映人",
            after=(before,),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            outcome=ends,
            letter="异议答复书",
            to_objector=True,
        )
        for key, before, ends in (
            ("replied_kept", "contest_kept", Outcome.UPHELD),
            ("replied_changed", changed, None if result else Outcome.CHANGED),
        )
    )
    return found + replied


CONTEST_RESULT = _contest("contest_result", result=True)
CONTEST_POOL = _contest("contest_pool", result=False)

RECOMMENDATION = Machine(
    key="recommendation",
    title="推荐",
    pool=Pool.RECOMMENDATION,
    steps=(
        Step(
            key="proposed",
            title="列出人选和依据",
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(Need.ELIGIBLE, Need.IN_POST),
            fields=("list_kind",),
        ),
        Step(
            key="examined",
            title="组织考察，提出意见",
            after=("proposed",),
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            fresh=("proposed",),
            needs=(Need.ELIGIBLE, Need.IN_POST),
            document=True,
            letter="考察意见",
        ),
        Step(
            key="declined",
            title="不列入推荐库",
            after=("proposed", "examined", "noticed"),
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            outcome=Outcome.DECLINED,
        ),
        Step(
            key="noticed",
            title="公示",
            after=("examined",),
            by_notice=True,
            needs=(Need.ELIGIBLE, Need.IN_POST),
        ),
        Step(
            key="recommended",
            title="公示无异议，列入推荐库",
            after=("noticed",),
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            needs=(Need.ELIGIBLE, Need.IN_POST, Need.UNCONTESTED),
            past=(Term(("noticed",), Span.NOTICE),),
            outcome=Outcome.RECOMMENDED,
            document=True,
            letter="列入推荐库通知书",
        ),
        Step(
            key=CONTESTED,
            title="对公示的异议核查属实，待移出推荐库",
            after=("recommended", "stays_listed"),
            by_result=True,
            late=True,
            answer=Span.ESCALATED,
        ),
        Step(
            key=LET_GO,
            title="列入以后被要求退出，待移出推荐库",
            after=("recommended", "stays_listed"),
            by_result=True,
            late=True,
            answer=Span.ESCALATED,
        ),
        Step(
            key="stays_listed",
            title="退出已经撤销，仍列入推荐库",
            after=(LET_GO,),
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            needs=(Need.IN_POST,),
            document=True,
            outcome=Outcome.RECOMMENDED,
        ),
        Step(
            key="removed",
            title="移出推荐库",
            after=("recommended", "contested", LET_GO, "stays_listed"),
            signs=DEPARTMENT,
            level=COUNTY_LEVEL,
            outcome=Outcome.DECLINED,
        ),
    ),
)


def _left(*after: str) -> Step:
    """Nobody improves, fails again or is let go in a post that they have left."""
    return Step(
        key="left",
        title="本人已离任，终止",
        after=after,
        signs=UPPER,
        level=TOWNSHIP_LEVEL,
        needs=(Need.GONE,),
        outcome=Outcome.LEFT,
    )


IMPROVEMENT = Machine(
    key="improvement",
    title="提醒谈话和改进（基本合格）",
    pool=Pool.WARNING,
    steps=(
        Step(
            key="talked",
            title="提醒谈话",
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            needs=(Need.SETTLED, Need.STANDS, Need.SUBSTANTIAL, Need.IN_POST),
            letter="提醒谈话记录",
        ),
        Step(
            key="planned",
            title="定出 60 天改进计划",
            after=("talked",),
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            answer=Span.PLAN,
            letter="改进计划书",
        ),
        *(
            Step(
                key=key,
                title=title,
                after=("planned",),
                signs=UPPER,
                level=TOWNSHIP_LEVEL,
                needs=needs,
                past=(Term(("planned",), Span.PLAN),),
                outcome=ends,
            )
            for key, title, needs, ends in (
                ("improved", "到期复查：已改进", (), Outcome.IMPROVED),
                (
                    "not_improved",
                    "到期复查：未改进，下期考核重点核查",
                    (Need.STANDS, Need.IN_POST),
                    Outcome.KEPT,
                ),
            )
        ),
        Step(
            key="annulled",
            title="考核结果已变更，终止",
            after=("talked", "planned"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            outcome=Outcome.ANNULLED,
        ),
        _left("talked", "planned"),
    ),
)

WARNING = Machine(
    key="warning",
    title="书面警告和复查（不合格）",
    pool=Pool.WARNING,
    steps=(
        Step(
            key="warned",
            title="作出书面警告",
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(Need.SETTLED, Need.STANDS, Need.SUBSTANTIAL, Need.IN_POST),
            document=True,
            letter="书面警告",
        ),
        Step(
            key="served",
            title="警告书送达本人",
            after=("warned",),
            own=True,
            signs=MANAGERS,
            fields=SERVICE_FIELDS,
            letter="送达回证",
        ),
        Step(
            key="supported",
            title="安排培训或调整网格",
            after=("served",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fields=("kind",),
            answer=Span.RECHECK,
            letter="培训（调整）通知书",
        ),
        *(
            Step(
                key=key,
                title=title,
                after=("supported",),
                signs=UPPER,
                level=TOWNSHIP_LEVEL,
                fresh=("warned",),
                needs=needs,
                past=(Term(("supported",), Span.RECHECK),),
                document=True,
                outcome=ends,
                letter="复查结论书",
            )
            for key, title, needs, ends in (
                ("passed", "60 天复查：合格", (), Outcome.IMPROVED),
                (
                    "failed",
                    "60 天复查：仍不合格",
                    (Need.STANDS, Need.SUBSTANTIAL, Need.IN_POST),
                    Outcome.FAILED_AGAIN,
                ),
            )
        ),
        Step(
            key="annulled",
            title="考核结果已变更，撤销警告",
            after=("warned", "served", "supported"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            outcome=Outcome.ANNULLED,
        ),
        _left("warned", "served", "supported"),
    ),
)


def _due_process(before: tuple[str, ...], endings: tuple[str, ...]) -> tuple[Step, ...]:
    """Decision in writing → service → appeal or its lapse: every exit against the will has it.

    An appeal that was received in time and is keyed in after the ending opens the case again.
    """
    return (
        Step(
            key="decided",
            title="作出拟退出决定书",
            after=before,
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=FAIR,
            document=True,
            letter="退出决定书",
        ),
        Step(
            key="served",
            title="决定书送达本人",
            after=("decided",),
            own=True,
            signs=MANAGERS,
            fields=SERVICE_FIELDS,
            letter="送达回证",
        ),
        Step(
            key="appealed",
            title="不服决定，申诉",
            after=("served", "lapsed", *endings, "handed_over"),
            own=True,
            signs=MANAGERS,
            within=Term(("served",), Span.OBJECTION),
            late=True,
            answer=Span.APPEAL,
            letter="申诉受理单",
        ),
        Step(
            key="lapsed",
            title="申诉期满，没有申诉",
            after=("served",),
            auto=True,
            past=(Term(("served",), Span.OBJECTION),),
        ),
        Step(
            key="appeal_overdue",
            title="申诉逾期未答复，督办",
            after=("appealed",),
            auto=True,
            past=(Term(("appealed",), Span.APPEAL),),
            answer=Span.ESCALATED,
        ),
        *(
            Step(
                key=key,
                title=title,
                after=("appealed", "appeal_overdue"),
                signs=DEPARTMENT,
                level=COUNTY_LEVEL,
                fresh=("decided", "appealed", "*"),
                document=True,
                outcome=ends,
                letter="申诉答复书",
            )
            for key, title, ends in (
                ("appeal_rejected", "申诉答复：维持决定", None),
                ("appeal_upheld", "申诉答复：撤销决定，留任", Outcome.KEPT),
            )
        ),
    )


def _overturned(endings: tuple[str, ...]) -> tuple[Step, ...]:
    """What an exit for failing asks when the result behind it is corrected after the ending.

    The clock says so; people take the exit back, unless the person has written to stay away.
    """
    return (
        Step(
            key=OVERTURNED,
            title="依据的考核结果已变更，待撤销退出",
            after=(*endings, "handed_over"),
            by_result=True,
            late=True,
            answer=Span.ESCALATED,
        ),
        *(
            Step(
                key=key,
                title=title,
                after=(OVERTURNED,),
                signs=DEPARTMENT,
                level=COUNTY_LEVEL,
                document=True,
                outcome=ends,
                letter=letter,
            )
            for key, title, ends, letter in (
                ("revoked", "撤销退出，恢复岗位", Outcome.KEPT, "撤销退出决定书"),
                ("stays_away", "本人书面表示不再回岗，维持退出", Outcome.UPHELD, ""),
            )
        ),
    )


def _handover(*endings: str) -> Step:
    return Step(
        key="handed_over",
        title="交接完成",
        after=endings,
        signs=MANAGERS,
        level=VILLAGE_LEVEL,
        letter="交接单",
    )


def _stopped(*after: str) -> Step:
    return Step(
        key="stopped",
        title="停止办理，留任",
        after=after,
        signs=UPPER,
        level=TOWNSHIP_LEVEL,
        outcome=Outcome.KEPT,
    )


def _act(
    key: str,
    title: str,
    after: str,
    *,
    signs: frozenset[Role] = UPPER,
    level: int = TOWNSHIP_LEVEL,
    fields: tuple[str, ...] = (),
    letter: str = "",
    fresh: tuple[str, ...] = (),
) -> Step:
    return Step(
        key=key,
        title=title,
        after=(after,),
        signs=signs,
        level=level,
        document=True,
        fields=fields,
        letter=letter,
        fresh=fresh,
    )


def _by_appraisal() -> tuple[Step, ...]:
    """It begins where a warning ended: failed, trained or moved, re-checked, failed again."""
    return (
        Step(
            key="opened",
            title="复查仍不合格，立案",
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(Need.FAILED_TWICE, Need.STANDS, Need.SUBSTANTIAL, Need.IN_POST),
            document=True,
        ),
    )


def _by_fault() -> tuple[Step, ...]:
    """Evidence → hearing, to which the person was called in writing.

    The same letter may stop their access for a time, up to the end of the case at the latest.
    """
    return (
        Step(
            key="evidence",
            title="固定证据，立案",
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(Need.IN_POST,),
            fields=("hearing", "stopped_until"),
            document=True,
            letter="立案和听证通知书",
        ),
        Step(
            key="called",
            title="听证（陈述申辩）通知送达本人",
            after=("evidence",),
            own=True,
            signs=MANAGERS,
            fields=SERVICE_FIELDS,
            letter="送达回证",
        ),
        _act("heard", "听取陈述申辩", "called", fresh=("evidence",), letter="听证笔录"),
    )


_PROTECTION = ("protection", "核对法定保护期")
MIDDLES: dict[Employment, tuple[tuple[str, str, frozenset[Role], int, tuple[str, ...]], ...]] = {
    Employment.CONTRACT: (
        (*_PROTECTION, DEPARTMENT, COUNTY_LEVEL, ("unprotected",)),
        ("union", "书面通知工会，听取意见", UPPER, TOWNSHIP_LEVEL, ()),
    ),
    Employment.DISPATCHED: (
        (*_PROTECTION, DEPARTMENT, COUNTY_LEVEL, ("unprotected",)),
        ("agency", "书面通知派遣单位", UPPER, TOWNSHIP_LEVEL, ()),
    ),
    Employment.PURCHASED: (
        ("contractor", "按服务合同要求承接单位更换人员", UPPER, TOWNSHIP_LEVEL, ()),
    ),
    Employment.VILLAGE_PAID: (
        ("assembly", "村民民主评议", VILLAGE, VILLAGE_LEVEL, ("present", "against")),
        ("resolved", "村级会议决定", VILLAGE, VILLAGE_LEVEL, ()),
    ),
    Employment.CADRE: (("opinion", "乡镇党委研究意见", UPPER, TOWNSHIP_LEVEL, ()),),
    Employment.VOLUNTEER: (("talked", "与本人谈话", VILLAGE, VILLAGE_LEVEL, ()),),
    Employment.OFFICIAL: (("informed", "函告原单位", UPPER, TOWNSHIP_LEVEL, ()),),
}
"""Between the ground and the decision, what each employment type asks: key, title, who, level,
fields."""
ENDINGS: dict[Employment, tuple[tuple[str, str, Outcome, Span | None], ...]] = {
    Employment.CONTRACT: (
        ("dismissed", "满三十日，解除合同", Outcome.DISMISSED, Span.DISMISSAL),
        ("dismissed_paid", "支付一个月工资代替通知期，解除合同", Outcome.DISMISSED, None),
    ),
    Employment.DISPATCHED: (("returned", "退回派遣单位", Outcome.RETURNED, None),),
    Employment.PURCHASED: (("replaced", "承接单位更换到位", Outcome.REPLACED, None),),
    Employment.VILLAGE_PAID: (("dismissed", "辞退", Outcome.DISMISSED, None),),
    Employment.CADRE: (("role_ended", "免去网格职务（村干部职务不变）", Outcome.ROLE_ENDED, None),),
    Employment.VOLUNTEER: (("agreement_ended", "终止志愿服务协议", Outcome.AGREEMENT_ENDED, None),),
    Employment.OFFICIAL: (("recalled", "由原单位召回", Outcome.RECALLED, None),),
}
"""How each employment type ends against the will: key, title, outcome, days of notice."""
FAULT_ENDING = ("dismissed", "解除合同", Outcome.DISMISSED, None)
"""A serious fault needs no thirty days."""


ASSEMBLY_KEPT = Step(
    key="assembly_kept",
    title="村民民主评议：同意留任",
    after=("opened",),
    signs=VILLAGE,
    level=VILLAGE_LEVEL,
    document=True,
    fields=("present", "against"),
    outcome=Outcome.KEPT,
)
"""The villagers' word: it is signed as the other one is, and ends the matter."""


def _exit(employment: Employment, *, fault: bool) -> Machine:
    first = _by_fault() if fault else _by_appraisal()
    after = first[-1].key
    middle: list[Step] = []
    for key, title, signs, level, fields in MIDDLES[employment]:
        middle.append(_act(key, title, after, signs=signs, level=level, fields=fields))
        after = key
    endings = ENDINGS[employment]
    if fault and employment is Employment.CONTRACT:
        endings = (FAULT_ENDING,)
    closing = tuple(
        Step(
            key=key,
            title=title,
            after=("lapsed", "appeal_rejected"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(*FAIR, Need.IN_POST) if fault else (*FAIR, Need.IN_POST, Need.STANDS),
            past=(
                Term(("served",), Span.OBJECTION),
                *((Term(("served",), span),) if span else ()),
            ),
            document=True,
            outcome=ends,
            letter="退出通知书",
        )
        for key, title, ends, span in endings
    )
    process = _due_process((after,), tuple(step.key for step in closing))
    early = [step.key for step in (*first, *middle)]
    return Machine(
        key=f"exit_{'fault' if fault else 'appraisal'}_{employment.value}",
        title="严重过错退出" if fault else "不胜任退出",
        pool=Pool.EXIT,
        steps=(
            *first,
            *middle,
            *((ASSEMBLY_KEPT,) if employment is Employment.VILLAGE_PAID and not fault else ()),
            *process,
            *closing,
            _stopped(*early, "decided", "served", "lapsed", "appeal_rejected"),
            _left(*early, "decided", "served", "lapsed", "appeal_rejected"),
            _handover(*(step.key for step in closing)),
            *(() if fault else _overturned(tuple(step.key for step in closing))),
        ),
    )


RESIGNATION = Machine(
    key="exit_wish",
    title="本人辞去",
    pool=Pool.EXIT,
    steps=(
        Step(
            key="applied",
            title="本人书面提出",
            own=True,
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            needs=(Need.IN_POST,),
            answer=Span.RESIGNATION,
            letter="辞职申请受理单",
        ),
        Step(
            key="withdrawn",
            title="本人撤回",
            after=("applied",),
            own=True,
            signs=MANAGERS,
            outcome=Outcome.WITHDRAWN,
        ),
        Step(
            key="resigned",
            title="同意辞去，退出岗位",
            after=("applied",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fresh=("applied",),  # who entered the paper in their name does not accept it too
            needs=(Need.IN_POST,),
            document=True,
            ahead=True,
            outcome=Outcome.RESIGNED,
            letter="退出通知书",
        ),
        Step(
            key="resigned_by_law",
            title="提出满三十日没有答复，辞去生效",
            after=("applied",),
            auto=True,
            past=(Term(("applied",), Span.RESIGNATION),),
            outcome=Outcome.RESIGNED,
            letter="退出通知书",
        ),
        _left("applied"),
        _handover("resigned", "resigned_by_law"),
    ),
)

END_OF_TERM = Machine(
    key="exit_term",
    title="期满退出",
    pool=Pool.EXIT,
    steps=(
        Step(
            key="due",
            title="协议（任期）将满，提出不再续聘",
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(Need.IN_POST,),
            fields=("term_until",),
            document=True,
            letter="期满告知书",
        ),
        Step(
            key="served",
            title="期满告知书送达本人",
            after=("due",),
            own=True,
            signs=MANAGERS,
            fields=SERVICE_FIELDS,
            letter="送达回证",
        ),
        Step(
            key="renewed",
            title="续聘",
            after=("due", "served"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            outcome=Outcome.RENEWED,
        ),
        Step(
            key="term_ended",
            title="期满退出岗位",
            after=("served",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            needs=(Need.UNPROTECTED, Need.TERM_OVER, Need.IN_POST),
            past=(Term(("served",), Span.TERM_END),),
            document=True,
            outcome=Outcome.TERM_ENDED,
            letter="退出通知书",
        ),
        _left("due", "served"),
        _handover("term_ended"),
    ),
)

ADMISSION_STEPS = (
    "applied",
    "nominated",
    "checked",
    "interviewed",
    "villagers",
    "noticed",
    "agreed",
    "trained",
)
ADMISSION = Machine(
    key="admission",
    title="准入",
    pool=Pool.ADMISSION,
    steps=(
        Step(
            key="applied",
            title="本人报名",
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            needs=(Need.VACANT,),
        ),
        Step(
            key="nominated",
            title="组织提名",
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            needs=(Need.VACANT,),
        ),
        Step(
            key="checked",
            title="资格核查合格",
            after=("applied", "nominated"),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fields=CHECK_FIELDS,
        ),
        Step(
            key="interviewed",
            title="面谈合格",
            after=("checked",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
        ),
        Step(
            key="villagers",
            title="听取群众意见",
            after=("interviewed",),
            signs=VILLAGE | UPPER,
            level=VILLAGE_LEVEL,
            document=True,
        ),
        Step(
            key="noticed",
            title="公示",
            after=("villagers",),
            by_notice=True,
            needs=(Need.VACANT,),
        ),
        Step(
            key="agreed",
            title="公示无异议，签订协议",
            after=("noticed",),
            signs=UPPER,
            level=TOWNSHIP_LEVEL,
            fresh=("nominated",),
            needs=(Need.VACANT, Need.UNCONTESTED),
            past=(Term(("noticed",), Span.NOTICE),),
            fields=("employment", "full_time"),
            document=True,
            letter="录用通知书",
        ),
        Step(
            key="trained",
            title="岗前培训合格",
            after=("agreed",),
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
        ),
        Step(
            key="admitted",
            title="开通岗位，到岗",
            after=("trained",),
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            needs=(Need.VACANT, Need.UNCONTESTED),
            fields=("starts_on",),
            outcome=Outcome.ADMITTED,
        ),
        Step(
            key=CONTESTED,
            title="对公示的异议核查属实，已到岗，待处理",
            after=("admitted",),
            by_result=True,
            late=True,
            answer=Span.ESCALATED,
        ),
        *(
            Step(
                key=key,
                title=title,
                after=(CONTESTED,),
                signs=DEPARTMENT,
                level=COUNTY_LEVEL,
                document=True,
                outcome=ends,
            )
            for key, title, ends in (
                ("kept_on", "研究后维持录用", Outcome.UPHELD),
                ("exit_instead", "改按退出程序另案办理", Outcome.CHANGED),
            )
        ),
        Step(
            key="refused",
            title="不予录用",
            after=ADMISSION_STEPS,
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            outcome=Outcome.REFUSED,
            letter="不予录用告知书",
        ),
        Step(
            key="withdrawn",
            title="本人放弃",
            after=ADMISSION_STEPS,
            signs=MANAGERS,
            level=VILLAGE_LEVEL,
            outcome=Outcome.WITHDRAWN,
        ),
    ),
)

EXITS: dict[tuple[Employment, str], Machine] = {
    (employment, basis): machine
    for employment in Employment
    for basis, machine in (
        ("appraisal", _exit(employment, fault=False)),
        ("fault", _exit(employment, fault=True)),
        ("wish", RESIGNATION),
        ("term", END_OF_TERM),
    )
}
"""Employment type and ground → the path out."""
BASIS_NAMES = {
    "appraisal": "复查仍不合格（不胜任）",
    "fault": "严重过错",
    "wish": "本人辞去",
    "term": "协议或任期届满",
}
MACHINES: dict[str, Machine] = {
    machine.key: machine
    for machine in (
        OBJECTION,
        RECOMPUTED,
        LEFT_OUT,
        SERVING,
        CONTEST_RESULT,
        CONTEST_POOL,
        RECOMMENDATION,
        IMPROVEMENT,
        WARNING,
        ADMISSION,
        *EXITS.values(),
    )
}
