"""Errors of model files."""

from tallystick.errors import TallystickError


class ModelStoreError(TallystickError, OSError):
    """A model file that cannot be pushed or pulled."""


class ModelMissingError(ModelStoreError, FileNotFoundError):
    """The store has no such model."""


class ModelCorruptError(ModelStoreError, ValueError):
    """A model's file in the store misses its hash."""
