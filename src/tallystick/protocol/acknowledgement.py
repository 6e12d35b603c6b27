"""Acknowledgements: an operator's signature on outputs, given before any batch holds them.

    Acknowledgement(bytes32 networkId,address operator,address key,uint64 time,bytes32[] requests,
                    bytes32[] outputs)

EIP-712 under the registry's domain, signed by `key`: the operator's own address, or the key that
the registry has for it. Whoever gets one asks the registry for that key (`confirm`) and keeps the
block number; whoever judges one later takes the registry's KeySet events (`judge`). Whoever holds
one and finds no such leaf on chain by its request's deadline can show that the operator broke its
word; no contract slashes for it.
"""

from dataclasses import dataclass

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.abi_words import address, check_bytes, check_uint, uint
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.signature import recover

ACKNOWLEDGEMENT_TYPE = (
    b"Acknowledgement(bytes32 networkId,address operator,address key,uint64 time,"
    b"bytes32[] requests,bytes32[] outputs)"
)
ACKNOWLEDGEMENT_TYPEHASH = keccak256(ACKNOWLEDGEMENT_TYPE)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An operator's word on the answers of one HTTP request.

    >>> from tallystick.protocol.signature import account_of, sign
    >>> operator, domain = account_of(b"k" * 32), Domain(31337, bytes(20))
    >>> word = Acknowledgement(bytes(32), operator, operator, 5, (b"r" * 32,), (b"o" * 32,))
    >>> word.check(domain, sign(domain.digest(word.struct_hash()), b"k" * 32))
    """

    network_id: bytes
    operator: bytes
    key: bytes
    """Who signs, 20 bytes."""
    time: int
    """Unix seconds, by the operator's view of the chain's clock."""
    requests: tuple[bytes, ...]
    """hashStruct of each Request, 32 bytes, in the order asked."""
    outputs: tuple[bytes, ...]
    """Output hash of each, 32 bytes, in the same order."""

    def __post_init__(self) -> None:
        check_bytes("network_id", self.network_id, 32)
        check_bytes("operator", self.operator, 20)
        check_bytes("key", self.key, 20)
        check_uint("time", self.time, 64)
        if len(self.requests) != len(self.outputs):
            raise FieldError("outputs", len(self.outputs), f"{len(self.requests)} of them")
        for value in (*self.requests, *self.outputs):
            check_bytes("request or output", value, 32)

    def struct_hash(self) -> bytes:
        """Return the EIP-712 hashStruct, 32 bytes."""
        return keccak256(
            ACKNOWLEDGEMENT_TYPEHASH
            + self.network_id
            + address(self.operator)
            + address(self.key)
            + uint(self.time)
            + keccak256(b"".join(self.requests))
            + keccak256(b"".join(self.outputs))
        )

    def check(self, domain: Domain, signature: bytes) -> None:
        """Raise SignatureError unless the named key signed; whose it is, `confirm` tells.

        Args:
            domain: chain id and registry of the network.
            signature: 65 bytes.
        """
        signer = recover(domain.digest(self.struct_hash()), signature)
        if signer != self.key:
            raise SignatureError(
                f"the answers are signed by {checksummed(signer)}; "
                f"needed: the key {checksummed(self.key)}"
            )

    def confirm(self, key: bytes, block: int) -> None:
        """Raise SignatureError unless the named key speaks for the operator at a block.

        The block's number is to be kept with the acknowledgement: it is what `judge` needs.

        Args:
            key: the operator's as the registry has it at the block, 20 bytes; zero: none.
            block: number of the latest block.
        """
        if self.key not in (self.operator, key):
            raise self._strange(block)

    def judge(self, ledger: Ledger, block: int) -> None:
        """Raise SignatureError unless the key spoke for the operator at some time in a block.

        Args:
            ledger: of the registry's events up to the block, or further.
            block: number of the one at which whoever got the acknowledgement had it confirmed.
        """
        if self.key != self.operator and self.key not in ledger.keys_at(self.operator, block):
            raise self._strange(block)

    def _strange(self, block: int) -> SignatureError:
        return SignatureError(
            f"{checksummed(self.key)} is not the key of operator {checksummed(self.operator)} at "
            f"block {block}"
        )
