"""The command `ape tallystick node`, for `ape run node` in a checkout."""

from tallystick.ape.commands.node import cli

__all__ = ["cli"]
