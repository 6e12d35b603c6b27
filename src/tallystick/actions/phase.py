"""Phase of a batch as time goes by, and what may be done with it next."""

from enum import StrEnum

from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.ledger import BatchState


class Phase(StrEnum):
    """State of a batch, with what time alone has changed."""

    OPEN = "open"
    """Can be attested, challenged, demanded."""
    FINALIZABLE = "finalizable"
    """Its window is over, and nobody has finalized it."""
    DISPUTED = "disputed"
    """Waits for a ruling, or for a leaf to be revealed."""
    DUE = "due"
    """The time for that is over: a lapse or timeout ends the dispute."""
    FINAL = "final"
    REJECTED = "rejected"


LIVE = frozenset(Phase) - {Phase.FINAL, Phase.REJECTED}
"""Of batches about which something can still be done."""


def phase_of(record: BatchState, now: int) -> Phase:
    """Return where a batch stands.

    Args:
        record: the batch, as its events leave it.
        now: Unix seconds; time of a block mined now.
    """
    if record.state is State.OPEN:
        return Phase.OPEN if now < record.stamp.closes_at else Phase.FINALIZABLE
    if record.state is State.DISPUTED:
        assert record.dispute is not None
        return Phase.DISPUTED if now <= record.dispute.due else Phase.DUE
    return Phase.FINAL if record.state is State.FINAL else Phase.REJECTED


def moves_of(record: BatchState, now: int, in_game: bool = False) -> list[str]:
    """Return the names of the commands that may change a batch now; empty: it is over.

    Args:
        record: the batch, as its events leave it.
        now: Unix seconds; time of a block mined now.
        in_game: whether a replay game settles its challenge.
    """
    phase = phase_of(record, now)
    kind = record.dispute.kind if record.dispute else DisputeKind.NONE
    if phase is Phase.OPEN:
        return ["attest", "challenge", "demand", "disprove", "fault"]
    if phase is Phase.FINALIZABLE:
        return ["finalize", "disprove", "fault"]
    if phase is Phase.DISPUTED and in_game:
        return ["disprove", "defend", "fault"]
    if phase is Phase.DISPUTED:
        answer = "reveal" if kind is DisputeKind.DEMAND else "resolve"
        return [answer, "disprove", "fault"]
    if phase is Phase.DUE:
        end = "timeout" if kind is DisputeKind.DEMAND else "lapse"
        return [end, "disprove", "fault"]
    return [] if record.archived or phase is Phase.REJECTED else ["archive"]
