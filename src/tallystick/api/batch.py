"""A batch: how it stands, its receipts, and the actions on it."""

import time
from collections.abc import Sequence
from pathlib import Path

from tallystick.actions import disputes, finality, open_batch
from tallystick.actions.batch_data import BatchData, opening_of
from tallystick.actions.chain_view import ChainView
from tallystick.actions.convict import disprove, fault
from tallystick.actions.submission.receipts import BatchReceipts
from tallystick.api.context import Context
from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.errors import ActionError, BatchRejectedError, ContractError, WaitError
from tallystick.protocol.batch import Batch
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import Opening
from tallystick.protocol.receipt import Receipt

_POLL = 2.0
"""Seconds between two looks at the chain."""


class BatchHandle:
    """A committed batch of a network; made by `NetworkHandle.submit` and its kin.

    Each action raises, if it cannot be: ReadOnlyError where nobody is named who could send;
    ActionError where the registry would refuse it, nothing was sent; ContractError where the
    registry refuses it; StoreError where the batch's data are needed and cannot be read.
    """

    def __init__(
        self,
        context: Context,
        batch: Batch,
        receipts: Sequence[Receipt] | None = None,
        path: Path | None = None,
    ) -> None:
        self._context, self._receipts = context, receipts
        self.batch = batch
        """What its id is the hash of."""
        self.id = batch.id()
        """32 bytes."""
        self.receipts_file = path
        """Where its receipts were written; None: it was not submitted by this handle."""

    def __repr__(self) -> str:
        return f"<batch {to_hex(self.id)} of {self.batch.count}>"

    def __len__(self) -> int:
        return self.batch.count

    @property
    def receipts(self) -> Sequence[Receipt]:
        """A receipt for each inference, in the order of the leaves; see BatchData.load for errors.

        Unsolicited inferences keep the order in which they were submitted; solicited ones are in
        the order of their requesters and nonces.
        """
        if self._receipts is None:
            ledger = self._context.view(self.id).ledger
            data = BatchData.load(self._context.store, ledger.batches[self.id])
            self._receipts = BatchReceipts(
                self._context.registry, ledger, data.record, data.records, data.tree
            )
        return self._receipts

    def status(self) -> BatchState:
        """Return the batch as it stands now: state, grade, outcome, dispute, cause."""
        return self._context.view(self.id).batch(self.id)

    def wait(
        self, final: bool = True, timeout: float | None = None, poll: float = _POLL
    ) -> BatchState:
        """Wait until the batch is final, and return it; an account that acts finalizes it in time.

        Args:
            final: False: wait only until its challenge window is over, and send nothing.
            timeout: seconds; None: as long as it takes.
            poll: seconds between two looks at the chain.

        Raises:
            BatchRejectedError: it was rejected: it never becomes final.
            WaitError: the time is over.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            view = self._context.view(self.id)
            record = view.batch(self.id)
            if record.state is State.REJECTED:
                raise BatchRejectedError(self.id, record.cause.name.lower(), record.leaf_index)
            closed = record.state is State.OPEN and view.now >= record.stamp.closes_at
            if record.state is State.FINAL or (closed and not final):
                return record
            if closed and self._context.actor is not None and self._finalize(view):
                continue
            left = poll if end is None else min(poll, end - time.monotonic())
            if left <= 0:
                state = record.state.name.lower()
                raise WaitError(f"batch {to_hex(self.id)} is {state} after {timeout} s")
            time.sleep(left)

    def finalize(self) -> None:
        """Make it final, once its challenge window is over."""
        view, registry = self._acting()
        self._send(finality.finalize(view, registry, [self.id]))

    def archive(self) -> None:
        """Keep its final status for good, whatever its slot is used for."""
        view, registry = self._acting()
        self._send(finality.archive(view, registry, self.id))

    def attest(self, grade: Grade, evidence: bytes) -> None:
        """Raise its grade.

        Args:
            grade: that the evidence is for.
            evidence: in the attestor's own encoding, such as `Statement.evidence` of an audit.
        """
        view, registry = self._acting()
        self._send(open_batch.attest(view, registry, self.id, grade, evidence))

    def challenge(self, leaf: int | Receipt) -> None:
        """Have the network's arbiter rule on a leaf; this account's credit pays the bond.

        Args:
            leaf: its index, opened by the batch's data; or its receipt, where they are withheld.
        """
        view, registry = self._acting()
        opening = self._opening(view, leaf)
        self._send(open_batch.challenge(view, registry, self.id, opening))

    def demand(self, leaf: int, with_bytes: bool = False) -> None:
        """Demand that a leaf be revealed; this account's credit pays the bond.

        Args:
            leaf: its index.
            with_bytes: with its input and output.
        """
        view, registry = self._acting()
        self._send(open_batch.demand(view, registry, self.id, leaf, with_bytes))

    def reveal(self) -> None:
        """Answer the demand that is pending, by the batch's data."""
        view, registry = self._acting()
        data = BatchData.load(self._context.store, view.batch(self.id))
        self._send(disputes.reveal(view, registry, self.id, data))

    def resolve(self, evidence: bytes) -> None:
        """Have the arbiter rule on the challenge that is pending.

        Args:
            evidence: in the arbiter's own encoding.
        """
        view, registry = self._acting()
        record = view.batch(self.id)
        if record.dispute is None:
            raise ActionError(f"batch {to_hex(self.id)} has no challenge that is pending")
        leaf = self._opening(view, record.dispute.leaf_index).inference
        self._send(disputes.resolve(view, registry, self.id, leaf, evidence))

    def disprove(self, leaf: int | Receipt, evidence: bytes) -> None:
        """Reject it at once, by evidence on which the arbiter finds a leaf wrong; without a bond.

        Args:
            leaf: its index, or its receipt.
            evidence: in the arbiter's own encoding.
        """
        view, registry = self._acting()
        opening = self._opening(view, leaf)
        self._send(disprove(view, registry, self.id, opening, evidence))

    def fault(self) -> None:
        """Reject it at once for a rule that its data break; without a bond."""
        view, registry = self._acting()
        self._send(fault(view, registry, self.id, self._context.store))

    def timeout(self) -> None:
        """Reject it for a demand that stayed unanswered."""
        view, registry = self._acting()
        self._send(disputes.timeout(view, registry, self.id))

    def lapse(self) -> None:
        """End a challenge on which nobody ruled in time."""
        view, registry = self._acting()
        self._send(disputes.lapse(view, registry, self.id))

    def _finalize(self, view: ChainView) -> bool:
        """Return whether it was made final; else somebody else was first, or a dispute was."""
        try:
            self._send(finality.finalize(view, self._context.registry, [self.id]))
        except (ActionError, ContractError):
            return False
        return True

    def _opening(self, view: ChainView, leaf: int | Receipt) -> Opening:
        record = view.batch(self.id)
        if isinstance(leaf, Receipt):
            return opening_of(leaf, record)
        return BatchData.load(self._context.store, record).opening(leaf)

    def _acting(self) -> tuple[ChainView, Registry]:
        """Return what an action looks at; ReadOnlyError where nobody is named who could send."""
        _ = self._context.sender
        return self._context.view(self.id), self._context.registry

    def _send(self, call: Call) -> None:
        self._context.send(call)
