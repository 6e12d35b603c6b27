"""Errors of engines."""

from tallystick.errors import TallystickError


class EngineError(TallystickError, RuntimeError):
    """A runtime of models that is missing, is another than the pinned one, or broke down."""


class SelfTestError(EngineError):
    """An engine whose logits are not the ones of its class: nothing that it says counts."""
