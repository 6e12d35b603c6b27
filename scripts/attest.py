"""The command `ape tallystick attest`, for `ape run attest` in a checkout."""

from tallystick.ape.commands.attest import cli

__all__ = ["cli"]
