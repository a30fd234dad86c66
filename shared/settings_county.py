"""What a county decides for itself, kept in ``shared.county.settings``."""

from typing import Literal

import msgspec


class CountySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults are the product's; amounts in 0.1 point, money in fen."""

    posting_mode: Literal["monthly", "immediate"] = "monthly"
    expiry_policy: Literal["year_end_plus_one", "quarter_end", "year_end", "days_365", "never"] = (
        "year_end_plus_one"
    )
    point_value_fen: int = 100
    department_name: str = "组织部"
    declare_close_day: int = 5
    notice_days: int = 5
    month_limit: int = 3000
    undo_minutes: int = 10
    pickup_days: int = 7
    code_seconds: int = 300
    complaint_url: str = ""
    complaint_phone: str = ""
