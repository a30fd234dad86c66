"""Rows of identity and what its pages and services hand around."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from shared.clock import today
from shared.dates import chinese_date
from shared.roster.roles import Role, role_names

SessionKind = Literal["phone", "desk"]
TextSize = Literal["normal", "large", "elder", "huge"]


class SessionRow(msgspec.Struct, frozen=True):
    """A live session with whose it is."""

    id: UUID
    account_id: UUID
    person_id: UUID
    name: str
    kind: SessionKind
    device_id: UUID | None
    text_size: TextSize
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    """When PIN or password was last given; None for a session that WeChat opened."""
    stopped_until: date | None = None
    handed: bool = False
    """A desk's, begun with the sheet: the holder has not taken the account over yet."""


class SessionLine(msgspec.Struct, frozen=True):
    """A line of the list of one's own sessions."""

    id: UUID
    kind: SessionKind
    agent: str
    created_at: datetime
    expires_at: datetime


class AccountRow(msgspec.Struct, frozen=True):
    """An account as stored; does not leave identity."""

    id: UUID
    person_id: UUID
    pin_hash: str | None
    password_hash: str | None
    totp_cipher: bytes | None
    totp_last_step: int
    card_pin_hash: str | None
    text_size: TextSize
    disabled_at: datetime | None
    activated_at: datetime | None
    failures: int
    failures_today: int
    failures_on: date | None
    blocked_until: datetime | None
    handed_until: datetime | None
    taken_over_at: datetime | None

    @property
    def handed(self) -> bool:
        """Another knows how to sign in to the desk: by a sheet, or an older authenticator."""
        return self.password_hash is not None and self.taken_over_at is None


class DeviceRow(msgspec.Struct, frozen=True):
    """A phone that has signed in before."""

    id: UUID
    failures: int
    blocked_until: datetime | None


class SlipRow(msgspec.Struct, frozen=True):
    """An activation slip that can still be used, with whose it is."""

    id: UUID
    account_id: UUID
    person_id: UUID
    name: str
    phone_last4: str
    digits_hash: bytes
    expires_at: datetime
    failures: int


class PrintedSlip(msgspec.Struct, frozen=True):
    """What one slip shows; token and digits exist only on the paper."""

    name: str
    role: str
    place: str
    url: str
    digits: str
    expires_on: date


class AccountLine(msgspec.Struct, frozen=True):
    """One person of the list of accounts."""

    person_id: UUID
    name: str
    role: Role
    unit_code: str
    unit_name: str
    village_name: str | None
    account_id: UUID | None
    activated_at: datetime | None
    disabled_at: datetime | None
    slip_until: datetime | None
    sessions: int
    desk: bool
    handed_until: datetime | None
    """The holder has not taken the desk account over; until then the sheet opens it."""
    taken_over_at: datetime | None
    """None also for those opened with an authenticator that another printed."""
    away: bool
    """Left, and holds no post: what is left of the account can only be stopped."""
    total: int
    """People in the whole list, for the pager."""

    @property
    def state(self) -> str:
        """已停用, 已激活, 已发激活条 or 未激活."""
        if self.disabled_at:
            return "已停用"
        if self.activated_at or self.desk:
            return "已激活"
        return "已发激活条" if self.slip_until else "未激活"

    def desk_state(self, now: datetime) -> str:
        """Whether somebody but its holder knows how to sign in to the desk."""
        if not self.desk:
            return "未开通"
        if self.taken_over_at is not None:
            return f"本人已接管（{chinese_date(today(self.taken_over_at))}）"
        if self.handed_until is None:
            return "已开通，动态码由管理员打印；本人下次登录时换成自己的"
        if self.handed_until <= now:
            return "初始密码已过期，本人没有接管"
        until = chinese_date(today(self.handed_until))
        return f"本人还没有接管，初始密码 {until}前有效"

    def role_name(self, department: str) -> str:
        """The post in Chinese."""
        return role_names(department)[self.role] + ("（已离任）" if self.away else "")

    @property
    def place(self) -> str:
        """村 and 网格, or the unit alone."""
        return f"{self.village_name} {self.unit_name}" if self.village_name else self.unit_name


class StaleLine(msgspec.Struct, frozen=True):
    """An account that can still sign in and perhaps should not."""

    person_id: UUID
    name: str
    role: Role
    unit_name: str
    village_name: str | None
    activated_at: datetime | None
    used_at: datetime | None
    """Last seen, to the day on a phone; None when never, or longer ago than sessions are kept."""
    left_on: date | None
    reason: str
    """``never`` activated, ``unused``, or ``left`` without another post."""
    total: int
    """Of the whole list, for the pager."""

    @property
    def place(self) -> str:
        """村 and 网格, or the unit alone."""
        return f"{self.village_name} {self.unit_name}" if self.village_name else self.unit_name


class NewSession(msgspec.Struct, frozen=True):
    """What a browser gets after signing in: cookies' values, known to nobody else."""

    token: str
    kind: SessionKind
    device_token: str = ""
    text_size: TextSize = "normal"


class StaffLine(msgspec.Struct, frozen=True):
    """One keeper or helper of a shop."""

    assignment_id: UUID
    person_id: UUID
    name: str
    phone_last4: str
    seat: int
    valid_from: date
    activated_at: datetime | None


class TerminalRow(msgspec.Struct, frozen=True):
    """A shop terminal's key as stored."""

    id: UUID
    shop_id: UUID
    person_id: UUID
    name: str
    label: str
    secret_cipher: bytes
    created_at: datetime
    revoked_at: datetime | None


class TerminalSecret(msgspec.Struct, frozen=True):
    """A new key, shown once."""

    key: str
    secret: str
    label: str


class Voucher(msgspec.Struct, frozen=True):
    """What somebody types who confirms another's act at the same desk."""

    phone: str
    password: str
    code: str
    device_token: str = ""


class DeskSecrets(msgspec.Struct, frozen=True):
    """A desk account's secrets before they are kept; ``totp_key`` None until it is taken over."""

    password_hash: str
    totp_key: bytes | None
    recovery_codes: tuple[str, ...]


class DeskAccount(msgspec.Struct, frozen=True):
    """What ``create-admin`` and the desk print once for a new desk account."""

    name: str
    phone: str
    code: str
    """What the first sign-in asks beside the password, in the place of the authenticator."""
    until: datetime


class Authenticator(msgspec.Struct, frozen=True):
    """A key that the holder is about to put into an authenticator app."""

    uri: str
    key: str


class TakenOver(msgspec.Struct, frozen=True):
    """What the holder gets who has taken a desk account over; the codes are shown once."""

    session: NewSession
    recovery_codes: tuple[str, ...]


class Forgotten(msgspec.Struct, frozen=True):
    """What a purge deleted."""

    sessions: int
    slips: int
    devices: int
