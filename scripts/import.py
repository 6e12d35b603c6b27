"""The command `ape tallystick import`, for `ape run import` in a checkout."""

from tallystick.ape.commands.imports import cli

__all__ = ["cli"]
