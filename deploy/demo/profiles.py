"""How the demo's gridworkers did in the closed half-year: what appraisal has to tell apart."""

import msgspec

from appraisal.survey.rules import Answers

LIKED = {
    "high": (100, 100, 80, 100, 100, 100, 80, 100, 100, 60, 100),
    "good": (100, 80, 80, 100, 60, 80, 100, 80, 0, 80, 60),
    "low": (60, 80, 60, 20, 80, 60, 80, 60, 0, 60, 80),
}
"""Faces as a grid's residents choose them, over and over."""
WORDS = ("常来走访，有事一叫就到", "办医保很耐心", "第三组的路灯还没有修好", "", "", "")


class Profile(msgspec.Struct, frozen=True):
    """One gridworker's half-year."""

    name: str
    works: int
    """Records of work that were posted."""
    away: int
    """Days without leave in each month."""
    liked: str
    ballots: int = 22
    hours: int = 2
    """Training sessions attended, of two."""
    test: int = 88
    wrong: int = 0
    """Records that the double-random check found wrong."""


PROFILES = (
    Profile("欧阳金山", 7, 0, "high", test=96),
    Profile("苏秀英", 5, 1, "good", ballots=24, wrong=1),
    Profile("何春生", 3, 3, "low", test=68, wrong=1),
    Profile("卢立新", 6, 0, "good", ballots=23),
    Profile("尹桂芳", 4, 1, "good", ballots=21, test=80),
    Profile("许大明", 4, 2, "good", hours=1, test=75),
    Profile("马德福", 7, 0, "high", test=95),
    Profile("胡翠萍", 5, 0, "good", ballots=24),
    Profile("丁文斌", 3, 2, "good", ballots=21, hours=1, test=70, wrong=1),
    Profile("魏长青", 5, 1, "good", ballots=23),
    Profile("贺红梅", 4, 0, "good", test=90),
    Profile("龙小兵", 3, 3, "low", ballots=18, test=71),
)
"""The last one's grid stays below twenty ballots, so its result is not valid."""


def ballot(profile: Profile, number: int) -> Answers:
    """What the grid's ``number``-th resident says."""
    faces = LIKED[profile.liked]
    values = tuple(faces[(number * 7 + aspect * (number % 3)) % len(faces)] for aspect in range(6))
    words = WORDS[number % len(WORDS)]
    return Answers(aware=number % 5 != 0, values=values, comment=words)
