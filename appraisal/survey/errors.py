"""Refusals of the survey, in the order in which they are checked."""

from shared.errors import Conflict, Forbidden, NotFound


class SlipUnknown(NotFound):
    """No slip of ours, or one that was printed again."""

    code = "slip_unknown"

    def __init__(self) -> None:
        super().__init__("这张票不能用了，或者网址不完整。请再扫一次，或向访问员换一张。")


class SlipClosed(Conflict):
    """The survey has ended."""

    code = "slip_closed"

    def __init__(self) -> None:
        super().__init__("这次测评已经结束，谢谢您的关心。下次测评时欢迎您再来评。")


class SlipUsed(Conflict):
    """One slip, one ballot."""

    code = "slip_used"

    def __init__(self) -> None:
        super().__init__("这张票已经交过了，谢谢您。一张票只能用一次。")


class PaperFirstAgain(Forbidden):
    """The two keyings of a paper are by two people."""

    code = "paper_first_again"

    def __init__(self) -> None:
        super().__init__("这张票的第一遍是您录的，请换一个人录第二遍。")


class WrongState(Conflict):
    """The list is frozen first, then drawn from, then slips are printed, then the survey closes."""

    code = "survey_state"
