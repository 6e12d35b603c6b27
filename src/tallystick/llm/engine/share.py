"""Shares of a step: how many rows each text gets."""

from collections.abc import Sequence


def shares(waiting: Sequence[int], rows: int) -> list[int]:
    """Return the rows of each text: one, then the rest evenly to those that have more.

    Thus a text that is being generated gets its next token in each step, however long the prompts
    beside it are, and a short prompt is through before a long one that came first.

    Args:
        waiting: ids of each text that are to be computed, 1 or more; at most `rows` texts.
        rows: to be shared.

    >>> shares([1, 500, 9, 1], 32)
    [1, 21, 9, 1]
    >>> shares([500, 500], 31)
    [16, 15]
    """
    found = [0] * len(waiting)
    left = rows
    while left and (open_ := [i for i, n in enumerate(waiting) if found[i] < n]):
        each = max(1, left // len(open_))
        for i in open_:
            more = min(each, waiting[i] - found[i], left)
            found[i] += more
            left -= more
    return found
