"""Whatever runs a model on canonical bytes; operators answer with it, verifiers check with it.

Runners by name: qi8 (a QI8-1 file), onnx (an ONNX file, see tallystick.models), zk (the folder of
a circuit, see tallystick.zk), llm (a GGUF file, which answers and is judged in other ways: see
tallystick.llm), or a callable as module:function that takes a list of inputs and returns a list of
outputs; it raises InputRefusedError for an input that the model's spec does not allow.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tallystick.errors import FieldError, InputRefusedError, RunnerError, TallystickError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.verdicts import GOOD, Judged, Verdict

if TYPE_CHECKING:
    from tallystick.models.comparison import Comparison
    from tallystick.models.runner import OnnxModel
    from tallystick.zk.model import ZkModel

_NAMES = ("qi8", "onnx", "zk")
_NONE_SUCH = "there is none of this name; needed: qi8, onnx, zk, llm, module:function"


class Runner(Protocol):
    """A model, ready to run."""

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the canonical output of each canonical input.

        Raises:
            InputRefusedError: an input is not canonical; none was run.
            RunnerError: the model could not be run.
        """
        ...


class Judge(Protocol):
    """A spec's comparison, ready to judge."""

    def judge(
        self, inputs: Sequence[bytes], claimed: Sequence[bytes], own: Sequence[bytes]
    ) -> list[Judged]:
        """Return the verdict on each claimed output of an input, beside one's own.

        Raises:
            RunnerError: the model could not be run once more.
        """
        ...


def load(name: str, file: Path | None = None) -> Runner:
    """Return a runner by its name.

    Args:
        name: qi8, onnx, zk, or module:function.
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
        name: qi8, onnx, zk, or module:function.
        file: the model's content; None: it is pulled later.

    Raises:
        RunnerError: there is no such runner, or it cannot load the file.
    """
    if file is not None or ":" in name:
        load(name, file)
    elif name not in _NAMES:
        raise RunnerError(f"runner {name} cannot load a model: {_NONE_SUCH}")


def check_spec(file: Path) -> None:
    """See to it that a spec can be read, before it is known which one is registered.

    Raises:
        RunnerError: it is broken, or not there.
    """
    from tallystick.models.spec import OnnxSpec, is_onnx_spec

    try:
        text = file.read_bytes()
        if is_onnx_spec(text):
            OnnxSpec.parse(text)
    except (OSError, ValueError) as error:
        raise RunnerError(f"spec {file} cannot be loaded: {error}") from error


def load_judge(name: str) -> Judge:
    """Return a comparison of one's own making.

    Args:
        name: module:function, of the claimed and the own output, that returns whether they are the
            same under the model's spec, or a Verdict, or Judged; empty: exact bytes.

    Raises:
        RunnerError: there is no such function.
    """
    return _Function(name, _named(name) if name else _same)


def load_served_onnx(file: Path, spec: Path | None, spec_hash: bytes) -> Runner:
    """Return an ONNX model under its registered spec.

    Args:
        file: the model's content.
        spec: file of the text that was registered; None: that of an integer graph.
        spec_hash: as registered, 32 bytes.

    Raises:
        RunnerError: the text is another one, or does not fit the graph; the graph is refused, or is
            not integer where bytes are compared.
    """
    return _onnx(file, spec, spec_hash)[0]


def load_onnx(
    file: Path, spec: Path | None, spec_hash: bytes, comparison: str = "", second: str = ""
) -> tuple[Runner, Judge]:
    """Return an ONNX model under its registered spec, and what judges its answers.

    Args:
        file, spec, spec_hash: see load_served_onnx.
        comparison: see load_judge; for a spec that is not ONNX-1.
        second: a Python, or the folder of its environment, with another onnxruntime, that runs
            once more what seems wrong; empty: this one, with other kernels.

    Raises:
        RunnerError: as of load_served_onnx, or nothing says how answers are compared.
    """
    from tallystick.models.apart import SECOND
    from tallystick.models.opinion import SecondOpinion

    model, known = _onnx(file, spec, spec_hash)
    if comparison:
        compare = _Function(comparison, _named(comparison)).compare
    elif known is not None:
        compare = known.judge
    else:
        raise RunnerError(f"{spec} is not ONNX-1; needed: comparison, as module:function")
    kernel = replace(SECOND, python=second) if second else SECOND
    return model, SecondOpinion(file, model.graph, compare, kernel)


def _onnx(
    file: Path, spec: Path | None, spec_hash: bytes
) -> tuple["OnnxModel", "Comparison | None"]:
    """Return a model and the comparison of its spec; None: of a spec in words of its own."""
    from tallystick.models.opinion import comparison_of
    from tallystick.models.runner import OnnxModel
    from tallystick.models.spec import OnnxSpec, is_onnx_spec

    try:
        text = OnnxSpec().text.encode() if spec is None else spec.read_bytes()
        if keccak256(text) != spec_hash:
            told = f"{spec} is another text" if spec else "no spec is named"
            raise RunnerError(f"{told}; needed: the spec whose keccak256 is {to_hex(spec_hash)}")
        if not is_onnx_spec(text):
            return OnnxModel(file), None
        known = OnnxSpec.parse(text)
        model = OnnxModel(file, known.sizes)
        return model, comparison_of(file, model.graph, known)
    except (OSError, ValueError, TallystickError) as error:
        raise RunnerError(f"runner onnx cannot load {file}: {error}") from error


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
    if name == "zk":
        from tallystick.zk.model import ZkModel

        return _Circuit(ZkModel.load(file))
    from tallystick.models.runner import OnnxModel

    return OnnxModel(file)


class _Sized:
    """Inputs of one length."""

    def __init__(self, model: Any, size: int) -> None:
        self._model, self._size = model, size

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        _check_sizes(inputs, self._size)
        return list(self._model.infer(list(inputs)))


class _Circuit:
    """A circuit; its witness of an input has the output, always the same one."""

    def __init__(self, model: "ZkModel") -> None:
        self._model = model

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        from tallystick.zk.errors import ZkError

        try:
            return self._model.answers(inputs)
        except FieldError as error:
            raise InputRefusedError(str(error)) from error
        except ZkError as error:
            raise RunnerError(str(error)) from error


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


class _Function:
    """Judges by a function of the claimed and the own output."""

    def __init__(self, name: str, function: Callable[[bytes, bytes], Any]) -> None:
        self._name, self._function = name, function

    def judge(
        self, inputs: Sequence[bytes], claimed: Sequence[bytes], own: Sequence[bytes]
    ) -> list[Judged]:
        return [self.compare(*pair) for pair in zip(claimed, own, strict=True)]

    def compare(self, claimed: bytes, own: bytes) -> Judged:
        try:
            found = self._function(claimed, own)
        except TallystickError:
            raise
        except Exception as error:
            raise RunnerError(f"{self._name} broke down: {error!r}") from error
        if isinstance(found, Judged):
            return found
        if isinstance(found, Verdict):
            return Judged(found) if found is not Verdict.WRONG else _WRONG
        return GOOD if found else _WRONG


_WRONG = Judged(Verdict.WRONG, float("inf"), "another output")


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
