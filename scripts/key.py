"""The command `ape tallystick key`, for `ape run key` in a checkout."""

from tallystick.ape.commands.key import cli

__all__ = ["cli"]
