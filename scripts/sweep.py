"""The command `ape tallystick sweep`, for `ape run sweep` in a checkout."""

from tallystick.ape.commands.sweep import cli

__all__ = ["cli"]
