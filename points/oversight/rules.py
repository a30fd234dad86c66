"""From where on a month's figures stand out: a clue asks for a look, it accuses nobody.

High enough that an ordinary village has none; a county with many should look at its practice first.
"""

MOST = 50
"""Lines of one kind, the most striking first: who has more looks at these before the rest."""
PAIR_TIMES = 8
"""Redemptions of one worker at one shop: twice a week, where most come once or twice a month."""
SHOP_TIMES = 20
SHARE = 50
"""Per cent of a shop's points that one worker took; a shop with fewer redemptions has no share."""
UNDONE_TIMES = 3
UNDONE_SHARE = 10
"""Per cent of a shop's redemptions; now and then everybody presses the wrong goods."""
PIECES = 20
"""Found, missing or thrown away at one shop: a carton, not a broken bottle."""
LATE_TIMES = 10
LATE_SHARE = 80
"""Per cent of the records that a worker typed; one forgotten week is less."""
SAME_TIMES = 15
"""Records with the same words: half of the month's days. The forms offer sentences to choose."""
PASSED_TIMES = 60
"""Records answered by one person: two grids' month, in which something is usually sent back."""
MINUTE_TIMES = 30
"""Records confirmed within a minute: more than one full page of 待办, so unread."""
PAPER_TIMES = 20
"""Paper slips typed by one person and confirmed by another of the same village."""
PAPER_MINUTES = 10
"""Confirmed so soon after it was typed that the paper can hardly have been looked at again."""
