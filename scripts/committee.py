"""The command `ape tallystick committee`, for `ape run committee` in a checkout."""

from tallystick.ape.commands.committee import cli

__all__ = ["cli"]
