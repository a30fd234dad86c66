"""Every refusal of the points service, in order of precedence within a feature."""

from datetime import date
from pathlib import Path
from typing import ClassVar

from shared.dates import chinese_date
from shared.errors import Conflict, Forbidden, Invalid, TooMany, Unavailable


class RuleRefused(Invalid):
    """A version of a rule may not come into force; ``fields`` names what and why."""

    code = "rule_refused"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"规则未保存：{reason}", {field: reason})


class PhotosElsewhere(Conflict):
    """Photos are due and their folder is not here: their records must not forget where they lie."""

    code = "photos_elsewhere"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"没有照片目录 {folder}：定时任务要在存放照片的机器上运行。"
            "恢复备份时没有带回照片的，请建一个空目录。"
        )


REFUSALS = {
    "id_reused": "这个编号已用于另一笔兑换，请换一个新编号再试。",
    "shop_closed": "本店已停业，不能兑换。请联系村里。",
    "agreement_ended": "本店的协议不在有效期内，不能兑换。请联系村里续签。",
    "not_for_sale": "本店现在不能兑换{product}，请刷新商品后再选。",
    "price_changed": "商品积分有变动，请刷新商品，核对后再兑换。",
    "code_unknown": "没有这个兑换码，请核对，或请网格员重新出示。",
    "own_wallet": "这是您本人的事项，按规定要由别人来办，请交给其他有权的人。",
    "code_expired": "兑换码已过期，请网格员刷新后再出示。",
    "code_used": "这一码已用过，没有重复扣分。请网格员出示新码。",
    "hold_unknown": "没有找到这份预订，请核对取货码。",
    "shop_mismatch": "这是另一家店的单据，请到原来的店办理。",
    "hold_resolved": "这份预订已经取走或作废，请刷新查看。",
    "hold_expired": "这份预订已过取货期，不能再取；积分一天内退回，作废后马上退回。",
    "lines_exceed_hold": "{product}比预订的多，请按预订的数量取货。",
    "cancelled_spent": "网格员在补传前取消了这份预订，退回的积分已不够扣，没有入账。"
    "请留好签收的纸质单，找村书记办理。",
    "redemption_unknown": "没有找到这笔兑换，请核对。",
    "already_undone": "这笔兑换已经撤销过了，积分已退回。",
    "out_of_stock": "{product}库存不够，请减少数量或换别的商品。",
    "insufficient": "可用积分不够，请减少商品。",
    "month_limit": "超过每人每月兑换上限，请减少商品或下月再换。",
    "product_limit": "{product}超过每人每月限兑数量，请减少数量。",
}
"""Refusal code → sentence, in order of precedence: if several apply, the first is answered.

The ledger's codes stand here as well as the counter's own; ``{product}`` is a product's name.
"""


class Refused(Conflict):
    """A redemption, hold or undo that the rules do not let pass; kept under the caller's id."""

    def __init__(self, code: str, product: str = "", *, sentence: str = "") -> None:
        named = f"“{product}”" if product else "商品"
        super().__init__(sentence or REFUSALS[code].format(product=named))
        self.code = code  # type: ignore[misc]  # the refusal's own code


class CounterBusy(Unavailable):
    """Too many wait, or the database is away: nothing was written."""

    code = "busy"

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__(
            f"系统正忙，这一笔还没有办。请 {retry_after} 秒后再试，不会重复扣分。", retry_after
        )


class OutcomeUnknown(Unavailable):
    """The answer was lost on its way; the same id may be sent again and tells."""

    code = "outcome_unknown"

    def __init__(self) -> None:
        super().__init__("这一笔办成没有还不清楚。请用同一编号再试一次，不会重复扣分。")


class NotACode(Invalid):
    """What was scanned or typed is no code of ours."""

    code = "not_a_code"

    def __init__(self) -> None:
        sentence = "这不是兑换码。请扫网格员手机上的码，或输入 8 位数字。"
        super().__init__(sentence, {"code": sentence})


class UseAsPickup(Conflict):
    """A pickup code collects what was ordered; it buys nothing else."""

    code = "pickup_code"

    def __init__(self) -> None:
        super().__init__("这是取货码，请到取货页办理。")


class PinNeeded(Conflict):
    """A printed card counts only with its holder's PIN; nothing is kept under the id."""

    code = "pin_needed"

    def __init__(self) -> None:
        super().__init__("请持卡人输入 6 位卡密码。")


