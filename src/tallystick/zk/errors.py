"""Errors of zk models and proofs."""

from tallystick.errors import TallystickError


class ZkError(TallystickError, RuntimeError):
    """A circuit cannot be made, or a proof cannot be made or does not hold."""


class UnwantedError(ZkError):
    """A step that was stopped because its result is not wanted any more; it has not failed."""
