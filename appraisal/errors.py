"""Refusals that several features of the appraisal service share, in order of precedence."""

from shared.errors import Conflict, NotFound


class NoCycle(NotFound):
    """There is no such cycle in this county."""

    code = "no_cycle"

    def __init__(self) -> None:
        super().__init__("没有找到这次考核，或您没有查看的权限。")


class CycleClosed(Conflict):
    """Closed for ever: nothing of it changes."""

    code = "cycle_closed"

    def __init__(self) -> None:
        super().__init__("这次考核已经办结归档，不能再改。")


class WrongStage(Conflict):
    """The cycle is in another stage than this act belongs to."""

    code = "wrong_stage"

    def __init__(self, stage: str, needed: str) -> None:
        super().__init__(f"这次考核现在是“{stage}”，这一步要在“{needed}”时办理。")


class StepRefused(Conflict):
    """A step of a case may not be signed now; the sentence says what stands in the way."""

    code = "step_refused"


class NoticeRefused(Conflict):
    """A notice or a service cannot be recorded now."""

    code = "notice_refused"
