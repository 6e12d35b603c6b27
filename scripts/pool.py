"""The command `ape tallystick pool`, for `ape run pool` in a checkout."""

from tallystick.ape.commands.pool import cli

__all__ = ["cli"]
