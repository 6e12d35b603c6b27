"""The command `ape tallystick demand`, for `ape run demand` in a checkout."""

from tallystick.ape.commands.demand import cli

__all__ = ["cli"]
