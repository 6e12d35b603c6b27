"""onnxruntime, on one thread and without its warnings."""

from typing import Any

import onnx
import onnxruntime  # type: ignore[import-untyped]

from tallystick.replay.errors import UnportableError


def session(model: onnx.ModelProto) -> Any:
    """Return an onnxruntime session on the CPU.

    Raises:
        UnportableError: onnxruntime cannot load the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        reason = str(error).strip().splitlines()[-1]
        raise UnportableError("graph", f"onnxruntime refuses it ({reason})", "a valid file") from (
            error
        )
