"""The command `ape tallystick zk`, for `ape run zk` in a checkout."""

from tallystick.ape.commands.zk import cli

__all__ = ["cli"]
