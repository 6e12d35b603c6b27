"""Endings of answers: after which token one ends, and the text of its bytes."""

import codecs
from collections.abc import Callable, Collection, Sequence

from tallystick.llm.output import Finish

TokenBytes = Callable[[int], bytes]
"""The bytes that a token adds, as `vocabulary.token_bytes`."""


class AnswerText:
    """An answer that grows token by token, and what of its text can be shown already.

    >>> pieces = {1: b"Good", 2: b"bye. ", 3: b"And", 9: b""}
    >>> text = AnswerText(pieces.__getitem__, ends={9}, stops=[b". A"], limit=8)
    >>> text.add(1), text.delta(), text.add(2), text.delta(), text.add(3), text.delta()
    (None, 'Good', None, 'bye', <Finish.STOP: 2>, '')
    >>> text.text()
    'Goodbye'
    """

    def __init__(
        self, token_bytes: TokenBytes, ends: Collection[int], stops: Sequence[bytes], limit: int
    ) -> None:
        """Begin an answer.

        Args:
            token_bytes: of the vocabulary.
            ends: tokens that end an answer, `vocabulary.end_ids`; they add no bytes.
            stops: of the body.
            limit: most tokens, `prompt.answer_limit`.
        """
        self._token_bytes, self._ends, self._stops, self._limit = token_bytes, ends, stops, limit
        self._bytes = bytearray()
        self._shown: int | None = None
        self._given = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.tokens = 0
        self.finish: Finish | None = None

    def add(self, token: int) -> Finish | None:
        """Add a token; the reason why the answer ends with it, or None where it goes on.

        Raises:
            ValueError: the answer is over.
        """
        if self.finish is not None:
            raise ValueError("the answer is over")
        self.tokens += 1
        self.finish = self._finish(token)
        return self.finish

    def shown(self) -> bytes:
        """Return the bytes before the earliest stop, or all so far."""
        return bytes(self._bytes[: self._shown])

    def text(self) -> str:
        """Return the shown bytes as UTF-8, U+FFFD for each maximal subpart that is ill-formed."""
        return shown_text(self.shown())

    def delta(self) -> str:
        """Return the text that can be shown, and was not given yet.

        Bytes that may become a stop or a character wait until that is decided; joined, what is
        given up to the end is the answer's text.
        """
        over = self.finish is not None
        end = len(self._bytes) - (0 if over else self._held())
        if self._shown is not None:
            end = self._shown
        part = self._decoder.decode(bytes(self._bytes[self._given : end]), final=over)
        self._given = max(end, self._given)
        return part

    def _finish(self, token: int) -> Finish | None:
        if token in self._ends:
            return Finish.END
        before = len(self._bytes)
        self._bytes += self._token_bytes(token)
        # A stop that was there before would have ended the answer.
        places = [self._bytes.find(stop, max(0, before - len(stop) + 1)) for stop in self._stops]
        if found := [place for place in places if place >= 0]:
            self._shown = min(found)
            return Finish.STOP
        return Finish.LIMIT if self.tokens >= self._limit else None

    def _held(self) -> int:
        """Return how many bytes at the end may be the beginning of a stop."""
        longest = max(map(len, self._stops), default=1) - 1
        for size in range(min(longest, len(self._bytes)), 0, -1):
            if any(stop.startswith(self._bytes[-size:]) for stop in self._stops):
                return size
        return 0


def shown_text(shown: bytes) -> str:
    """Return bytes as UTF-8, U+FFFD for each maximal subpart that is ill-formed.

    Source: Unicode, conformance, D93b; Python's decoder does the same.

    >>> shown_text(b"a" + bytes([0xF0, 0x9F, 0x98, 0x41]))
    'a\ufffdA'
    """
    return shown.decode("utf-8", "replace")
