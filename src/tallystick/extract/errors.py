"""What can go wrong while events are read from a node.

ExtractError
├── RpcError                      a node's answer that asking again will not change
│   ├── RangeError                more logs than the node gives at once: ask for fewer blocks
│   └── UnavailableError          asking again, or another node, may help
└── ManifestError                 a data folder that is not what its manifest says
"""

from tallystick.errors import TallystickError


class ExtractError(TallystickError, RuntimeError):
    """Events could not be read or kept."""


class RpcError(ExtractError):
    """A node refused; asking again will not change that."""


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


class ManifestError(ExtractError):
    """A data folder that is another core's, or of another layout."""
