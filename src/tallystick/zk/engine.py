"""EZKL in a process of its own: with a cap in time and memory, and killed with whoever waits."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from tallystick.child_environment import only
from tallystick.zk import worker
from tallystick.zk.errors import UnwantedError, ZkError

_PASSED = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR", "RAYON_NUM_THREADS", "SYSTEMROOT")
_LOOK_EVERY = 0.25
"""Seconds between two questions whether a step is still wanted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most that one step may take."""

    seconds: float = 600.0
    memory: int = 16 << 30
    """Bytes of address space; 0: no limit."""
    is_unwanted: Callable[[], bool] = lambda: False
    """Asked while a step runs; once it says so, the step is killed."""


LIMITS = Limits()


def run(step: str, limits: Limits, **job: Any) -> Any:
    """Run a step of zk/worker.py and return its result.

    Args:
        step: its name.
        limits: of the process.
        job: its arguments; paths as text. Scratch files are put in a folder that goes at the end.

    Raises:
        ZkError: it failed, took too long or too much memory; the reason is its last line.
        UnwantedError: it was killed, for nobody wants its result any more.
    """
    with tempfile.TemporaryDirectory(prefix="tallystick-zk-") as folder:
        scratch = {
            name: str(Path(folder, name)) for name in ("answer", "data", "witness", "proof", "abi")
        }
        file = Path(folder, "job.json")
        own = {"step": step, "memory": limits.memory, "parent": os.getpid()}
        whole = {**scratch, **job, **own}
        file.write_text(json.dumps(whole))
        command = [sys.executable, "-I", str(worker.__file__), str(file)]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=only(*_PASSED),
            cwd=folder,
        ) as process:
            try:
                told = _ended(process, step, limits)
            except BaseException:
                process.kill()
                raise
        done = subprocess.CompletedProcess(command, process.returncode, stderr=told)
        if done.returncode or not Path(scratch["answer"]).exists():
            raise ZkError(f"{step} failed: {_reason(done, limits)}")
        return json.loads(Path(scratch["answer"]).read_text())


def _ended(process: "subprocess.Popen[str]", step: str, limits: Limits) -> str:
    """Return what a process wrote to stderr, once it has ended."""
    end = monotonic() + limits.seconds
    while True:
        try:
            left = max(0.0, end - monotonic())
            return process.communicate(timeout=min(_LOOK_EVERY, left))[1]
        except subprocess.TimeoutExpired as error:
            if limits.is_unwanted():
                raise UnwantedError(f"{step} was stopped") from error
            if monotonic() >= end:
                raise ZkError(f"{step} took more than {limits.seconds:g} seconds") from error


def _reason(done: "subprocess.CompletedProcess[str]", limits: Limits) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode < 0 or any("memory allocation" in line for line in lines):
        return (
            f"it ended by signal {-done.returncode}, with {limits.memory / 2**30:g} GiB allowed"
            if done.returncode < 0
            else f"it needs more than {limits.memory / 2**30:g} GiB"
        )
    if any("ModuleNotFoundError" in line and "ezkl" in line for line in lines):
        return "ezkl is not installed; needed: pip install 'tallystick[zk]'"
    return lines[-1] if lines else f"exit status {done.returncode}"
