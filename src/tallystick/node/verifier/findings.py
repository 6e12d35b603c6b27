"""Findings about a batch: by its data, by the rules, and by running drawn leaves again."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallystick.actions.batch_data import BatchData
from tallystick.node.verifier.models import BytesMissingError, Rerun
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.faults import Fault, Key, LeafRule, find_faults
from tallystick.protocol.opening import OpenedLeaf
from tallystick.protocol.rules import Rules
from tallystick.protocol.verdicts import Judged, Verdict

_CHUNK = 256
"""Leaves run at a time."""


class FindingKind(StrEnum):
    """The findings, the batch as it should be first."""

    GOOD = "good"
    WRONG = "wrong"
    """A leaf's output is not what the model gives."""
    DOUBTFUL = "doubtful"
    """Leaves are further from what the model gives here than is good, and none is wrong: nothing is
    signed, nothing is challenged, nobody is convicted."""
    FAULTY = "faulty"
    """A rule is broken, and data show it: a fault move convicts."""
    UNSIGNED = "unsigned"
    """A leaf's requester did not ask for it: nobody can reveal that leaf."""
    WITHHELD = "withheld"
    """No store has the data, or they lack bytes of a drawn leaf."""
    LATE = "late"
    """The data came only when the draw was known: whoever has them chose to show them then. Nothing
    convicts the batch, but no audit is signed."""
    SHORT = "short"
    """The data do not have all leaves that the batch counts, or proofs of another length: nobody
    can reveal those that cannot be opened."""
    OVERFULL = "overfull"
    """The data have more leaves than the batch counts: nothing to convict it of, nor to attest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The fault of a batch, if it has one, and its leaf."""

    kind: FindingKind
    leaf_index: int = 0
    note: str = ""
    executed: int = 0
    """Leaves run again."""
    doubtful: int = 0
    """Leaves, of these, that are neither good nor wrong; of a good batch few."""
    drawn: tuple[int, ...] = ()
    """Leaves that were to be run again, in the order in which this node would demand them."""
    seed: bytes = b""
    """Of the draw, 32 bytes."""
    leaf: OpenedLeaf | None = None
    """The wrong one; None for another kind, or where nobody has it any more."""
    judged: tuple[Judged, ...] = ()
    """Verdicts on the leaves that were run again just now, in the order of `drawn`."""

    @property
    def choice(self) -> list[int]:
        """The leaf that is named, then the others that were drawn: in this order to be demanded."""
        return [self.leaf_index, *(index for index in self.drawn if index != self.leaf_index)]


def inspect(
    data: BatchData,
    rules: Rules,
    domain: Domain,
    drawn: Sequence[int],
    rerun: Rerun,
    taken: Callable[[], Container[Key]] = frozenset,
) -> Finding:
    """Look at a batch whose data hash to its root.

    Args:
        data: the batch's.
        rules: of its network.
        domain: the registry's.
        drawn: leaves to run again.
        rerun: the model.
        taken: as of find_faults.

    Raises:
        RunnerError: the model could not be run.
    """
    batch, records = data.record.batch, data.records
    fault = next(find_faults(batch, data.record.stamp, records, rules, domain, taken), None)
    if fault is not None:
        note = f"{fault.rule}: {fault.reason}"
        return Finding(_kind(fault), fault.leaf_index, note, drawn=tuple(drawn))
    judged: list[Judged] = []
    for start in range(0, len(drawn), _CHUNK):
        part = drawn[start : start + _CHUNK]
        try:
            judged += rerun.judge([records[index] for index in part])
        except BytesMissingError as error:
            missing = part[error.place]
            return Finding(
                *(FindingKind.WITHHELD, missing, str(error), start),
                drawn=tuple(drawn),
                judged=tuple(judged),
            )
        executed = start + len(part)
        places = _with(judged, Verdict.WRONG)
        if places:
            note = f"another output at {len(places)} of {executed} leaves run again"
            if reason := judged[places[0]].reason:
                note += f", the first by: {reason}"
            index, doubtful = drawn[places[0]], len(_with(judged, Verdict.DOUBTFUL))
            return Finding(
                *(FindingKind.WRONG, index, note, executed, doubtful, tuple(drawn)),
                judged=tuple(judged),
                leaf=data.leaf(index),
            )
    return _without_wrong(rerun, judged, drawn)


def _without_wrong(rerun: Rerun, judged: Sequence[Judged], drawn: Sequence[int]) -> Finding:
    """Return the finding about leaves of which none is wrong, by the rule for batches."""
    places, executed = _with(judged, Verdict.DOUBTFUL), len(drawn)
    verdict, together = rerun.judge_batch(judged)
    kind = FindingKind.GOOD if verdict is Verdict.GOOD else FindingKind.DOUBTFUL
    worst, note = 0, ""
    if places:
        worst = max(places, key=lambda place: judged[place].way)
        note = f"{len(places)} of {executed} leaves run again are doubtful, most by: "
        note += judged[worst].reason
    elif kind is FindingKind.DOUBTFUL:
        note = f"{executed} leaves run again are doubtful together: {together}"
    index = drawn[worst] if note else 0
    return Finding(*(kind, index, note, executed, len(places), tuple(drawn)), judged=tuple(judged))


def _with(judged: Sequence[Judged], verdict: Verdict) -> list[int]:
    return [place for place, one in enumerate(judged) if one.verdict is verdict]


def _kind(fault: Fault) -> FindingKind:
    if fault.rule.convicts:
        return FindingKind.FAULTY
    if fault.rule is LeafRule.MISSING:
        return FindingKind.SHORT
    return FindingKind.OVERFULL if fault.rule is LeafRule.SURPLUS else FindingKind.UNSIGNED
