"""A proxy as a process of its own, with the key of a requester."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account

from tallystick.demo.processes import free_port
from tests.support.patience import PATIENCE
from tests.support.story import KEY_OF, REQUESTERS

PASSPHRASE = "requester"


def write_keyfile(folder: Path) -> Path:
    """Write the first requester's keyfile, which opens at once; returns its path."""
    path = folder / "key.json"
    content = Account.encrypt(KEY_OF[REQUESTERS[0]], PASSPHRASE, "scrypt", iterations=2)
    path.write_text(json.dumps(content))
    return path


class ProxyProcess:
    """A proxy that may be killed and started again on the same folder.

    Args:
        folder: of its key, log and answers.
        options: of the command, but for its port and folder.
    """

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.answers, self.log = folder / "answers", folder / "proxy.log"
        keyfile = write_keyfile(folder)
        tool = Path(sys.executable).parent / "tallystick"
        self._command = [str(tool), "llm", "proxy", "--json", "--port", str(self.port)]
        self._command += ["--answers", str(self.answers), "--account", str(keyfile), *options]
        self._environment = os.environ | {
            "TALLYSTICK_PASSPHRASE": PASSPHRASE,
            "TALLYSTICK_CACHE": str(folder / "cache"),
        }
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
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if httpx.get(self.url).status_code == 401:
                    return
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self) -> httpx.Client:
        """Return a client that has the key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)

    def events(self, event: str) -> list[Any]:
        """Return the events of a kind in the log."""
        found = [json.loads(one) for one in self.log.read_text().splitlines() if one[:1] == "{"]
        return [one for one in found if one["event"] == event]
