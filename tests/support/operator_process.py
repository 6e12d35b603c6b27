"""An operator's node as a process of its own, with a key of the development mnemonic.

`python -m tests.support.operator_process SETTINGS ACCOUNT`; the chain is the settings' rpc.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from tallystick.chain.localnet import MNEMONIC
from tallystick.chain.sender import Web3Sender
from tallystick.protocol.hexes import to_hex
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE

Account.enable_unaudited_hdwallet_features()


def dev_account(number: int) -> LocalAccount:
    """Return an account of the development mnemonic."""
    account: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
    return account


class OperatorProcess:
    """A node that may be killed and started again on the same folder.

    Args:
        folder: of its settings, journal, store and log.
        settings: of the two sections; port and data are filled in.
        account: number of its account.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], account: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{port}"
        self.folder, self.path, self.log = folder, folder / "node.yaml", folder / "node.log"
        settings = {section: dict(fields) for section, fields in settings.items()}
        settings["common"].setdefault("data", str(folder))
        settings["operator"]["port"] = port
        self.path.write_text(yaml.safe_dump(settings))
        self._account = account
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(
        self, command: list[str] | None = None, environment: dict[str, str] | None = None
    ) -> None:
        """Start, by another command or environment when one is given, and do not wait."""
        module = [sys.executable, "-m", "tests.support.operator_process"]
        command = command or [*module, str(self.path), str(self._account)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=log,
                stdout=log,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(httpx.TransportError):
                if self.client.get("/").json()["ready"]:
                    return
            assert self.process is not None and self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End it as an init system does; returns the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)

    def events(self, event: str) -> list[str]:
        """Return the lines of the log that tell of an event."""
        return [line for line in self.log.read_text().splitlines() if f'"event": "{event}"' in line]

    def receipts(self, requests: list[bytes]) -> list[Any]:
        """Ask where requests stand."""
        body = {"requests": [to_hex(one) for one in requests]}
        found: list[Any] = self.client.post("/receipts", json=body).json()["receipts"]
        return found


@contextlib.contextmanager
def running(node: OperatorProcess) -> Iterator[OperatorProcess]:
    """Have a node run; it is gone at the end."""
    try:
        node.start()
        yield node
    finally:
        if node.process is not None and node.process.poll() is None:
            node.kill()
        node.client.close()


def main() -> None:
    from tallystick.chain.signer import KeySigner
    from tallystick.node.operator.process import run_operator
    from tallystick.node.settings import Settings

    settings = Settings.load(Path(sys.argv[1]))
    w3 = Web3(HTTPProvider(settings.common.rpc, request_kwargs={"timeout": 10}))
    account = dev_account(int(sys.argv[2]))
    run_operator(settings, w3, Web3Sender(w3, account), KeySigner(account))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
