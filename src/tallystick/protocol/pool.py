"""Draws, statements and records of a pool of auditors.

Source: contracts/pool/IPool.sol.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallystick.errors import FieldError
from tallystick.protocol.abi_words import address, check_bytes, check_uint, uint
from tallystick.protocol.batch import NO_DISPUTE, Dispute
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256

AUDIT_TYPEHASH = keccak256(b"Audit(bytes32 batchId,bytes32 seed)")
VERDICT_TYPEHASH = keccak256(b"Verdict(bytes32 caseId,bytes32 seed,uint8 ruling)")
PANEL = keccak256(b"panel")

EPOCH = 7 * 24 * 3600
"""Seconds of an epoch; its list of seats is frozen when it begins."""
HOLD = 3 * 24 * 3600
"""Seconds for which a case holds the stake of whoever signed the audit."""
FINDERS = 16
"""A finder gets one part in so many of a convicted stake."""
SIGNATURE_SIZE = 76
"""Bytes of a signer: entry (3), places (8), r, s, v."""


def domain_of(chain_id: int, pool: bytes) -> Domain:
    """Return the EIP-712 domain of a pool's statements.

    Args:
        chain_id: of its chain.
        pool: its address, 20 bytes.
    """
    return Domain(chain_id, pool, "Tallystick Pool", "1")


def epoch_of(timestamp: int) -> int:
    """Return the epoch of a time in Unix seconds."""
    return timestamp // EPOCH


@dataclass(frozen=True, slots=True)
class Quorums:
    """Numbers of places that follow from an audit's panel of n.

    >>> Quorums.of(15)
    Quorums(panel=15, audit=8, judges=31, uphold=16, reject=19)
    """

    panel: int
    audit: int
    """Places that store an audit, k."""
    judges: int
    """Places of a case's panel, m."""
    uphold: int
    """Of those, that uphold, U."""
    reject: int
    """Of those, that reject, R."""

    @classmethod
    def of(cls, panel: int) -> "Quorums":
        """Return the numbers of a panel of so many places; FieldError if it is not odd, 9 to 31."""
        if panel % 2 == 0 or not 9 <= panel <= 31:
            raise FieldError("panel", panel, "an odd number from 9 to 31")
        judges = 2 * panel + 1
        return cls(panel, (panel + 1) // 2, judges, panel + 1, -(-3 * judges // 5))


@dataclass(frozen=True, slots=True)
class Seats:
    """A key's entry in an epoch's list."""

    key: bytes
    first: int
    """Number of its first seat."""
    count: int

    def holds(self, seat: int) -> bool:
        """Return whether a seat is one of the key's."""
        return self.first <= seat < self.first + self.count


def listed(seats: Iterable[tuple[bytes, int]]) -> list[Seats]:
    """Return the list of keys with so many seats each, in the order they enrolled."""
    found: list[Seats] = []
    for key, count in seats:
        found.append(Seats(key, found[-1].first + found[-1].count if found else 0, count))
    return found


def seat_of(seed: bytes, panel_id: bytes, place: int, seats: int) -> int:
    """Return the seat that holds a place of a panel.

    Args:
        seed: hash of a block, 32 bytes.
        panel_id: of the batch, or of the case, 32 bytes.
        place: from zero.
        seats: of the epoch's list.

    >>> seat_of(bytes(32), bytes(32), 0, 1000)
    294
    """
    check_bytes("seed", seed, 32)
    check_bytes("panel_id", panel_id, 32)
    return int.from_bytes(keccak256(PANEL + seed + panel_id + uint(place)), "big") % seats


def places_of(
    entries: Sequence[Seats], seed: bytes, panel_id: bytes, panel: int
) -> dict[int, list[int]]:
    """Return the places of a panel by the entry that holds them, each drawn with replacement.

    Args:
        entries: of the epoch's list, all of it.
        seed: hash of a block, 32 bytes.
        panel_id: of the batch, or of the case, 32 bytes.
        panel: how many places it has.
    """
    seats = entries[-1].first + entries[-1].count if entries else 0
    found: dict[int, list[int]] = {}
    for place in range(panel if seats else 0):
        seat = seat_of(seed, panel_id, place, seats)
        low, high = 0, len(entries) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if entries[middle].first <= seat else (low, middle - 1)
        found.setdefault(low, []).append(place)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class PanelAudit:
    """A member's statement that a batch is good."""

    batch_id: bytes
    seed: bytes
    """Hash of the block `seed_delay` after the commit's, 32 bytes."""

    def __post_init__(self) -> None:
        check_bytes("batch_id", self.batch_id, 32)
        check_bytes("seed", self.seed, 32)

    def struct_hash(self) -> bytes:
        """Return EIP-712's hashStruct, 32 bytes."""
        return keccak256(AUDIT_TYPEHASH + self.batch_id + self.seed)


@dataclass(frozen=True, slots=True)
class PanelVerdict:
    """A member's ruling in a case."""

    case_id: bytes
    seed: bytes
    """Hash of the case's block, 32 bytes."""
    ruling: Ruling

    def __post_init__(self) -> None:
        check_bytes("case_id", self.case_id, 32)
        check_bytes("seed", self.seed, 32)

    def struct_hash(self) -> bytes:
        """Return EIP-712's hashStruct, 32 bytes."""
        return keccak256(VERDICT_TYPEHASH + self.case_id + self.seed + uint(self.ruling))


@dataclass(frozen=True, slots=True)
class SignedPlaces:
    """A key's signature for its places of a panel."""

    places: tuple[int, ...]
    signature: bytes
    """65 bytes r || s || v."""

    def __post_init__(self) -> None:
        check_bytes("signature", self.signature, 65)
        if len(set(self.places)) != len(self.places) or not self.places:
            raise FieldError("places", self.places, "one or more, each once")
        for place in self.places:
            check_uint("place", place, 6)

    @property
    def mask(self) -> int:
        """Bit j for place j."""
        return sum(1 << place for place in self.places)


def pack_signatures(signed: Mapping[int, SignedPlaces]) -> bytes:
    """Return signatures as the contract takes them.

    Args:
        signed: by entry of the epoch's list.
    """
    parts = []
    for entry, one in sorted(signed.items()):
        check_uint("entry", entry, 24)
        parts.append(entry.to_bytes(3, "big") + one.mask.to_bytes(8, "big") + one.signature)
    return b"".join(parts)


def case_id(batch_id: bytes, leaf_index: int, dispute: Dispute = NO_DISPUTE) -> bytes:
    """Return the id of a case, 32 bytes.

    Args:
        batch_id: 32 bytes.
        leaf_index: of the leaf in question.
        dispute: the registry's challenge of that leaf; none: the case is without one.
    """
    check_bytes("batch_id", batch_id, 32)
    return keccak256(batch_id + uint(leaf_index) + dispute.encode())


@dataclass(frozen=True, slots=True)
class Record:
    """Keys that signed an audit; the contract keeps its hash."""

    seed: bytes = bytes(32)
    keys: tuple[bytes, ...] = ()
    """In the order of their entries; none: the batch has no record."""

    def hash(self) -> bytes:
        """Return keccak256(abi.encode(seed, keys)), 32 bytes; zero where there is none."""
        if not self.keys:
            return bytes(32)
        words = b"".join(map(address, self.keys))
        return keccak256(self.seed + uint(64) + uint(len(self.keys)) + words)

    def abi(self) -> tuple[bytes, list[bytes]]:
        """Return `Record` of the contract."""
        return self.seed, list(self.keys)


NO_RECORD = Record()
