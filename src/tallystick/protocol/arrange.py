"""From a file's records to a batch's leaves: order, numbers, and what the contract would refuse.

An operator that commits to a leaf it could not reveal loses its stake; so everything that `reveal`
and the faults check is checked here, before anything is sent.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from tallystick.errors import MOST_WRONG, RecordError, WrongLine
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.faults import (
    LeafRule,
    deadline_fault,
    repeat_fault,
    signature_fault,
    unsolicited_fault,
)
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Inference, hash_leaves, unsolicited_nonce
from tallystick.protocol.merkle import MAX_COUNT, Tree
from tallystick.protocol.progress import Progress
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.rules import Rules

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Destination:
    """The place where a batch is to be committed, and the chain's present word on it."""

    domain: Domain
    rules: Rules
    operator: bytes
    index: int
    """The lane's next batch index."""
    now: int
    """Unix seconds; time of the latest block."""
    taken: Container[tuple[bytes, int]] = frozenset()
    """(requester, nonce) of all leaves that the lane has committed."""

    @property
    def latest(self) -> int:
        """Unix seconds; the latest deadline that cannot be a fault, whenever this is committed."""
        return self.rules.latest_deadline(self.now)


@dataclass(frozen=True, slots=True)
class Arranged:
    """Records in the order of their leaves, numbered and checked."""

    records: tuple[InferenceRecord, ...]
    inferences: tuple[Inference, ...]
    """Of the records, in the same order."""

    @property
    def commit_deadline(self) -> int:
        """Unix seconds; the smallest deadline."""
        return min(inference.deadline for inference in self.inferences)

    def tree(self, progress: Progress | None = None) -> Tree:
        """Hash the leaves and build their tree; progress counts both."""
        return Tree.from_leaves(hash_leaves(self.inferences, progress), progress)


def arrange(
    records: Sequence[InferenceRecord],
    to: Destination,
    model_id: bytes,
    deadline: int | None = None,
    hashes_only: bool = False,
    progress: Progress | None = None,
    signatures_checked: bool = False,
) -> Arranged:
    """Put records into the order of leaves and check each against the network's rules.

    Leaves ascend by (requester, nonce). Unsolicited ones, whose requester is zero, come first in
    the order given, and their nonce is their place.

    Args:
        records: as read, 1 to 2^20.
        to: where they are to be committed.
        model_id: 32 bytes.
        deadline: Unix seconds, for unsolicited records that name none; None: the latest allowed.
        hashes_only: allow records without bytes although a demand may ask for them: they must be
            kept elsewhere, or an unanswered demand costs the batch's stake.
        progress: called with records checked and records in all.
        signatures_checked: the requesters' signatures have been checked before, under this domain.

    Raises:
        RecordError: wrong lines, each with its number and what is wrong; nothing may be sent.

    >>> rules = Rules(challenge_window=100, response_window=50, ruling_window=1)
    >>> to = Destination(Domain(31337, bytes(20)), rules, operator=b"o" * 20, index=3, now=1000)
    >>> arranged = arrange([InferenceRecord(bytes(32), bytes(32))], to, model_id=b"m" * 32)
    >>> arranged.inferences[0].nonce == 3 << 20, arranged.commit_deadline
    (True, 1050)
    """
    if not records:
        raise RecordError([WrongLine(1, "there is no inference; a batch needs one at least")])
    if len(records) > MAX_COUNT:
        raise RecordError(
            [WrongLine(records[MAX_COUNT].line, f"a batch holds at most {MAX_COUNT} inferences")]
        )
    ordered = sorted(
        records, key=lambda record: (record.requester, record.nonce or 0 if record.solicited else 0)
    )
    latest = to.latest if deadline is None else deadline
    numbered: list[InferenceRecord] = []
    inferences: list[Inference] = []
    wrong: list[WrongLine] = []
    before: InferenceRecord | None = None
    for index, record in enumerate(ordered):
        reason = _repeats(record, before) or _shape(record, to, index)
        before = record
        if reason is None:
            whole = _numbered(record, to, index, latest)
            inference = whole.inference(model_id, to.operator)
            reason = _fault(whole, inference, to, index, signatures_checked)
            reason = reason or _bytes(record, to.rules.max_bytes, hashes_only)
            numbered.append(whole)
            inferences.append(inference)
        if reason is not None:
            wrong.append(WrongLine(record.line, reason))
        if progress and (index % _CHUNK == _CHUNK - 1 or index == len(ordered) - 1):
            progress(index + 1, len(ordered))
    if wrong:
        raise RecordError(sorted(wrong)[:MOST_WRONG], more=len(wrong) > MOST_WRONG)
    return Arranged(tuple(numbered), tuple(inferences))


def _repeats(record: InferenceRecord, before: InferenceRecord | None) -> str | None:
    """Return why the record cannot follow the one sorted before it."""
    if before is None or not record.solicited or record.nonce is None:
        return None
    if before.key != record.key:
        return None
    return (
        f"requester {checksummed(record.requester)} and nonce {record.nonce} "
        f"stand on line {before.line} too"
    )


def _shape(record: InferenceRecord, to: Destination, index: int) -> str | None:
    """Return what the record lacks, or has too much of, to become a leaf."""
    if not record.solicited:
        if record.signature:
            return "signature is given without a requester"
        if unsolicited_nonce(to.index, index) >> 64:
            return f"the lane's index {to.index} is too large for unsolicited inferences"
        return None
    given = {
        "nonce": record.nonce is not None,
        "deadline": record.deadline is not None,
        "signature": bool(record.signature),
    }
    missing = [field for field, there in given.items() if not there]
    if missing:
        return f"{', '.join(missing)} missing; the requester must have signed"
    return None


def _bytes(record: InferenceRecord, highest: int, hashes_only: bool) -> str | None:
    """Return why a demand for the record's bytes could not be answered, where one may come."""
    if not highest:
        return None
    length = len(record.input or b"") + len(record.output or b"")
    if length > highest:
        return (
            f"input and output are {length} bytes; the network lets at most {highest} be revealed"
        )
    if not hashes_only and (record.input is None or record.output is None):
        return "input and output bytes are needed: the network lets a demand ask for them"
    return None


def _numbered(record: InferenceRecord, to: Destination, index: int, latest: int) -> InferenceRecord:
    if record.solicited:
        return record
    return replace(
        record,
        nonce=unsolicited_nonce(to.index, index) if record.nonce is None else record.nonce,
        deadline=latest if record.deadline is None else record.deadline,
    )


def _fault(
    record: InferenceRecord,
    inference: Inference,
    to: Destination,
    index: int,
    signature_checked: bool,
) -> str | None:
    """Return why the finished inference would be a fault, or could not be revealed."""
    unsolicited = unsolicited_fault(index, inference, to.index, to.rules)
    if unsolicited is not None and unsolicited.rule is LeafRule.NONCE:
        return f"{unsolicited.reason}, or none"
    found = unsolicited or deadline_fault(index, inference.deadline, to.now, to.rules)
    if found is None and inference.solicited:
        found = repeat_fault(index, inference.key, to.taken)
    if found is None and not signature_checked:
        found = signature_fault(index, inference, record.signature, to.domain)
    return found.reason if found else None
