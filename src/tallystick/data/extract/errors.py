"""Errors of a data folder; those of nodes are in chain.rpc.errors.

ExtractError
├── HeadError                     the chain's head leaves nothing to read
└── ManifestError                 a data folder that is not what its manifest says
"""

from tallystick.errors import TallystickError


class ExtractError(TallystickError, RuntimeError):
    """Events could not be read or kept."""


class HeadError(ExtractError):
    """The blocks that are asked for are not there yet, or not final."""


class ManifestError(ExtractError):
    """A data folder that is another registry's, or of another layout."""
