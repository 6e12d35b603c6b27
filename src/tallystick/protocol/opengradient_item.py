"""Inferences that an OpenGradient enclave signed one by one, as evidence.

Source: contracts/opengradient/IOpenGradientItem.sol.
"""

from dataclasses import dataclass

from eth_abi.abi import encode

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import check_bytes, check_uint, uint
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import Key, check_key


@dataclass(frozen=True, slots=True)
class Item:
    """An item, as its enclave signs it: what went in, what came out, and when.

    >>> Item(bytes(32), bytes(32), 9).hash().hex()[:16]
    '8188cc60754d8af0'
    """

    input_hash: bytes
    """keccak256 of the request's JSON with sorted keys, 32 bytes."""
    output_hash: bytes
    """keccak256 of the answer, 32 bytes."""
    timestamp: int
    """Unix seconds, by the enclave's clock."""

    def __post_init__(self) -> None:
        check_bytes("input_hash", self.input_hash, 32)
        check_bytes("output_hash", self.output_hash, 32)
        check_uint("timestamp", self.timestamp, 256)

    def hash(self) -> bytes:
        """Return the 32 bytes that are signed: RSASSA-PSS, SHA-256, a salt of 32 bytes."""
        return keccak256(self.input_hash + self.output_hash + uint(self.timestamp))

    def ruling_evidence(self, key: Key, signature: bytes) -> bytes:
        """Return the evidence for the registry's resolve, by which the leaf is upheld."""
        check_key("key", key)
        return encode(["uint256", "bytes", "bytes"], [self.timestamp, key, signature])

    def evidence(self, inference: Inference, key: Key, signature: bytes) -> bytes:
        """Return the evidence for the registry's attest of a batch that is this one inference.

        Raises:
            FieldError: the inference has another input or output.
        """
        for field in ("input_hash", "output_hash"):
            found, needed = getattr(inference, field), getattr(self, field)
            if found != needed:
                raise FieldError(field, "0x" + found.hex(), f"the item's 0x{needed.hex()}")
        return inference.encode_leaf() + self.ruling_evidence(key, signature)
