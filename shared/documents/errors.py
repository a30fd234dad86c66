"""Refusals of a whole file; a wrong cell is a Fault of the table instead."""

from shared.errors import Invalid


class BadFile(Invalid):
    """The file cannot be read; the sentence says why and what to do."""

    code = "bad_file"

    def __init__(self, message: str) -> None:
        super().__init__(message, {"file": message})
