"""What is kept of people: the purpose, the place, the period, and which job erases it.

This is the one list: the jobs of both services take their periods from here, the desk shows it
(个人信息保存), and a new table with a name, a phone or a picture of somebody gets its line here.
"""

import msgspec

YEAR = 366
"""In days; a day more than most years, so that nothing ever goes before its time."""
FOREVER = "长期保存，不清理"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of data. ``days`` 0 = nothing erases it, and ``since`` says why."""

    what: str
    purpose: str
    tables: tuple[str, ...]
    """Where it lies; photos are also files below the data directory."""
    days: int = 0
    since: str
    """From when the days count, as it reads before them."""
    unless: str = ""
    """What keeps it longer."""
    job: str = ""

    @property
    def term(self) -> str:
        """The period in words: 办结后 90 天."""
        if not self.days:
            return f"{FOREVER}：{self.since}"
        years, rest = divmod(self.days, YEAR)
        length = f"{self.days} 天" if rest else f"{years} 年"
        return f"{self.since} {length}" + (f"；{self.unless}" if self.unless else "")


PERSON = Kept(
    what="离任人员的姓名、手机号、政治面貌和登录资料",
    purpose="任职管理和登录；离任后兑换剩余积分、处理争议（民事诉讼时效三年）",
    tables=("shared.person", "shared.account", "shared.terminal_key"),
    days=3 * YEAR,
    since="最后一次任职结束后",
    unless="还有积分余额、欠分、待拨付，有未办结的事项、扣分、异议，或任职期间的考核没有办结的，办完再清",
    job="retention.people",
)
SIGN_IN = Kept(
    what="登录记录和激活条",
    purpose="保护账号；网络日志依法留存不少于六个月",
    tables=("shared.session", "shared.activation_slip"),
    days=200,
    since="失效后",
    job="identity.purge",
)
DEVICE = Kept(
    what="登录过的设备",
    purpose="识别常用手机，防止别人试密码",
    tables=("shared.device",),
    days=400,
    since="最后一次使用后",
    job="identity.purge",
)
UPLOAD = Kept(
    what="上传的名册和履职数据文件",
    purpose="导入前的预览和核对",
    tables=("shared.import_run",),
    days=1,
    since="上传或导入后",
    job="roster.forget_uploads",
)
PHOTO = Kept(
    what="工作照片",
    purpose="核实工作，处理异议和考核争议",
    tables=("points.work_record",),
    days=YEAR,
    since="工作当年结束、所在考核办结后",
    unless="有未办结的异议、扣分、考核事项的，办完再清",
    job="work.photos",
)
CODE = Kept(
    what="一次性兑换码",
    purpose="在店里兑换",
    tables=("points.code",),
    days=2,
    since="失效后",
    job="ledger.codes",
)
PICKUP = Kept(
    what="预订单上的代取人和送货地址",
    purpose="把预订的商品交给本人或家人",
    tables=("points.pickup",),
    days=90,
    since="取货或作废后",
    job="redemption.forget",
)
SURVEY = Kept(
    what="测评的文字意见、测评票和访问登记",
    purpose="汇总群众意见，防止重复投票",
    tables=(
        "appraisal.ballot_comment",
        "appraisal.ballot_slip",
        "appraisal.survey_household",
    ),
    days=365,
    since="测评结束后",
    job="survey.forget",
)
APPLICANT = Kept(
    what="未录用的报名人的姓名和手机号",
    purpose="准入考察，答复报名人",
    tables=("appraisal.applicant", "appraisal.notice_entry"),
    days=90,
    since="办结后",
    unless="已录用的转入名册，报名表里的随即清除",
    job="pool.purge",
)
ABANDONED = Kept(
    what="停办的报名的姓名和手机号",
    purpose="准入考察，答复报名人",
    tables=("appraisal.applicant", "appraisal.notice_entry"),
    days=YEAR,
    since="最后一步办理后",
    unless="已签协议的不清",
    job="pool.purge",
)
OBJECTOR = Kept(
    what="公示异议反映人的姓名和联系方式",
    purpose="核查异议，答复反映人",
    tables=("appraisal.case_step",),
    days=90,
    since="办结后",
    job="casework.erase",
)
PROTECTION = Kept(
    what="法定保护期和近亲属登记",
    purpose="防止违法解聘；办理事项时回避",
    tables=("appraisal.shield", "appraisal.kinship"),
    days=3 * YEAR,
    since="期满、更正或离任后",
    unless="有未办结的考核事项的，办完再清",
    job="pool.forget",
)
REGISTRY: tuple[Kept, ...] = (
    PERSON,
    SIGN_IN,
    DEVICE,
    UPLOAD,
    PHOTO,
    CODE,
    PICKUP,
    SURVEY,
    APPLICANT,
    ABANDONED,
    OBJECTOR,
    PROTECTION,
    Kept(
        what="积分台账、月度公示、兑换台账（含领取人）和兑换卡、对账单和签字、积分超市结算户名",
        purpose="记账、结算和监督",
        tables=(
            "points.posting",
            "points.lot",
            "points.awaiting",
            "points.hold",
            "points.redemption",
            "points.card",
            "points.shop",
            "points.statement",
            "points.statement_line",
            "points.statement_signature",
            "points.village_month",
        ),
        since="属于会计档案，已入账、签字、打印的按原样保留",
    ),
    Kept(
        what="工作记录的文字、核实、扣分和异议",
        purpose="积分和考核的依据",
        tables=(
            "points.work_record",
            "points.verification",
            "points.objection",
            "points.deduction",
        ),
        since="是入账积分的凭证；离任人员的姓名到期后不再显示",
    ),
    Kept(
        what="任职经历、考勤、培训、抽查、投诉、评分、等次、送达和考核事项",
        purpose="考核和任免",
        tables=(
            "shared.assignment",
            "appraisal.attendance",
            "appraisal.training_attendance",
            "appraisal.duty_entry",
            "appraisal.random_item",
            "appraisal.scheme",
            "appraisal.run",
            "appraisal.input",
            "appraisal.score",
            "appraisal.calibration",
            "appraisal.ranking",
            "appraisal.cycle_step",
            "appraisal.notice_entry",
            "appraisal.serving",
            "appraisal.case_file",
            "appraisal.case_step",
            "appraisal.survey_interviewer",
        ),
        since="属于考核档案，已公示、签字、送达的按原样保留",
    ),
    Kept(
        what="审计记录和导出记录",
        purpose="查清谁在什么时候办了什么",
        tables=("shared.audit_event", "shared.export_log"),
        since="只增不改，依法留存不少于六个月",
    ),
    Kept(
        what="住户名单（门牌编号和村组，没有姓名）",
        purpose="群众测评抽样",
        tables=("appraisal.household",),
        since="以最新名单为准，不登记姓名和电话",
    ),
)
