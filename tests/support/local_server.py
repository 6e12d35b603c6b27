"""A server of one user on this machine as a process of its own, behind the key that it made."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from tallystick.demo.processes import free_port
from tests.support.patience import PATIENCE


class LocalServer:
    """A server that may be killed and started again on the same folder.

    Args:
        folder: of its key, log and answers; made when it is missing.
        command: of `tallystick`, with its options but for --json, --port and --answers.
        environment: variables beside those that are there.
    """

    def __init__(self, folder: Path, command: Sequence[str], **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.answers, self.log = folder / "answers", folder / "proxy.log"
        tool = str(Path(sys.executable).parent / "tallystick")
        self._command = [tool, *command, "--json"]
        self._command += ["--port", str(self.port), "--answers", str(self.answers)]
        self._environment = os.environ | environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def key(self) -> str:
        """The key that clients give."""
        return (self.answers / "proxy.key").read_text().strip()

    def start(self) -> None:
        """Start, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.until(self._answers)

    def kill(self, signal_number: int = signal.SIGKILL) -> int:
        """End it, by kill -9 unless told otherwise; returns its status."""
        assert self.process is not None
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)

    def client(self) -> httpx.Client:
        """Return a client that has the key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)

    def events(self, event: str) -> list[Any]:
        """Return the events of a kind in the log."""
        found = [json.loads(one) for one in self.log.read_text().splitlines() if one[:1] == "{"]
        return [one for one in found if one["event"] == event]

    def until(self, said: Callable[[], object]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not said():
            assert self.process is None or self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url).status_code == 401
        except httpx.TransportError:
            return False
