"""Audits that are on chain: events carry the evidence by which batches were attested.

Whoever signed an audit whose draw held a leaf that convicted the batch loses its stake.
"""

from collections.abc import Iterator

from tallystick.batch import Batch
from tallystick.chain.call import Call
from tallystick.chain.panel import Panel
from tallystick.committee import Audit, packed
from tallystick.draw import draw
from tallystick.enums import Grade
from tallystick.errors import FieldError
from tallystick.events import EvidenceAccepted
from tallystick.node.verifier.journal import Journal

_HEAD = 4 * 32


def conviction(
    panel: Panel, journal: Journal, batch: Batch, leaf_index: int, own: int | None
) -> Call | None:
    """Return the call that burns the stake of who audited a leaf that convicted its batch.

    Args:
        panel: the committee that audited.
        journal: that has the core's logs.
        batch: rejected by a ruling or a disproof.
        leaf_index: the leaf that did.
        own: this node's place in the committee: it does not convict itself. None: it has none.
    """
    for audit, signatures in _audits(journal, batch):
        drawn = draw(audit.seed, audit.batch_id, audit.drawn, batch.count)
        if leaf_index in drawn and own not in signatures:
            return panel.call("convict", audit.abi(), packed(signatures))
    return None


def _audits(journal: Journal, batch: Batch) -> Iterator[tuple[Audit, dict[int, bytes]]]:
    """Yield the audits of a batch that the core accepted as evidence."""
    for event in journal.events(EvidenceAccepted, batch.id()):
        if event.grade is not Grade.AUDITED:
            continue
        try:
            audit = Audit(
                event.evidence[:32],
                event.evidence[32:64],
                int.from_bytes(event.evidence[64:96], "big"),
                bool(int.from_bytes(event.evidence[96:_HEAD], "big")),
            )
        except FieldError:
            continue
        if audit.batch_id == batch.id():
            yield audit, _unpacked(event.evidence[_HEAD:])


def _unpacked(signatures: bytes) -> dict[int, bytes]:
    """Return signatures by the signer's place.

    >>> _unpacked(packed({2: b"xyz", 0: b"a"}))
    {0: b'a', 2: b'xyz'}
    """
    found, at = {}, 0
    while at + 3 <= len(signatures):
        size = int.from_bytes(signatures[at + 1 : at + 3], "big")
        found[signatures[at]] = signatures[at + 3 : at + 3 + size]
        at += 3 + size
    return found
