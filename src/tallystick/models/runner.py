"""An ONNX model as a runner: each inference alone, all outputs, in canonical bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tallystick.errors import InputRefusedError, RunnerError
from tallystick.models.graph import Graph
from tallystick.models.tensors import decode, encode


class OnnxModel:
    """A model that onnxruntime runs on one thread of the CPU.

    Args:
        file: the graph's; weights in other files are found beside it.
        sizes: free ones that the model's spec fixes, see Graph.read.

    Raises:
        ModelRefusedError: what it answers can't be judged, see Graph.read.
        UnportableError: onnxruntime cannot load it.
        OSError: the file cannot be read.
    """

    def __init__(self, file: Path, sizes: Mapping[str, int] | None = None) -> None:
        from tallystick.replay.runtime import session_of

        self.graph = Graph.read(file, sizes)
        self._session = session_of(file)

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the canonical output of each canonical input.

        Raises:
            InputRefusedError: an input is not canonical; none was run.
            RunnerError: onnxruntime failed, or answered in another shape than the graph says.
        """
        feeds = [feed(self.graph, place, data) for place, data in enumerate(inputs)]
        return [self._run(one) for one in feeds]

    def _run(self, given: dict[str, Any]) -> bytes:
        # One at a time: float sums, and scales that are chosen while it runs, depend on what else
        # is in the batch.
        try:
            outputs = self._session.run([spec.name for spec in self.graph.outputs], given)
        except Exception as error:
            reason = " ".join(str(error).split())
            raise RunnerError(f"onnxruntime broke down: {reason}") from error
        return encode(self.graph.outputs, outputs)


def feed(graph: Graph, place: int, data: bytes) -> dict[str, Any]:
    """Return the tensors of a canonical input, by their names.

    Args:
        graph: the model's.
        place: of the input among others, for the error.
        data: canonical.

    Raises:
        InputRefusedError: it is not canonical.
    """
    try:
        values = decode(graph.inputs, data)
    except InputRefusedError as error:
        raise InputRefusedError(f"input {place}: {error}") from error
    return {spec.name: value for spec, value in zip(graph.inputs, values, strict=True)}
