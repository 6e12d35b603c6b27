"""An environment with another version of onnxruntime than the one that is installed."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builds import ROOT

VERSION = "1.20.1"
FOLDER = ROOT / ".cache" / "other-onnxruntime" / VERSION
_READY = FOLDER.with_suffix(".ready")


def other_onnxruntime() -> Path:
    """Return the folder of the environment, made once; skip where the registry isn't reachable."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _READY.exists():
            _make()
            _READY.touch()
    return FOLDER


def _make() -> None:
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv, which makes environments, is not installed")
    python = FOLDER / "bin" / "python"
    for line in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, FOLDER],
        [uv, "pip", "install", "--quiet", "--python", python, f"onnxruntime=={VERSION}"],
    ):
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = " ".join(done.stderr.split())[:300]
            pytest.skip(f"onnxruntime {VERSION} can't be had from the registry: {reason}")
