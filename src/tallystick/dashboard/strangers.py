"""Strangers' words in one line of plain text, as the page shows them."""

import re
import unicodedata

MOST = 80
"""Letters that are shown."""
_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_BLANK = set("\u00a0\u115f\u1160\u2800\u3164\uffa0\ufffc")
_MARKS = 2
"""Marks on one letter."""


def plain(text: str, most: int = MOST) -> str:
    r"""Return a stranger's text; what cannot be seen or turns the order of letters is spelt out.

    >>> plain("Agora"), plain("a\u202eb"), plain("long", 2)
    ('Agora', 'a\\u{202e}b', 'lo…')
    """
    found, marks = [], 0
    for letter in text[:most]:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind.startswith("M") else 0
        spelt = kind in _UNSEEN or letter in _BLANK or marks > _MARKS
        found.append(f"\\u{{{ord(letter):04x}}}" if spelt else letter)
    return re.sub(r"\s+", " ", "".join(found)).strip() + ("…" if len(text) > most else "")
