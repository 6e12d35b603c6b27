"""Errors of nodes' answers, by what can be done about them.

RpcError                      the node refuses; asking again will not change that
├── RevertedError             a contract refuses the call
├── DeniedError               key, method or permission is refused: no other question helps either
├── PrunedError               the node has dropped that block's state or history
├── RangeError                more logs than the node gives at once: ask for fewer blocks
└── UnavailableError          asking again, or another node, may help
    ├── SlowError             no whole answer came in time
    ├── BusyError             too many requests: wait
    └── BehindError           the node does not have that block yet
"""

from tallystick.errors import TallystickError


class RpcError(TallystickError, RuntimeError):
    """A node refused; asking again will not change that."""


class RevertedError(RpcError):
    """A contract refuses a call: it is no fault of the node."""


class DeniedError(RpcError):
    """A node refuses the key, the method or the permission; smaller questions don't help."""


class PrunedError(RpcError):
    """A node has dropped the state or the history of a block; an archive node has it."""


class RangeError(RpcError):
    """A node does not give that many logs, blocks or bytes in one answer."""


class UnavailableError(RpcError):
    """A node did not answer, or not with what was asked for; another time, or another node, may.

    Args:
        reason: what happened.
        retry_after: seconds that the node asked to be left alone; None: it did not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


class SlowError(UnavailableError):
    """No whole answer came in time."""


class BusyError(UnavailableError):
    """A node's rate limit was reached; it says nothing about the question."""


class BehindError(UnavailableError):
    """A node does not have a block yet that others have."""
