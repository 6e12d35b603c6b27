"""The command `ape tallystick reveal`, for `ape run reveal` in a checkout."""

from tallystick.ape.commands.reveal import cli

__all__ = ["cli"]
