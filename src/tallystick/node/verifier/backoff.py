"""Waiting times of what a process puts off."""

import time


class Backoff:
    """Times, by batch and by what is put off.

    Args:
        seconds: how long, where nothing else is said.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[tuple[bytes, str], float] = {}

    def is_time(self, batch_id: bytes, what: str) -> bool:
        """Return whether something was never put off, or long enough ago."""
        return time.monotonic() >= self._until.get((batch_id, what), 0.0)

    def put_off(self, batch_id: bytes, what: str, seconds: float | None = None) -> None:
        """Let something wait from now on."""
        self._until[batch_id, what] = time.monotonic() + (seconds or self._seconds)

    def is_first(self, batch_id: bytes, what: str) -> bool:
        """Return whether this is asked for the first time."""
        if (batch_id, what) in self._until:
            return False
        self.put_off(batch_id, what)
        return True
