"""The command `ape tallystick tally`, for `ape run tally` in a checkout."""

from tallystick.cli.tally import tally as cli

__all__ = ["cli"]
