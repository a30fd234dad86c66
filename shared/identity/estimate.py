"""How many guesses find a password: [password, words] as JSON on stdin, a number on stdout.

Run as a script, as the parsers of office files are: its lists take 15 MiB, and a long password full
of signs takes seconds of a core, which the server has not. It imports nothing of ours.
"""

import json
import sys

from zxcvbn import zxcvbn


def guesses(password: str, words: list[str]) -> float:
    """The library's figure, of a password of any length.

    A line's end, which no form's field has, it would take for the end of a date.
    """
    line = password.replace("\n", " ")
    return float(zxcvbn(line, words, max_length=len(line))["guesses"])


if __name__ == "__main__":
    print(guesses(*json.load(sys.stdin.buffer)))  # noqa: T201  the answer
