"""A local chain of one's own: anvil under this process, gone with it."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

from web3 import HTTPProvider, Web3

from tallystick.errors import LocalnetError as LocalnetError

MNEMONIC = "test test test test test test test test test test test junk"
"""The well-known development mnemonic: anybody has its keys."""


@contextlib.contextmanager
def localnet(
    accounts: int = 10, timestamp: int | None = None, chain_id: int = 31337, timeout: float = 20
) -> Iterator[Web3]:
    """Run anvil under Osaka's rules on a free port of this machine, and take it down at the end.

    Args:
        accounts: how many accounts of the development mnemonic have 10,000 coins.
        timestamp: Unix seconds of the genesis block; None for now. Fixed, runs repeat to the byte.
        chain_id: EIP-155 chain id.
        timeout: seconds to wait for the first answer.

    Yields:
        A connected Web3; a block comes with each transaction. The states of the latest 3,600
        blocks or so can be read, reverted blocks counted.

    Raises:
        LocalnetError: anvil is not on PATH (`make setup` installs it), or does not answer in time.
    """
    binary = shutil.which("anvil")
    if binary is None:
        raise LocalnetError("anvil is not on PATH; `make setup` installs it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary, "--silent", "--hardfork", "osaka", "--port", str(port)]
    command += ["--chain-id", str(chain_id), "--accounts", str(accounts), "--mnemonic", MNEMONIC]
    if timestamp is not None:
        command += ["--timestamp", str(timestamp)]
    # Old states, a megabyte each, which it would leave behind in the home folder.
    states = tempfile.TemporaryDirectory(prefix="tallystick-localnet-", ignore_cleanup_errors=True)
    command += ["--cache-path", states.name]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        w3 = Web3(HTTPProvider(f"http://127.0.0.1:{port}", request_kwargs={"timeout": 60}))
        deadline = time.monotonic() + timeout
        while not w3.is_connected():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalnetError(f"anvil did not answer on port {port} within {timeout} s")
            time.sleep(0.05)
        yield w3
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        states.cleanup()


def set_next_timestamp(w3: Web3, timestamp: int) -> None:
    """Give the next block this time, in Unix seconds."""
    _anvil(w3, "evm_setNextBlockTimestamp", timestamp)


def mine(w3: Web3, blocks: int = 1, interval: int = 1) -> None:
    """Mine empty blocks, `interval` seconds apart."""
    _anvil(w3, "anvil_mine", hex(blocks), hex(interval))


def advance(w3: Web3, seconds: int) -> None:
    """Let time pass: the next block, mined at once, is `seconds` later than the latest."""
    set_next_timestamp(w3, int(w3.eth.get_block("latest")["timestamp"]) + seconds)
    mine(w3)


def _anvil(w3: Web3, method: str, *params: object) -> None:
    answer = w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
    if "error" in answer:
        raise LocalnetError(f"{method}: {answer['error']}")
