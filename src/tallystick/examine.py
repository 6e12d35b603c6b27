"""The rules that a batch's data show to be kept or broken, without running its model."""

from collections.abc import Sequence
from typing import NamedTuple

from tallystick.batch import Batch, Stamp
from tallystick.eip712 import Domain
from tallystick.errors import SignatureError
from tallystick.network import Rules
from tallystick.record import Record


class Flaw(NamedTuple):
    """A broken rule."""

    leaf_index: int
    rule: str
    """order, deadline, solicited or signature."""


def first_flaw(
    batch: Batch, stamp: Stamp, records: Sequence[Record], rules: Rules, domain: Domain
) -> Flaw | None:
    """Return the first leaf that breaks a rule; None when all keep them.

    Args:
        batch: whose root the records were found to hash to.
        stamp: as at commit, for the time.
        records: all leaves, in order.
        rules: of the batch's network.
        domain: the core's.
    """
    latest = stamp.committed_at + rules.challenge_window // 2
    before: tuple[bytes, int] | None = None
    for index, record in enumerate(records):
        inference = record.inference(batch.model_id, batch.operator)
        if before is not None and inference.key <= before:
            return Flaw(index, "order")
        before = inference.key
        if not stamp.committed_at <= inference.deadline <= latest:
            return Flaw(index, "deadline")
        if inference.solicited:
            try:
                inference.request().check(domain, record.signature)
            except SignatureError:
                return Flaw(index, "signature")
        elif rules.solicited:
            return Flaw(index, "solicited")
    return None
