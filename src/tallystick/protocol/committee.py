"""Statements that a committee's members sign, and how signatures travel as evidence.

Source: contracts/committee/ICommittee.sol.
"""

from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import check_bytes, check_uint, uint
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import Signatures, packed, unpacked

AUDIT_TYPEHASH = keccak256(b"Audit(bytes32 batchId,uint40 committedAt,bytes32 seed,bool verdict)")
VERDICT_TYPEHASH = keccak256(
    b"Verdict(bytes32 batchId,uint256 leafIndex,bytes32 leaf,uint8 ruling)"
)

MAX_DRAWN = 256
"""Leaves that a committee may have its audits draw."""
MAX_SEED_DELAY = 1024
"""Blocks from the commit to the one that seeds the draw."""
_AUDIT_SIZE = 4 * 32


@dataclass(frozen=True, slots=True)
class Audit:
    """A member's statement on a batch: it holds every leaf, checked what can be checked of each,
    and re-executed the drawn ones."""

    batch_id: bytes
    committed_at: int
    """Unix seconds; of the commit, by which the deadlines were checked."""
    seed: bytes
    """Hash of the block `seed_delay` after the commit's, 32 bytes."""
    verdict: bool = True
    """True if all of it was good."""

    def __post_init__(self) -> None:
        check_bytes("batch_id", self.batch_id, 32)
        check_bytes("seed", self.seed, 32)
        check_uint("committed_at", self.committed_at, 40)

    def struct_hash(self) -> bytes:
        """Return EIP-712's hashStruct, 32 bytes."""
        return keccak256(AUDIT_TYPEHASH + self._words)

    def digest(self, domain: Domain) -> bytes:
        """Return what is signed, 32 bytes; the domain's contract is the committee."""
        return domain.digest(self.struct_hash())

    def abi(self) -> tuple[bytes, int, bytes, bool]:
        """Return `Audit` of the contract."""
        return self.batch_id, self.committed_at, self.seed, self.verdict

    @classmethod
    def from_evidence(cls, evidence: bytes) -> tuple["Audit", dict[int, bytes]]:
        """Return the audit that was attested by, and its signatures; FieldError if it is none."""
        if len(evidence) < _AUDIT_SIZE:
            raise FieldError("evidence", f"{len(evidence)} bytes", f"{_AUDIT_SIZE} or more")
        batch_id, committed_at, seed, verdict = (
            evidence[at : at + 32] for at in range(0, _AUDIT_SIZE, 32)
        )
        said = cls(batch_id, int.from_bytes(committed_at, "big"), seed, any(verdict))
        return said, unpacked(evidence[_AUDIT_SIZE:])

    def evidence(self, signatures: Signatures) -> bytes:
        """Return the evidence for the registry's attest."""
        return self._words + packed(signatures)

    @property
    def _words(self) -> bytes:
        return self.batch_id + uint(self.committed_at) + self.seed + uint(self.verdict)


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
        """Return the evidence for the registry's resolve and disprove."""
        return uint(self.ruling) + packed(signatures)
