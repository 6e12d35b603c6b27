"""Errors of zk models and proofs."""

from tallystick.errors import TallystickError


class ZkError(TallystickError, RuntimeError):
    """A circuit cannot be made, or a proof cannot be made or does not hold."""
