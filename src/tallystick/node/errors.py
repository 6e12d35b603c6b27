"""Errors of a node."""

from tallystick.errors import TallystickError


class SettingsError(TallystickError, ValueError):
    """Settings that a node cannot run with."""
