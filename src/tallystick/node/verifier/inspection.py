"""What is found out about a batch: by its data, by the rules, and by running drawn leaves again."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallystick.batch import Batch
from tallystick.eip712 import Domain
from tallystick.examine import first_flaw
from tallystick.moves.data import BatchData
from tallystick.network import Rules
from tallystick.node.verifier.models import BytesMissingError, Rerun

_CHUNK = 256
"""Leaves run at a time."""


class Kind(StrEnum):
    """The findings, the batch as it should be first."""

    GOOD = "good"
    WRONG = "wrong"
    """A leaf's output is not what the model gives."""
    FAULTY = "faulty"
    """A rule is broken, and data show it: a fault move convicts."""
    UNSIGNED = "unsigned"
    """A leaf's requester did not ask for it: nobody can reveal that leaf."""
    WITHHELD = "withheld"
    """No store has the data, or they lack bytes of a drawn leaf."""
    SHORT = "short"
    """The data have fewer leaves than the batch: nobody can reveal the others."""
    OVERFULL = "overfull"
    """The data have more leaves than the batch counts: nothing to convict it of, nor to attest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is the matter with a batch, and where."""

    kind: Kind
    leaf_index: int = 0
    note: str = ""
    executed: int = 0
    """Leaves run again."""


def inspect(
    data: BatchData, rules: Rules, domain: Domain, drawn: Sequence[int], rerun: Rerun
) -> Finding:
    """Look at a batch whose data hash to its root.

    Args:
        data: the batch's.
        rules: of its network.
        domain: the core's.
        drawn: leaves to run again, ascending.
        rerun: the model.

    Raises:
        RunnerError: the model could not be run.
    """
    batch, records = data.record.batch, data.records
    if len(records) < batch.count:
        return Finding(Kind.SHORT, len(records), f"{len(records)} leaves of {batch.count}")
    if len(records) > batch.count:
        return Finding(Kind.OVERFULL, 0, f"{len(records)} leaves; counted: {batch.count}")
    flaw = first_flaw(batch, data.record.stamp, records, rules, domain)
    if flaw is not None:
        kind = Kind.FAULTY if flaw.rule in ("order", "deadline") else Kind.UNSIGNED
        return Finding(kind, flaw.leaf_index, flaw.rule)
    strange = _strange_nonce(batch, data)
    if strange is not None:
        return Finding(Kind.UNSIGNED, strange, "nonce")
    for start in range(0, len(drawn), _CHUNK):
        part = drawn[start : start + _CHUNK]
        try:
            right = rerun.right([records[index] for index in part])
        except BytesMissingError as error:
            return Finding(Kind.WITHHELD, part[error.place], str(error), start)
        executed = start + len(part)
        wrong = [index for index, good in zip(part, right, strict=True) if not good]
        if wrong:
            note = f"another output at {len(wrong)} of {executed} leaves run again"
            return Finding(Kind.WRONG, wrong[0], note, executed)
    return Finding(Kind.GOOD, executed=len(drawn))


def _strange_nonce(batch: Batch, data: BatchData) -> int | None:
    """Return the first unsolicited leaf whose nonce is not its place: the core reveals no such."""
    for index, record in enumerate(data.records):
        if not record.solicited and record.nonce != batch.index << 20 | index:
            return index
    return None
