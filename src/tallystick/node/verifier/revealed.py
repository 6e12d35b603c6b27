"""Leaves that operators revealed on chain: read from the calldata of the transactions that did."""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.exceptions import TransactionNotFound

from tallystick.batch import Batch
from tallystick.chain.abi import contract
from tallystick.errors import TallystickError
from tallystick.hexes import from_hex
from tallystick.inference import Inference
from tallystick.keccak import keccak256
from tallystick.node.verifier.journal import Journal
from tallystick.opening import Opening
from tallystick.record import Record

_TOPIC = keccak256(
    b"LeafRevealed(bytes32,address,bytes32,uint256,bytes32,uint256,uint256)",
)


class Revealed:
    """What reveals opened.

    A reveal through another contract is passed over: its calldata are in no transaction.

    Args:
        w3: connected.
        core: its address, 20 bytes.
        journal: that has the core's logs.
    """

    def __init__(self, w3: Web3, core: bytes, journal: Journal) -> None:
        self._w3, self._core, self._journal = w3, core, journal
        self._read: dict[bytes, tuple[Opening, Record] | None] = {}

    def of(self, batch: Batch) -> list[tuple[Opening, Record]]:
        """Return the leaves of a batch that were revealed, found to be the batch's."""
        found = []
        for tx_hash, _ in self._journal.logged(_TOPIC, batch.id()):
            if tx_hash not in self._read:
                self._read[tx_hash] = self._decode(tx_hash, batch)
            leaf = self._read[tx_hash]
            if leaf is not None:
                found.append(leaf)
        return found

    def _decode(self, tx_hash: bytes, batch: Batch) -> tuple[Opening, Record] | None:
        function = contract("Tallystick").functions()["reveal"]
        try:
            sent = self._w3.eth.get_transaction("0x" + tx_hash.hex())  # type: ignore[arg-type]
        except TransactionNotFound:
            return None
        data = bytes(sent["input"])
        if from_hex(str(sent.get("to") or "")) != self._core or data[:4] != function.selector:
            return None
        try:
            _, opened, signature, input_, output = decode(function.inputs, data[4:])
            (requester, *rest), index, proof = opened
            inference = Inference(batch.model_id, batch.operator, from_hex(requester, 20), *rest)
            opening = Opening(inference, index, tuple(proof))
            opening.check(batch)
        except (DecodingError, TallystickError):
            return None
        record = Record(
            inference.input_hash,
            inference.output_hash,
            inference.requester,
            inference.nonce,
            inference.deadline,
            inference.trace_root,
            signature,
            _kept(input_, inference.input_hash),
            _kept(output, inference.output_hash),
        )
        return opening, record


def _kept(data: bytes, digest: bytes) -> bytes | None:
    """Return bytes that came along with the leaf: none did where the demand asked for none."""
    return data if keccak256(data) == digest else None
