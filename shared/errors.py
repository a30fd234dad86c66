"""Errors a user may see: each carries its status and code and writes its own sentence.

Services raise them; one table (``shared.web.errors``) turns them into a page or into
``application/problem+json``. Feature errors subclass the kinds below and live in
``points/errors.py``, ``appraisal/errors.py`` or the shared feature that raises them.
"""

from typing import ClassVar


class GridmeritError(Exception):
    """Base: ``message`` is a Chinese sentence saying what is wrong and what to do next."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(GridmeritError):  # noqa: N818  reads as the field says it
    """Absent, or not for you: the two look the same on purpose."""

    status = 404
    code = "not_found"

    def __init__(self, message: str = "没有找到这一页，或您没有查看的权限。") -> None:
        super().__init__(message)


class NotSignedIn(GridmeritError):  # noqa: N818
    """A page sends to sign-in, the API answers 401."""

    status = 401
    code = "not_signed_in"

    def __init__(self, message: str = "请先登录。") -> None:
        super().__init__(message)


class Forbidden(GridmeritError):  # noqa: N818
    """The object may be seen but this act is refused, with the reason (separation of duties)."""

    status = 403
    code = "forbidden"


class Invalid(GridmeritError):  # noqa: N818
    """A field or file is wrong; ``fields`` names each and says what to do."""

    status = 422
    code = "invalid"

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class Conflict(GridmeritError):  # noqa: N818
    """The thing has changed, or its state does not allow this."""

    status = 409
    code = "conflict"


class TooMany(GridmeritError):  # noqa: N818
    """Throttled; ``retry_after`` in seconds."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(GridmeritError):  # noqa: N818
    """Busy or the outcome is unknown: retry with the same id."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ReadOnly(Unavailable):
    """The installation has a fault under which nothing may be written.

    Which one is nobody's business but the log's, the desk's and ``gridmerit doctor``'s.
    """

    code = "read_only"

    def __init__(self) -> None:
        super().__init__("系统暂时只能查看，不能办理，请联系管理员。", retry_after=60)
