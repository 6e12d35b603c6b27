"""The pace of generating, by which an answer's time is guessed before it is promised."""

from time import monotonic

PROMPT_WEIGHT = 1 / 8
"""Work of a prompt's token beside one that is generated."""
_GUESS = 5.0
"""Tokens a second until some were measured."""
_ENOUGH = 64
_FORGET = 0.5


class Pace:
    """Tokens a second of one engine while it has work; not for several threads at once."""

    def __init__(self) -> None:
        self.rate = _GUESS
        self._chosen, self._at, self._busy = 0, monotonic(), False

    def note(self, chosen: int, busy: bool, now: float | None = None) -> None:
        """Take how things stand.

        Args:
            chosen: tokens that the engine has generated since it began.
            busy: it has work from now on.
            now: seconds of a monotonic clock; None: the machine's.
        """
        now = monotonic() if now is None else now
        tokens, seconds = chosen - self._chosen, now - self._at
        if self._busy and tokens < _ENOUGH and busy:
            return  # too few to tell; they are counted with the next
        if self._busy and tokens >= _ENOUGH and seconds > 0:
            self.rate += _FORGET * (tokens / seconds - self.rate)
        self._chosen, self._at, self._busy = chosen, now, busy
