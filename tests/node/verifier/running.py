"""Verifiers as processes of their own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.node.verifier.stage import Stage
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE


class Running:
    """One verifier's process, and what it logs."""

    def __init__(self, stage: Stage, number: int, folder: Path, settings: dict[str, Any]) -> None:
        self.number, self.log = number, folder / f"verifier-{number}.log"
        self._file = folder / f"verifier-{number}.yaml"
        settings["common"]["account"] = f"TEST::{number}"
        self._file.write_text(yaml.safe_dump(settings))
        self.begin()

    def begin(self) -> None:
        """Start, for the first time or anew."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["ape", "run", "node", "verifier", "--settings", str(self._file)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """As kill -9, workers included only by their own watching."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.begin()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def text(self) -> str:
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def running(stage: Stage, numbers: tuple[int, ...], **changes: Any) -> Iterator[list[Running]]:
    """Run verifiers of these accounts; changes of their settings' sections by name."""
    common = changes.pop("common", {})
    started = []
    try:
        for number in numbers:
            settings = stage.settings(f"verifier {number}", **changes)
            settings["common"] |= common
            started.append(Running(stage, number, stage.folder, settings))
        yield started
    finally:
        for one in started:
            one.end()


def until(true: Callable[[], bool], what: str, *logs: Running) -> None:
    """Wait until something is true; show the processes' logs when it does not become so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline or any(one.process.poll() is not None for one in logs):
            said = "\n".join(f"--- {one.number}\n{one.text()[-4000:]}" for one in logs)
            raise AssertionError(f"not within {PATIENCE:g} s: {what}\n{said}")
        time.sleep(0.1)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server; yields its URL."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [binary, "--port", str(port), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()
