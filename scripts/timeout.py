"""The command `ape tallystick timeout`, for `ape run timeout` in a checkout."""

from tallystick.ape.commands.timeout import cli

__all__ = ["cli"]
