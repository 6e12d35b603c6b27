"""The command `ape tallystick challenge`, for `ape run challenge` in a checkout."""

from tallystick.ape.commands.challenge import cli

__all__ = ["cli"]
