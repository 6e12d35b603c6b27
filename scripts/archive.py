"""The command `ape tallystick archive`, for `ape run archive` in a checkout."""

from tallystick.ape.commands.archive import cli

__all__ = ["cli"]
