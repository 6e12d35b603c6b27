"""The command `ape tallystick replay`, for `ape run replay` in a checkout."""

from tallystick.cli.replay import replay as cli

__all__ = ["cli"]
