"""Whatever runs a model on canonical bytes; operators answer with it, verifiers check with it.

Runners by name: qi8 (a QI8-1 file), onnx (an ONNX file, see tallystick.models), or a callable as
module:function that takes a list of inputs and returns a list of outputs; it raises
InputRefusedError for an input that the model's spec does not allow.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from tallystick.errors import InputRefusedError, RunnerError, TallystickError

Compare = Callable[[bytes, bytes], bool]
"""Returns whether a committed output and one's own are the same under the model's spec."""


_NAMES = ("qi8", "onnx")
_NONE_SUCH = "there is none of this name; needed: qi8, onnx, module:function"


class Runner(Protocol):
    """A model, ready to run."""

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the canonical output of each canonical input.

        Raises:
            InputRefusedError: an input is not canonical; none was run.
            RunnerError: the model could not be run.
        """
        ...


def load(name: str, file: Path | None = None) -> Runner:
    """Return a runner by its name.

    Args:
        name: qi8, onnx, or module:function.
        file: the model's content; callables can do without.

    Raises:
        RunnerError: there is no such runner, or it cannot load the file.
    """
    try:
        return _load(name, file)
    except (OSError, ValueError, TallystickError) as error:
        raise RunnerError(f"runner {name} cannot load {file or 'anything'}: {error}") from error


def load_or_find(name: str, file: Path | None) -> None:
    """Load a runner where its file is at hand; else see to it that there is one of this name.

    Args:
        name: qi8, onnx, or module:function.
        file: the model's content; None: it is pulled later.

    Raises:
        RunnerError: there is no such runner, or it cannot load the file.
    """
    if file is not None or ":" in name:
        load(name, file)
    elif name not in _NAMES:
        raise RunnerError(f"runner {name} cannot load a model: {_NONE_SUCH}")


def load_compare(name: str) -> Compare:
    """Return the comparison of a spec: a callable module:function, or exact bytes when empty."""
    return _named(name) if name else _same


def _load(name: str, file: Path | None) -> Runner:
    if ":" in name:
        return _Callable(name, _named(name))
    if name not in _NAMES:
        raise RunnerError(_NONE_SUCH)
    if file is None:
        raise RunnerError("it needs the model's file")
    if name == "qi8":
        from tallystick.replay.engine import Engine
        from tallystick.replay.model import Model

        model = Model.read(file)
        return _Sized(Engine(model), model.steps[0].in_size)
    from tallystick.models.runner import OnnxModel

    return OnnxModel(file)


class _Sized:
    """Inputs of one length."""

    def __init__(self, model: Any, size: int) -> None:
        self._model, self._size = model, size

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        _check_sizes(inputs, self._size)
        return list(self._model.infer(list(inputs)))


class _Callable:
    def __init__(self, name: str, function: Callable[[list[bytes]], Sequence[bytes]]) -> None:
        self._name, self._function = name, function

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        try:
            outputs = [bytes(output) for output in self._function(list(inputs))]
        except TallystickError:
            raise
        except Exception as error:
            raise RunnerError(f"{self._name} broke down: {error!r}") from error
        if len(outputs) != len(inputs):
            raise RunnerError(f"{self._name} gave {len(outputs)} outputs to {len(inputs)} inputs")
        return outputs


def _check_sizes(inputs: Sequence[bytes], size: int) -> None:
    for place, data in enumerate(inputs):
        if len(data) != size:
            raise InputRefusedError(f"input {place} is {len(data)} bytes; needed: {size}")


def _same(claimed: bytes, own: bytes) -> bool:
    return claimed == own


def _named(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except Exception as error:
        # A module may fail in any way while it is imported.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RunnerError(f"{name} cannot be loaded: {reason}") from error
    if not callable(found):
        raise RunnerError(f"{name} is not callable")
    return found  # type: ignore[no-any-return]
