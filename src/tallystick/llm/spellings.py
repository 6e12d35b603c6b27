"""Spellings of control and user-defined tokens: texts are split at them, contents guarded."""

import re
from collections.abc import Iterable

from tallystick.llm.vocabulary import GUARD, Kind, Vocabulary


class Spellings:
    """The spellings of a vocabulary, compiled once.

    From the left, the longest spelling at each place counts; of tokens spelled alike, the lowest.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._ids: dict[str, int] = {}
        control = set()
        for token in range(vocabulary.size):
            kind = vocabulary.kind(token)
            if kind not in (Kind.CONTROL, Kind.USER_DEFINED):
                continue
            spelling = vocabulary.spelling(token)
            if not spelling:
                continue
            self._ids.setdefault(spelling, token)
            if kind is Kind.CONTROL:
                control.add(spelling)
        self._split = _any_of(self._ids)
        # Each place where one begins, inside another one too: only the first character is taken.
        self._guard = re.compile(rf"(?={_any_of(control).pattern}).", re.DOTALL)

    def guard(self, content: str) -> str:
        """Return a content with U+E000 behind each character at which a control spelling begins."""
        return self._guard.sub(lambda match: match[0] + GUARD, content)

    def split(self, text: str) -> list[int | str]:
        """Return tokens that are spelled out and, as text without U+E000, what lies between."""
        parts: list[int | str] = []
        place = 0
        for match in self._split.finditer(text):
            parts += [text[place : match.start()].replace(GUARD, ""), self._ids[match[0]]]
            place = match.end()
        parts.append(text[place:].replace(GUARD, ""))
        return [part for part in parts if part != ""]


def _any_of(spellings: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(spellings, key=len, reverse=True)
    # Nothing matches where there is none.
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
