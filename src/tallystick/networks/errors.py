"""Errors of adapters and of what follows them.

NetworksError
├── AdapterError                  a declaration or findings that are not what they must be
└── FollowError                   a network could not be followed
"""

from tallystick.errors import TallystickError


class NetworksError(TallystickError, RuntimeError):
    """Something is wrong with a network that lives elsewhere."""


class AdapterError(NetworksError):
    """An adapter's declaration, or its findings, are not what they must be."""


class FollowError(NetworksError):
    """A network could not be followed."""
