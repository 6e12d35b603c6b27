"""What a committee's members sign, and how their signatures travel as evidence.

Source: contracts/committee/ICommittee.sol.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.eip712 import Domain
from tallystick.enums import Ruling
from tallystick.keccak import keccak256
from tallystick.words import check_bytes, check_uint, uint

AUDIT_TYPEHASH = keccak256(b"Audit(bytes32 batchId,bytes32 seed,uint32 drawn,bool verdict)")
VERDICT_TYPEHASH = keccak256(
    b"Verdict(bytes32 batchId,uint256 leafIndex,bytes32 leaf,uint8 ruling)"
)

Signatures = Mapping[int, bytes]
"""By the signer's place among the members, from zero."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A member's statement on a batch: it holds every leaf, checked what can be checked of each,
    and re-executed the drawn ones."""

    batch_id: bytes
    seed: bytes
    """Hash of the block `seed_delay` after the commit's, 32 bytes."""
    drawn: int
    verdict: bool = True
    """Whether all of it was good."""

    def __post_init__(self) -> None:
        check_bytes("batch_id", self.batch_id, 32)
        check_bytes("seed", self.seed, 32)
        check_uint("drawn", self.drawn, 32)

    def struct_hash(self) -> bytes:
        """Return EIP-712's hashStruct, 32 bytes."""
        return keccak256(AUDIT_TYPEHASH + self._words)

    def digest(self, domain: Domain) -> bytes:
        """Return what is signed, 32 bytes; the domain's contract is the committee."""
        return domain.digest(self.struct_hash())

    def abi(self) -> tuple[bytes, bytes, int, bool]:
        """Return `Audit` of the contract."""
        return self.batch_id, self.seed, self.drawn, self.verdict

    def evidence(self, signatures: Signatures) -> bytes:
        """Return the evidence for the core's attest."""
        return self._words + packed(signatures)

    @property
    def _words(self) -> bytes:
        return self.batch_id + self.seed + uint(self.drawn) + uint(self.verdict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A member's ruling on one leaf of a batch."""

    batch_id: bytes
    leaf_index: int
    leaf: bytes
    ruling: Ruling

    def __post_init__(self) -> None:
        check_bytes("batch_id", self.batch_id, 32)
        check_bytes("leaf", self.leaf, 32)

    def struct_hash(self) -> bytes:
        """Return EIP-712's hashStruct, 32 bytes."""
        fields = self.batch_id + uint(self.leaf_index) + self.leaf + uint(self.ruling)
        return keccak256(VERDICT_TYPEHASH + fields)

    def digest(self, domain: Domain) -> bytes:
        """Return what is signed, 32 bytes; the domain's contract is the committee."""
        return domain.digest(self.struct_hash())

    def evidence(self, signatures: Signatures) -> bytes:
        """Return the evidence for the core's resolve and disprove."""
        return uint(self.ruling) + packed(signatures)


def packed(signatures: Signatures) -> bytes:
    """Return the signatures in the order of the members: place, length (2 bytes), signature.

    >>> packed({2: b"xyz", 0: b"a"}).hex()
    '0000016102000378797a'
    """
    return b"".join(
        bytes([member]) + len(signature).to_bytes(2, "big") + signature
        for member, signature in sorted(signatures.items())
    )
