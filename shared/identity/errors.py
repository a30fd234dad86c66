"""Refusals of identity, in order of precedence."""

from collections.abc import Sequence

from shared.errors import Conflict, Forbidden, GridmeritError, Invalid, TooMany


class WrongSignIn(GridmeritError):  # noqa: N818
    """Number, PIN, password or code is wrong: which of them is not said."""

    status = 422
    code = "wrong_sign_in"

    def __init__(self, message: str = "手机号或密码不对，请再试一次。") -> None:
        super().__init__(message)


class UnknownAccount(WrongSignIn):
    """The same to whoever asks; the page counts ``who``, and makes it wait, like a known one."""

    def __init__(self, message: str, who: str) -> None:
        super().__init__(message)
        self.who = who


class WaitFirst(TooMany):
    """Too many wrong tries on this account from this kind of device; ``seconds`` to wait."""

    code = "wait_first"

    def __init__(self, seconds: int) -> None:
        wait = f"{seconds} 秒" if seconds < 90 else f"{(seconds + 59) // 60} 分钟"
        super().__init__(f"输错次数较多，请等 {wait} 再试。", seconds)


class UsedUp(TooMany):
    """Today's tries from unknown devices are gone; a known device or a new slip still works."""

    code = "tries_used_up"

    def __init__(self) -> None:
        super().__init__(
            "今天在新设备上试的次数太多了。请用平时用的手机登录，或请村里重打激活条。", 3600
        )


class SlipSpent(GridmeritError):  # noqa: N818
    """The slip is unknown, used, expired or revoked: one sentence for all."""

    status = 404
    code = "slip_spent"

    def __init__(self) -> None:
        super().__init__("这张激活条已用过或已过期。请找村书记重打一张。")


class WrongLastFour(Invalid):
    """The four digits are not those of the person's phone."""

    def __init__(self, left: int) -> None:
        message = f"手机号后四位不对，还可以试 {left} 次。" if left else "试错太多，请重打激活条。"
        super().__init__(message, {"last4": message})


class NoOffice(Forbidden):
    """The person holds no post now, and the 90 days after the last one are over."""

    def __init__(self) -> None:
        super().__init__("您目前没有在任的岗位，不能登录。请联系村（社区）书记。")


class DeskOnly(Forbidden):
    """A PIN does not carry the rights of the desk roles."""

    def __init__(self) -> None:
        super().__init__("您的岗位请在电脑上登录：用密码和动态码。")


class ConfirmFirst(GridmeritError):  # noqa: N818
    """The act asks for the password again; a page sends there and back."""

    status = 403
    code = "confirm_first"

    def __init__(self) -> None:
        super().__init__("为了安全，请先再输一次密码。")


class TakeOverFirst(GridmeritError):  # noqa: N818
    """Signed in with the first password of a desk account: the holder sets secrets of their own."""

    status = 403
    code = "take_over_first"

    def __init__(self) -> None:
        super().__init__("请先设好自己的密码和动态码，再办别的事。")


class TakenOverAlready(Conflict):
    """The desk account is its holder's, or has just been handed out anew."""

    def __init__(self) -> None:
        super().__init__("这个账号已经设过密码和动态码，请重新登录。")


class AlreadyRevoked(Conflict):
    """The terminal key was revoked before."""

    def __init__(self) -> None:
        super().__init__("这个终端密钥已经停用了。")


class HeldElsewhere(Conflict):
    """Somebody whose other posts others manage; a slip would open those too."""

    sentence = (
        "{names}在别处还有任职，激活条要由管得到全部岗位的乡镇或县里打印。"
        "请取消勾选后再打印其他人的。"
    )

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(self.sentence.format(names="、".join(names)))


class WeChatLost(GridmeritError):  # noqa: N818
    """The way back is not the end of a way out of this browser, or its code is spent."""

    status = 422
    code = "wechat_lost"

    def __init__(self) -> None:
        super().__init__("没有认出这个微信，请再点一次“用微信登录”。")


class WeChatAway(GridmeritError):  # noqa: N818
    """WeChat does not answer, or refuses us; the log says why."""

    status = 503
    code = "wechat_away"

    def __init__(self) -> None:
        super().__init__("微信登录现在用不了，请用手机号和密码登录。")


class NotBound(GridmeritError):  # noqa: N818
    """No account is opened by this WeChat."""

    status = 422
    code = "wechat_not_bound"

    def __init__(self) -> None:
        super().__init__(
            "这个微信还没有绑定账号。请先用手机号和密码登录，再到“我的”里打开“微信登录”。"
        )
