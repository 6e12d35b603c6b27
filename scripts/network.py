"""The command `ape tallystick network`, for `ape run network` in a checkout."""

from tallystick.ape.commands.network import cli

__all__ = ["cli"]
