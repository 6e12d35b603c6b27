"""The command `ape tallystick resolve`, for `ape run resolve` in a checkout."""

from tallystick.ape.commands.resolve import cli

__all__ = ["cli"]
