"""The command `ape tallystick demo`, for `ape run demo` in a checkout."""

from tallystick.ape.commands.demo import cli

__all__ = ["cli"]
