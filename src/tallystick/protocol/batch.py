"""Batches, their stamps and disputes, and the storage word that seals all of it.

Source: contracts/interfaces/Types.sol, StampLib.sol, PreImageLib.sol, WordLib.sol.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tallystick.errors import FieldError, PreImageError
from tallystick.protocol.abi_words import (
    ZERO32,
    ZERO_ADDRESS,
    address,
    check_bytes,
    check_uint,
    uint,
)
from tallystick.protocol.enums import DisputeKind, Grade, Outcome, State
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import MAX_COUNT

ARCHIVE_DELAY = 3600
"""Seconds from closesAt until a commit may take the slot over."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The fields that commit to a batch; its id is their hash.

    >>> batch = Batch(bytes(32), bytes(20), 0, bytes(32), bytes(32), count=1, commit_deadline=9)
    >>> batch.id().hex()[:16]
    'a497061910d2ce25'
    """

    network_id: bytes
    operator: bytes
    index: int
    """The batch's number in its lane, from zero."""
    model_id: bytes
    root: bytes
    count: int
    commit_deadline: int
    """Unix seconds; the smallest deadline of its leaves."""

    def __post_init__(self) -> None:
        for field, length in (("network_id", 32), ("operator", 20), ("model_id", 32), ("root", 32)):
            check_bytes(field, getattr(self, field), length)
        check_uint("index", self.index, 48)
        check_uint("commit_deadline", self.commit_deadline, 64)
        if not 1 <= self.count <= MAX_COUNT:
            raise FieldError("count", self.count, f"1 to {MAX_COUNT}")

    def id(self) -> bytes:
        """Return batchId = keccak256(abi.encode(batch)), 32 bytes."""
        return keccak256(self.encode())

    def encode(self) -> bytes:
        """Return abi.encode(batch): 7 words."""
        return (
            self.network_id
            + address(self.operator)
            + uint(self.index)
            + self.model_id
            + self.root
            + uint(self.count)
            + uint(self.commit_deadline)
        )

    def abi(self) -> tuple[Any, ...]:
        """Return `Batch` of the contract."""
        return (
            self.network_id,
            self.operator,
            self.index,
            self.model_id,
            self.root,
            self.count,
            self.commit_deadline,
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """Slot, count and times of a batch; 32 bytes in the contract.

    >>> Stamp.unpack(Stamp(1, 2, 3, 4, 5).pack())
    Stamp(slot=1, count=2, committed_at=3, committed_block=4, closes_at=5)
    """

    slot: int
    count: int
    committed_at: int
    """Unix seconds."""
    committed_block: int
    closes_at: int
    """Unix seconds; the first second at which the batch may be finalized."""

    def __post_init__(self) -> None:
        check_uint("slot", self.slot, 32)
        check_uint("count", self.count, 24)
        check_uint("committed_at", self.committed_at, 40)
        check_uint("committed_block", self.committed_block, 40)
        check_uint("closes_at", self.closes_at, 40)

    @classmethod
    def unpack(cls, packed: bytes) -> "Stamp":
        """Return the stamp of 32 bytes; FieldError if the unused high bytes are not zero."""
        check_bytes("stamp", packed, 32)
        if any(packed[:10]):
            raise FieldError("stamp", "0x" + packed.hex(), "zero in the ten highest bytes")
        return cls(
            slot=int.from_bytes(packed[10:14], "big"),
            count=int.from_bytes(packed[14:17], "big"),
            committed_at=int.from_bytes(packed[17:22], "big"),
            committed_block=int.from_bytes(packed[22:27], "big"),
            closes_at=int.from_bytes(packed[27:], "big"),
        )

    def pack(self) -> bytes:
        """Return the 32 bytes of the contract."""
        return uint(
            self.slot << 144
            | self.count << 120
            | self.committed_at << 80
            | self.committed_block << 40
            | self.closes_at
        )

    def closing_at(self, closes_at: int) -> "Stamp":
        """Return the same stamp with another end of the window, in Unix seconds."""
        return replace(self, closes_at=closes_at)

    @property
    def free_from(self) -> int:
        """Unix seconds; from then on a commit may take the slot over and finalize the batch."""
        return self.closes_at + ARCHIVE_DELAY


@dataclass(frozen=True, slots=True)
class Dispute:
    """A pending challenge or demand."""

    kind: DisputeKind
    with_bytes: bool
    """A demand for input and output bytes too."""
    party: bytes
    """The challenger or demander, owner of the bond."""
    leaf_index: int
    due: int
    """Unix seconds; the last second to resolve or reveal."""
    leaf: bytes
    """The challenged leaf; zero in a demand."""

    def __post_init__(self) -> None:
        check_bytes("party", self.party, 20)
        check_bytes("leaf", self.leaf, 32)
        check_uint("leaf_index", self.leaf_index, 32)
        check_uint("due", self.due, 40)

    def abi(self) -> tuple[Any, ...]:
        """Return `Dispute` of the contract."""
        return (
            int(self.kind),
            self.with_bytes,
            self.party,
            self.leaf_index,
            self.due,
            self.leaf,
        )

    def encode(self) -> bytes:
        """Return abi.encode(dispute): 6 words."""
        return (
            uint(self.kind)
            + uint(self.with_bytes)
            + address(self.party)
            + uint(self.leaf_index)
            + uint(self.due)
            + self.leaf
        )


NO_DISPUTE = Dispute(DisputeKind.NONE, False, ZERO_ADDRESS, 0, 0, ZERO32)


class StateByte(NamedTuple):
    """The lowest byte of a slot's word: bits 0-2 state, bit 3 lapsed, bits 4-5 grade.

    >>> StateByte.unpack(StateByte(State.OPEN, Grade.AUDITED, lapsed=True).pack()).grade.name
    'AUDITED'
    """

    state: State
    grade: Grade = Grade.UNCHALLENGED
    lapsed: bool = False

    @classmethod
    def unpack(cls, byte: int) -> "StateByte":
        """Return what the byte says."""
        return cls(State(byte & 0x07), Grade(byte >> 4), bool(byte & 0x08))

    def pack(self) -> int:
        """Return the byte."""
        return self.grade << 4 | self.lapsed << 3 | self.state

    @property
    def outcome(self) -> Outcome:
        """The counter that the batch moves at finality."""
        return Outcome.of(self.grade, self.lapsed)


@dataclass(frozen=True, slots=True)
class PreImage:
    """Everything that a slot's word is the hash of.

    >>> batch = Batch(bytes(32), bytes(20), 0, bytes(32), bytes(32), count=1, commit_deadline=9)
    >>> held = PreImage(batch, Stamp(0, 1, 10, 2, 70))
    >>> held.read(held.word(State.OPEN)).state.name
    'OPEN'
    """

    batch: Batch
    stamp: Stamp
    dispute: Dispute = NO_DISPUTE

    def abi(self) -> tuple[Any, ...]:
        """Return `PreImage` of the contract."""
        return self.batch.abi(), self.stamp.pack(), self.dispute.abi()

    def seal(self) -> bytes:
        """Return the word that the pre-image opens with its state byte zero, 32 bytes."""
        sealed = self.batch.id() + self.stamp.pack()
        if self.dispute.kind is not DisputeKind.NONE:
            sealed += self.dispute.encode()
        return keccak256(sealed)[:31] + b"\0"

    def word(self, state: State, grade: Grade = Grade.UNCHALLENGED, lapsed: bool = False) -> bytes:
        """Return the slot's word of a batch in this state, 32 bytes."""
        return self.seal()[:31] + bytes([StateByte(state, grade, lapsed).pack()])

    def opens(self, word: bytes) -> bool:
        """Return whether this is the pre-image of a slot's word, whatever its state byte."""
        return word[:31] == self.seal()[:31]

    def read(self, word: bytes) -> StateByte:
        """Return what a slot's word says of this batch.

        Raises:
            PreImageError: the word is another pre-image's.
        """
        check_bytes("word", word, 32)
        if not self.opens(word):
            raise PreImageError(
                f"word 0x{word.hex()} is not one of batch 0x{self.batch.id().hex()}"
            )
        return StateByte.unpack(word[31])
