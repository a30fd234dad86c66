"""What the calendar refuses."""

from shared.errors import Conflict


class MissingYear(Conflict):
    """No calendar for a year: an alarm for the department, never a guess."""

    code = "calendar_missing_year"

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(
            f"{year}年的节假日安排还没有录入，无法计算工作日。请主管部门在“设置·工作日历”中录入后再办。"
        )
