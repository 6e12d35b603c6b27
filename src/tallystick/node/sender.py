"""One account, several processes: one transaction at a time, so that no nonce is used twice."""

from pathlib import Path

from tallystick.chain.call import Call
from tallystick.chain.sender import Sender, Sent
from tallystick.node.metrics import Metrics
from tallystick.protocol.eip712 import Domain
from tallystick.storage.file_lock import locked


def sender_lock(folder: Path, chain_id: int, account: bytes) -> Path:
    """Return the lock that all who send from an account on a chain share.

    Args:
        folder: that they share.
        chain_id: the chain's.
        account: 20 bytes.
    """
    return folder / f"sender-{chain_id}-{account.hex()}.lock"


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
        self.lock = sender_lock(folder, chain_id, sender.address)
        """The lock's file."""

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return self._sender.address

    def simulate(self, call: Call) -> int:
        """See Sender."""
        return self._sender.simulate(call)

    def send(self, call: Call) -> Sent:
        """See Sender."""
        with locked(self.lock):
            sent = self._sender.send(call)
        self._metrics.transactions.labels(call.name).inc()
        self._metrics.gas.labels(call.name).inc(sent.gas_used)
        return sent

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        """See Sender."""
        return self._sender.sign(domain, struct_hash)
