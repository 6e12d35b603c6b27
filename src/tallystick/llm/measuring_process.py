"""Measuring by a runtime in a process of its own: another class of kernels, or another build.

A process can hold one runtime with one class of kernels, so a second opinion needs a second
process. Lines of JSON go there and back.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tallystick.child_environment import only
from tallystick.closing import Closing
from tallystick.llm.engine.errors import EngineError
from tallystick.llm.engine.release import PINNED, SECOND, Kernel, Release
from tallystick.llm.measuring import Measurement
from tallystick.llm.sampler import Sampling


@dataclass(frozen=True, slots=True)
class Runtime:
    """A build of llama.cpp with kernels of one class."""

    kernel: Kernel
    release: Release = PINNED
    folder: Path | None = None
    """Of its libraries; None: where they are looked for."""

    def __str__(self) -> str:
        return f"{self.release.package}, {self.kernel}"


class MeasuringProcess(Closing):
    """A model in another process, started when it is first needed; one measurement at a time.

    Args:
        file: GGUF.
        context: most tokens of prompt and answer.
        runtime: which the process loads.
    """

    def __init__(self, file: Path, context: int, runtime: Runtime) -> None:
        self.runtime = runtime
        self._first = {
            "file": str(file),
            "context": context,
            "kernel": runtime.kernel.value,
            "package": runtime.release.package,
            "folder": None if runtime.folder is None else str(runtime.folder),
        }
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def measure(
        self,
        prompt: Sequence[int],
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        decoding: bool = False,
    ) -> Measurement:
        """Measure an answer, as `tallystick.llm.measuring.measure` or `measure_decoding`.

        Raises:
            EngineError: the process cannot run the model, or ended.
        """
        asked = {
            "prompt": list(prompt),
            "tokens": list(tokens),
            "sampling": {**asdict(sampling), "seed": sampling.seed.hex()},
            "decoding": decoding,
        }
        with self._lock:
            found = self._ask(asked)
        return Measurement(tuple(found["margins"]), found["mismatches"])

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, asked: Any) -> Any:
        if self._process is None or self._process.poll() is not None:
            self._process = self._started()
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            code = self._end()
            raise EngineError(f"the process of {self.runtime} ended with exit code {code}")
        found = json.loads(line)
        if "error" in found:
            raise EngineError(f"{self.runtime}: {found['error']}")
        return found

    def _started(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tallystick.llm.measuring_process", json.dumps(self._first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=only("PATH", "PYTHONPATH", "TALLYSTICK_LLAMA"),
        )

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it was sent and did not read
                    pipe.close()
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def main() -> None:
    """Answer lines of JSON until there are no more."""
    from tallystick.errors import TallystickError
    from tallystick.llm.engine.batching import Batching
    from tallystick.llm.engine.context import Context
    from tallystick.llm.engine.library import Library
    from tallystick.llm.engine.model import Model
    from tallystick.llm.measuring import measure, measure_decoding

    first = json.loads(sys.argv[1])
    release = next(one for one in (PINNED, SECOND) if one.package == first["package"])
    folder = None if first["folder"] is None else Path(first["folder"])
    engine: Batching | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if engine is None:
                library = Library.open(Kernel(first["kernel"]), folder, release)
                # Whoever started this process outlives it: no other one goes first.
                model = Model.open(library, Path(first["file"]), trial_s=None)
                engine = Batching(Context(model, first["context"], slots=1))
            way = measure_decoding if asked["decoding"] else measure
            sampling = {**asked["sampling"], "seed": bytes.fromhex(asked["sampling"]["seed"])}
            found = way(engine, asked["prompt"], asked["tokens"], Sampling(**sampling))
            said: Any = {"margins": found.margins, "mismatches": found.mismatches}
        except (TallystickError, OSError) as error:
            said = {"error": " ".join(str(error).split())}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
