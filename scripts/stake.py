"""The command `ape tallystick stake`, for `ape run stake` in a checkout."""

from tallystick.ape.commands.stake import cli

__all__ = ["cli"]
