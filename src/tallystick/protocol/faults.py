"""The rules that each leaf has to keep, and how a batch's data show that one did not.

What convicts at once comes first, as nobody needs a bond for it; whoever looks for one fault looks
no further than for the cheapest.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tallystick.errors import SignatureError
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.inference import Inference, unsolicited_nonce
from tallystick.protocol.merkle import depth_of
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.rules import Rules

Key = tuple[bytes, int]
"""Requester and nonce of a leaf."""


class LeafRule(StrEnum):
    """The rules, the one whose breach is cheapest to show first."""

    DEADLINE = "deadline"
    """From the commit to half the challenge window later."""
    ORDER = "order"
    """Above the leaf before, by requester and nonce."""
    REPEAT = "repeat"
    """No earlier batch of the lane has the requester and nonce."""
    MISSING = "missing"
    """It can be opened with the data; else nobody can reveal it."""
    SOLICITED = "solicited"
    """It has a requester, in a network of such leaves only."""
    NONCE = "nonce"
    """Without a requester: its place."""
    SIGNATURE = "signature"
    """With a requester: that one's signature."""
    SURPLUS = "surplus"
    """The batch counts it; nobody is convicted for one too many."""

    @property
    def convicts(self) -> bool:
        """True when a breach convicts at once, and costs no bond; else at most in time, by a demand
        for the leaf."""
        return self in (LeafRule.DEADLINE, LeafRule.ORDER, LeafRule.REPEAT)


class Fault(NamedTuple):
    """A rule that a leaf breaks."""

    leaf_index: int
    """Of a broken order the later leaf's."""
    rule: LeafRule
    reason: str
    """What the leaf has, and what is needed."""


def find_faults(
    batch: Batch,
    stamp: Stamp,
    records: Sequence[InferenceRecord],
    rules: Rules,
    domain: Domain,
    taken: Callable[[], Container[Key]] = frozenset,
) -> Iterator[Fault]:
    """Yield every fault of a batch, those that convict at once first; looks for each when asked.

    Args:
        batch: whose root the records were found to hash to.
        stamp: as at commit, for the time.
        records: all that is known, in the order of the leaves.
        rules: of the batch's network.
        domain: the registry's.
        taken: returns the keys of the lane's earlier batches; asked when nothing cheaper is left.
    """
    yield from find_convictions(batch, stamp, records, rules, taken)
    known = openable(batch, records)
    if len(known) < batch.count:
        found = f"the data have {len(records)} leaves; counted: {batch.count}"
        yield Fault(len(known), LeafRule.MISSING, found)
    inferences = [record.inference(batch.model_id, batch.operator) for record in known]
    for index, inference in enumerate(inferences):
        if fault := unsolicited_fault(index, inference, batch.index, rules):
            yield fault
    # Signatures take by far the longest.
    for index, inference in enumerate(inferences):
        if fault := signature_fault(index, inference, known[index].signature, domain):
            yield fault
    if known and len(records) > batch.count:
        found = f"the data have {len(records)} leaves; counted: {batch.count}"
        yield Fault(batch.count, LeafRule.SURPLUS, found)


def find_convictions(
    batch: Batch,
    stamp: Stamp,
    records: Sequence[InferenceRecord],
    rules: Rules,
    taken: Callable[[], Container[Key]] = frozenset,
) -> Iterator[Fault]:
    """Yield the faults of a batch that convict it at once; arguments as of find_faults."""
    known = openable(batch, records)
    for index, record in enumerate(known):
        if fault := deadline_fault(index, record.deadline or 0, stamp.committed_at, rules):
            yield fault
    for index, (before, record) in enumerate(pairwise(known), 1):
        if record.key <= before.key:
            yield Fault(index, LeafRule.ORDER, f"{_named(record.key)} do not ascend")
    keys = taken()
    for index, record in enumerate(known):
        if fault := repeat_fault(index, record.key, keys):
            yield fault


def openable(batch: Batch, records: Sequence[InferenceRecord]) -> Sequence[InferenceRecord]:
    """Return the leaves that can be opened against the root of a batch that the records hash to.

    All of them unless the batch counts another number than there are: a proof's length tells the
    count.
    """
    if len(records) == batch.count:
        return records
    if depth_of(len(records)) != depth_of(batch.count):
        return ()
    return records[: batch.count]


def deadline_fault(index: int, deadline: int, committed_at: int, rules: Rules) -> Fault | None:
    """Return the fault of a leaf's deadline, if it is one.

    Args:
        index: the leaf's.
        deadline: Unix seconds.
        committed_at: Unix seconds.
        rules: of the network.
    """
    latest = rules.latest_deadline(committed_at)
    if committed_at <= deadline <= latest:
        return None
    needed = f"{committed_at} to {latest} (from the commit to half the challenge window later)"
    return Fault(index, LeafRule.DEADLINE, f"deadline is {deadline}; needed: {needed}")


def repeat_fault(index: int, key: Key, taken: Container[Key]) -> Fault | None:
    """Return the fault of a leaf whose key an earlier batch of the lane has taken."""
    if key not in taken:
        return None
    return Fault(index, LeafRule.REPEAT, f"{_named(key)} are taken in this lane already")


def unsolicited_fault(
    index: int, inference: Inference, batch_index: int, rules: Rules
) -> Fault | None:
    """Return the fault of a leaf without a requester, if it is one; None for others.

    Args:
        index: the leaf's, in its batch.
        inference: the leaf's.
        batch_index: its batch's, in the lane.
        rules: of the network.

    Source: reveal of the registry.
    """
    if inference.solicited:
        return None
    if rules.solicited:
        reason = "requester is missing; the network takes solicited inferences only"
        return Fault(index, LeafRule.SOLICITED, reason)
    needed = unsolicited_nonce(batch_index, index)
    if inference.nonce == needed:
        return None
    return Fault(index, LeafRule.NONCE, f"nonce is {inference.nonce}; needed: {needed}, its place")


def signature_fault(
    index: int, inference: Inference, signature: bytes, domain: Domain
) -> Fault | None:
    """Return the fault of a leaf whose requester did not sign; None for one without a requester.

    Source: reveal of the registry.
    """
    if not inference.solicited:
        return None
    try:
        inference.request().check(domain, signature)
    except SignatureError as error:
        return Fault(index, LeafRule.SIGNATURE, str(error))
    return None


def _named(key: Key) -> str:
    return f"requester {checksummed(key[0])} and nonce {key[1]}"
