"""Audits that are on chain: read back from the calldata by which they were attested.

Whoever signed an audit whose draw held a leaf that convicted the batch loses its stake.
"""

from collections.abc import Iterator

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.exceptions import TransactionNotFound

from tallystick.batch import Batch
from tallystick.chain.abi import contract
from tallystick.chain.call import Call
from tallystick.chain.panel import Panel
from tallystick.committee import Audit, packed
from tallystick.draw import draw
from tallystick.errors import FieldError
from tallystick.keccak import keccak256
from tallystick.node.verifier.journal import Journal

_TOPIC = keccak256(b"BatchAttested(bytes32,address,bytes32,uint8)")
_HEAD = 4 * 32


def conviction(
    w3: Web3, panel: Panel, journal: Journal, batch: Batch, leaf_index: int, own: int | None
) -> Call | None:
    """Return the call that burns the stake of who audited a leaf that convicted its batch.

    Args:
        w3: connected.
        panel: the committee that audited.
        journal: that has the core's logs.
        batch: rejected by a ruling or a disproof.
        leaf_index: the leaf that did.
        own: this node's place in the committee: it does not convict itself. None: it has none.
    """
    for tx_hash, _ in journal.logged(_TOPIC, batch.id()):
        for audit, signatures in _audits(w3, tx_hash, batch):
            drawn = draw(audit.seed, audit.batch_id, audit.drawn, batch.count)
            if leaf_index in drawn and own not in signatures:
                return panel.call("convict", audit.abi(), packed(signatures))
    return None


def _audits(w3: Web3, tx_hash: bytes, batch: Batch) -> Iterator[tuple[Audit, dict[int, bytes]]]:
    """Yield the audit of the batch that a transaction brought; none if it did so in another way."""
    functions = contract("Tallystick").functions()
    try:
        data = bytes(w3.eth.get_transaction("0x" + tx_hash.hex())["input"])  # type: ignore[arg-type]
    except TransactionNotFound:
        return
    for name in ("attest", "commitAttested"):
        function = functions[name]
        if data[:4] != function.selector:
            continue
        try:
            evidence = decode(function.inputs, data[4:])[-1]
            audit = Audit(
                evidence[:32],
                evidence[32:64],
                int.from_bytes(evidence[64:96], "big"),
                bool(int.from_bytes(evidence[96:_HEAD], "big")),
            )
        except (DecodingError, FieldError):
            return
        if audit.batch_id == batch.id():
            yield audit, _unpacked(evidence[_HEAD:])


def _unpacked(signatures: bytes) -> dict[int, bytes]:
    """Return signatures by the signer's place.

    >>> _unpacked(packed({2: b"xyz", 0: b"a"}))
    {0: b'a', 2: b'xyz'}
    """
    found, at = {}, 0
    while at + 3 <= len(signatures):
        size = int.from_bytes(signatures[at + 1 : at + 3], "big")
        found[signatures[at]] = signatures[at + 3 : at + 3 + size]
        at += 3 + size
    return found
