"""The command `ape tallystick model`, for `ape run model` in a checkout."""

from tallystick.ape.commands.model import cli

__all__ = ["cli"]
