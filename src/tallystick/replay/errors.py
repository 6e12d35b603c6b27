"""Exceptions of the replay package.

TallystickError
├── ModelError (ValueError)        steps or rows that QI8-1 does not allow
├── UnportableError (ValueError)   an ONNX node whose answers differ between machines, or no step
└── MismatchError (ValueError)     the engine and onnxruntime answer differently
"""

from tallystick.errors import TallystickError


class ModelError(TallystickError, ValueError):
    """Steps, rows or a file that QI8-1 does not allow; `part` names which."""

    def __init__(self, part: str, reason: str) -> None:
        self.part, self.reason = part, reason
        super().__init__(f"{part}: {reason}")


class UnportableError(TallystickError, ValueError):
    """An ONNX node that cannot become a step of QI8-1."""

    def __init__(self, node: str, reason: str, instead: str) -> None:
        self.node, self.reason, self.instead = node, reason, instead
        super().__init__(f"{node}: {reason}; instead: {instead}")


class MismatchError(TallystickError, ValueError):
    """A tensor in which the engine and onnxruntime differ."""

    def __init__(self, tensor: str, wrong: int, size: int) -> None:
        self.tensor, self.wrong, self.size = tensor, wrong, size
        super().__init__(
            f"tensor {tensor}: {wrong} of {size} elements differ from onnxruntime's; refused"
        )
