"""The command `ape tallystick batches`, for `ape run batches` in a checkout."""

from tallystick.cli.batches import batches as cli

__all__ = ["cli"]
