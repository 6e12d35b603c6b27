"""The command `ape tallystick disputes`, for `ape run disputes` in a checkout."""

from tallystick.cli.batches import disputes as cli

__all__ = ["cli"]
