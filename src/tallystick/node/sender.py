"""One account, several processes: one transaction at a time, so that no nonce is used twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.chain.call import Call
from tallystick.chain.sender import Sender, Sent
from tallystick.eip712 import Domain
from tallystick.node.metrics import Metrics


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; waits for it. It is free once its holder is gone, killed or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class LockedSender:
    """Sends as another sender does, from the nonce to the block under a lock.

    Args:
        sender: whose account it is.
        folder: of the lock; all processes that send from the account on the chain share it.
        chain_id: the chain's.
        metrics: counts what was sent.
    """

    def __init__(self, sender: Sender, folder: Path, chain_id: int, metrics: Metrics) -> None:
        self._sender, self._metrics = sender, metrics
        self._lock = folder / f"sender-{chain_id}-{sender.address.hex()}.lock"

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return self._sender.address

    def simulate(self, call: Call) -> int:
        """As of Sender."""
        return self._sender.simulate(call)

    def send(self, call: Call) -> Sent:
        """As of Sender."""
        with locked(self._lock):
            sent = self._sender.send(call)
        self._metrics.transactions.labels(call.name).inc()
        self._metrics.gas.labels(call.name).inc(sent.gas_used)
        return sent

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """As of Sender."""
        return self._sender.sign(domain, struct_hash)
