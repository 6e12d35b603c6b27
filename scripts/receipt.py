"""The command `ape tallystick receipt`, for `ape run receipt` in a checkout."""

from tallystick.cli.receipt import receipt as cli

__all__ = ["cli"]