class ClockWrong(Conflict):
    """A hand-over before the hold was made, or ahead of now; nothing is kept under the id."""

    code = "clock_wrong"

    def __init__(self) -> None:
        super().__init__("取货时间不能早于预订，也不能晚于现在，请核对终端的时钟。")


class TooManyTries(TooMany):
    """Wrong codes typed at one shop, one after another."""

    code = "too_many_tries"

    def __init__(self, seconds: int) -> None:
        wait = f"{seconds} 秒" if seconds < 120 else f"{seconds // 60} 分钟"
        super().__init__(f"输错太多次了，请 {wait}后再试，或扫二维码。", seconds)


class CardUsedUp(TooMany):
    """Today's tries of a card's PIN are gone; a new card begins anew."""

    code = "card_used_up"

    def __init__(self) -> None:
        super().__init__("今天这张卡的密码输错太多次了。请明天再来，或请村里换一张卡。", 3600)


class UndoTooLate(Forbidden):
    """The shop's ten minutes are over."""

    code = "undo_too_late"

    def __init__(self, minutes: int) -> None:
        super().__init__(f"已超过 {minutes} 分钟，请找村书记撤销。")


class WorkIdReused(Conflict):
    """The record's id was used before with other content."""

    code = "id_reused"

    def __init__(self) -> None:
        super().__init__("这条记录的编号已被另一条内容用过，请刷新页面后重新填写。")


class WorkRefused(Invalid):
    """A declaration does not fit its rule; ``fields`` names what and why."""

    code = "work_refused"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, {field: reason})


class DuplicateWork(Conflict):
    """Equal in worker, date, rule and text to a record that stands (重复)."""

    code = "duplicate_work"


class NotConfirmer(Forbidden):
    """The actor may look, but the record does not wait for them."""

    code = "not_confirmer"

    def __init__(self) -> None:
        super().__init__("这条记录不归您核实：本人的、自己代录的，或应由别的岗位核实。")


class WorkNotOpen(Conflict):
    """Somebody has answered the record already."""

    code = "work_not_open"
    WORDS: ClassVar[dict[str, str]] = {
        "accepted": "已核实",
        "posted": "已入账",
        "returned": "已退回",
        "refused": "已不予认定",
        "withdrawn": "已撤回",
        "reversed": "已冲回",
    }

    def __init__(self, state: str) -> None:
        super().__init__(f"这条记录{self.WORDS.get(state, '已有变化')}，请刷新列表。")


class ResidentMissing(Invalid):
    """The rule asks how the resident confirmed."""

    code = "resident_missing"

    def __init__(self) -> None:
        super().__init__(
            "请选择群众是怎样确认的（签字、电话或扫码）。", {"resident_how": "请选择确认方式。"}
        )


class NotQuietYet(Conflict):
    """The rule asks for some days without a relapse first."""

    code = "not_quiet_yet"

    def __init__(self, days: int, first: date) -> None:
        super().__init__(f"满 {days} 天没有反复才能核实，{chinese_date(first)}起可以办。")


class LedgerRefused(Conflict):
    """The ledger did not take an award; nothing of the run was written."""

    code = "ledger_refused"

    def __init__(self, outcome: str) -> None:
        super().__init__(f"入账没有成功（{outcome}），本次没有写入任何内容，请联系管理员。")


class StatementFrozen(Conflict):
    """All three have signed: nothing about it changes any more."""

    code = "statement_frozen"

    def __init__(self) -> None:
        super().__init__("这张对账单三方都已签字，不能再改。有问题请在下期处理。")


class StatementChanged(Conflict):
    """Somebody else changed it after the page was shown."""

    code = "statement_changed"

    def __init__(self, message: str = "对账单刚刚有变化，请刷新页面，核对后再办。") -> None:
        super().__init__(message)


class MonthNotReady(Conflict):
    """The village's month is not at this step."""

    code = "month_not_ready"


class ObjectionRefused(Invalid):
    """An objection or its answer cannot be taken; ``fields`` names what and why."""

    code = "objection_refused"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, {field: reason})


class DeductionRefused(Invalid):
    """A step of a deduction cannot be taken; ``fields`` names what and why."""

    code = "deduction_refused"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, {field: reason})
