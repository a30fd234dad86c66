"""What duty and training refuse."""

from shared.errors import Conflict, Invalid


class Frozen(Conflict):
    """The cycle that covers the day has left its collecting stage."""

    code = "duty_frozen"

    def __init__(self, title: str, stage: str) -> None:
        super().__init__(
            f"“{title}”已到“{stage}”阶段，这段时间的数据不能再改。"
            "确有错误的，请先把考核退回“采集数据”，或走异议、复核。"
        )


class NotInPost(Invalid):
    """The person was no gridworker on that day, or is not in the actor's area."""

    code = "duty_not_in_post"

    def __init__(self, field: str = "person_id") -> None:
        sentence = "那天这个人不在您管辖范围的网格员岗位上，请核对人和日期。"
        super().__init__(sentence, {field: sentence})


class Changed(Conflict):
    """Somebody else wrote the same line at the same time."""

    code = "duty_changed"

    def __init__(self) -> None:
        super().__init__("刚刚有人改过同样的数据，这次没有保存。请刷新，核对后再存。")
