"""The command `ape tallystick finalize`, for `ape run finalize` in a checkout."""

from tallystick.ape.commands.finalize import cli

__all__ = ["cli"]
