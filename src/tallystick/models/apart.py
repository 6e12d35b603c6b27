"""Runs of an ONNX file by another kernel or build, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.child_environment import only
from tallystick.errors import RunnerError
from tallystick.models import worker
from tallystick.models.graph import Graph
from tallystick.models.maps import MapsSpec
from tallystick.models.runner import feed
from tallystick.models.tensors import encode

LEVELS = ("DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL")
"""onnxruntime's optimization levels."""
TIMEOUT = 600.0
"""Seconds for one process."""
_PASSED = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
"""Variables that the process has."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A way of running an ONNX file."""

    engine: str = "onnxruntime"
    """onnxruntime, or reference: onnx's own in numpy."""
    level: str = "ENABLE_ALL"
    """One of LEVELS."""
    threads: int = 1
    arena: bool = True
    """Memory is kept between nodes, by patterns."""
    together: int = 1
    """Inferences in one run."""
    coretype: str = ""
    """OPENBLAS_CORETYPE, by which numpy's matrix products choose a kernel; empty: the machine's."""
    python: str = field(default_factory=lambda: sys.executable)
    """The interpreter, or the folder of its environment."""

    def __str__(self) -> str:
        words = [self.engine, *([] if self.engine == "reference" else [self.level.lower()])]
        words += [f"threads {self.threads}"] if self.threads > 1 else []
        words += [] if self.arena else ["no arena"]
        words += [f"together {self.together}"] if self.together > 1 else []
        words += [self.coretype] if self.coretype else []
        words += [self.python] if self.python != sys.executable else []
        return ", ".join(words)


PLAIN = Kernel()
"""As a node runs it."""
SECOND = Kernel(level="DISABLE_ALL", arena=False)
"""Other kernels, where an optimized graph fuses nodes."""


class Answers(NamedTuple):
    """Answers of one process."""

    outputs: list[bytes]
    """Canonical, by the order of the inputs."""
    version: str
    """Of what ran them."""


def run_apart(
    file: Path, graph: Graph, inputs: Sequence[bytes], kernel: Kernel, timeout: float = TIMEOUT
) -> Answers:
    """Run a model on canonical inputs in a process of its own.

    Args:
        file: the graph's, with its weights beside it.
        graph: as read, with the sizes of the model's spec.
        inputs: canonical.
        kernel: by which it is run.
        timeout: seconds for all of it.

    Raises:
        InputRefusedError: an input is not canonical.
        RunnerError: the process could not be run, did not end in time, or gave another shape.
    """
    with tempfile.TemporaryDirectory(prefix="tallystick-") as folder:
        feeds, answers = Path(folder, "feeds.npz"), Path(folder, "answers.npz")
        np.savez(feeds, **_arrays(graph, inputs))
        job = {
            "model": str(file.absolute()),
            "feeds": str(feeds),
            "answers": str(answers),
            "count": len(inputs),
            "inputs": [one.name for one in graph.inputs],
            "outputs": [one.name for one in graph.outputs],
            "engine": kernel.engine,
            "level": kernel.level,
            "threads": kernel.threads,
            "arena": kernel.arena,
            "together": kernel.together,
        }
        version = _run(job, Path(folder, "job.json"), kernel, timeout)
        with np.load(answers, allow_pickle=False) as found:
            return Answers([_output(graph, found, place) for place in range(len(inputs))], version)


def _run(job: dict[str, Any], path: Path, kernel: Kernel, timeout: float) -> str:
    path.write_text(json.dumps(job))
    python = Path(kernel.python)
    command = [str(python / "bin" / "python" if python.is_dir() else python), "-I"]
    environment = only(*_PASSED)
    if kernel.coretype:
        environment["OPENBLAS_CORETYPE"] = kernel.coretype
    try:
        done = subprocess.run(
            [*command, str(worker.__file__), str(path)],
            capture_output=True,
            env=environment,
            timeout=timeout,
            check=False,
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reason = " ".join(str(error).split())
        raise RunnerError(f"{kernel}: its process gave no answer: {reason}") from error
    if "error" in told:
        raise RunnerError(f"{kernel}: {told['error']}")
    return str(told["version"])


def _arrays(graph: Graph, inputs: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    found = {}
    for place, data in enumerate(inputs):
        for number, value in enumerate(feed(graph, place, data).values()):
            found[f"{place}.{number}"] = value.astype(str) if value.dtype.kind == "O" else value
    return found


def _output(graph: Graph, found: Any, place: int) -> bytes:
    values = [
        _maps(found, f"{place}.{number}")
        if isinstance(spec, MapsSpec)
        else found[f"{place}.{number}"]
        for number, spec in enumerate(graph.outputs)
    ]
    return encode(graph.outputs, values)


def _maps(found: Any, key: str) -> list[dict[Any, Any]]:
    keys, values = found[f"{key}.keys"].tolist(), found[f"{key}.values"].tolist()
    maps, start = [], 0
    for size in found[f"{key}.sizes"].tolist():
        end = start + size
        maps.append(dict(zip(keys[start:end], values[start:end], strict=True)))
        start = end
    return maps
