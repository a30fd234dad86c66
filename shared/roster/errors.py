"""Refusals of the roster."""

from shared.errors import Conflict, Invalid


class PhoneTaken(Conflict):
    """Two people of a county cannot have one phone."""

    code = "phone_taken"

    def __init__(self) -> None:
        super().__init__("这个手机号在本县已登记给另一个人，请核对手机号。")


class PostTaken(Conflict):
    """One person per post at a time (invariant I17)."""

    code = "post_taken"

    def __init__(self, name: str = "") -> None:
        holder = f"由{name}担任" if name else "有人担任"
        super().__init__(f"这个岗位在该期间已{holder}。请先结束原任职，或换一个日期。")


class Changed(Conflict):
    """The form was opened before somebody else saved."""

    code = "changed"

    def __init__(self) -> None:
        super().__init__("您打开之后别人已改过这条记录。请刷新，核对后再保存。")


class BadPhone(Invalid):
    """Not a mobile number."""

    code = "bad_phone"

    def __init__(self, field: str = "phone") -> None:
        sentence = "手机号应为 1 开头的 11 位数字。"
        super().__init__(sentence, {field: sentence})


class BadPeriod(Invalid):
    """An assignment must end after it begins."""

    code = "bad_period"
