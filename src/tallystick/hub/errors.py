"""What can go wrong with model files."""

from tallystick.errors import TallystickError


class HubError(TallystickError, OSError):
    """A model file that cannot be pushed or pulled."""


class ModelMissingError(HubError, FileNotFoundError):
    """The store has no such model."""


class ModelCorruptError(HubError, ValueError):
    """What the store has of a model misses its hash."""
