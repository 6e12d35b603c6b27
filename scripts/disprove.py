"""The command `ape tallystick disprove`, for `ape run disprove` in a checkout."""

from tallystick.ape.commands.disprove import cli

__all__ = ["cli"]
