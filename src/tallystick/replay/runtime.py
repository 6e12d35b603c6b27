"""onnxruntime, on one thread and without its warnings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tallystick.replay.errors import UnportableError


def session(model: onnx.ModelProto, options: Any = None) -> Any:
    """Return an onnxruntime session on the CPU.

    Args:
        model: any.
        options: onnxruntime's SessionOptions; None: its own.

    Raises:
        UnportableError: onnxruntime cannot load the model.
    """
    return _session(model.SerializeToString(), options)


def session_of(file: Path) -> Any:
    """Return a session of a file, and of the weights beside it; see session for errors."""
    return _session(str(file))


def _session(source: bytes | str, options: Any = None) -> Any:
    options = options or onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _refusal(error) from error


def run(started: Any, name: str, values: NDArray[Any]) -> list[NDArray[Any]]:
    """Return a session's outputs for one input, by its name; see run_named for errors."""
    return run_named(started, {name: values})


def run_named(started: Any, values: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return a session's outputs for its inputs, by their names.

    Raises:
        UnportableError: onnxruntime cannot run the model.
    """
    try:
        outputs: list[NDArray[Any]] = started.run(None, dict(values))
    except Exception as error:
        raise _refusal(error) from error
    return outputs


def _refusal(error: Exception) -> UnportableError:
    # Its exceptions have no common base, and their texts may take several lines.
    reason = " ".join(str(error).split())
    return UnportableError("graph", f"onnxruntime refuses it ({reason})", "a file that it runs")
