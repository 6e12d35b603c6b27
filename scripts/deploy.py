"""The command `ape tallystick deploy`, for `ape run deploy` in a checkout."""

from tallystick.ape.commands.deploy import cli

__all__ = ["cli"]
