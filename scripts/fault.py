"""The command `ape tallystick fault`, for `ape run fault` in a checkout."""

from tallystick.ape.commands.fault import cli

__all__ = ["cli"]
