"""The command `ape tallystick lapse`, for `ape run lapse` in a checkout."""

from tallystick.ape.commands.lapse import cli

__all__ = ["cli"]
