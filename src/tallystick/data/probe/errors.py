"""Errors of a probe's files."""

from collections.abc import Sequence

from tallystick.errors import TallystickError, WrongLine


class EndpointsError(TallystickError, ValueError):
    """A file of endpoints that cannot be used; one line for each wrong entry."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))


class ProbeLogError(TallystickError, ValueError):
    """Lines of a probe log that cannot be used, the first of them first."""

    def __init__(self, wrong: Sequence[WrongLine], more: bool = False) -> None:
        self.wrong = tuple(wrong)
        self.more = more
        lines = [f"line {line}: {reason}" for line, reason in self.wrong]
        super().__init__("\n".join([*lines, "and more"] if more else lines))
