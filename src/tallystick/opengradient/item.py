"""One item of a batch: an inference that an enclave signed, and its leaf."""

from typing import NamedTuple

from tallystick.protocol.abi_words import uint
from tallystick.protocol.keccak import keccak256

_SIGNATURE_OFFSET = uint(5 * 32)


class SignedItem(NamedTuple):
    """An inference as OpenGradient settles it; hashes have 32 bytes.

    >>> item = SignedItem(bytes(32), bytes(32), bytes(32), 9, b"s" * 256)
    >>> item.message().hex()[:16], item.leaf().hex()[:16]
    ('8188cc60754d8af0', '88a8f31c199c6547')
    """

    tee_id: bytes
    """keccak256 of the enclave's public key, as SubjectPublicKeyInfo in DER."""
    input_hash: bytes
    output_hash: bytes
    timestamp: int
    """Unix seconds, by the enclave's clock."""
    signature: bytes
    """The signature as published; of any length."""

    def message(self) -> bytes:
        """Return the 32 bytes that are signed: RSASSA-PSS, SHA-256, a salt of 32 bytes."""
        return keccak256(self.input_hash + self.output_hash + uint(self.timestamp))

    def identity(self) -> bytes:
        """Return what makes it the same item, 32 bytes; PSS signs one item in many ways."""
        return keccak256(self.tee_id + self.message())

    def leaf(self) -> bytes:
        """Return its leaf in the batch's tree, 32 bytes."""
        head = self.tee_id + self.input_hash + self.output_hash
        head += _SIGNATURE_OFFSET + uint(self.timestamp) + uint(len(self.signature))
        return keccak256(keccak256(head + self.signature + bytes(-len(self.signature) % 32)))
