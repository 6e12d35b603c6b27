"""Errors with which an operator's node refuses what it is asked."""

from tallystick.errors import TallystickError


class RefusedError(TallystickError, ValueError):
    """A request that gets no answer; nothing of it was kept.

    `status` is HTTP's: 400 malformed, 403 not signed by its requester or not on the list, 404
    unknown, 408 too slow, 409 nonce taken, 410 pruned, 413 too large, 422 a deadline or an input
    that cannot be taken, 429 over a quota, 503 not now.
    """

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


class JournalError(TallystickError, RuntimeError):
    """A journal that belongs to another lane, or is not one."""
