"""The command `ape tallystick submit`, for `ape run submit` in a checkout."""

from tallystick.ape.commands.submit import cli

__all__ = ["cli"]
