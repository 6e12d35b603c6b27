"""What can stop a submission."""

from tallystick.errors import TallystickError


class SubmitError(TallystickError, RuntimeError):
    """A batch cannot be committed as things stand; nothing was sent."""
