"""The command `ape tallystick batch`, for `ape run batch` in a checkout."""

from tallystick.cli.batches import batch as cli

__all__ = ["cli"]
