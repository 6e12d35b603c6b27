"""Submit: prepare, keep the data, note, send, receipts. Each step may crash; a second run goes on.

Data are kept before the batch is noted, and it is noted before it is sent: so a noted batch can
always be sent again, and a batch that the chain has is always known here.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from tallystick.actions.commit import commit, need_key
from tallystick.actions.submission.journal import Source
from tallystick.actions.submission.lane import LaneSubmitter, for_batches
from tallystick.actions.submission.plan import Stage, Submission, SubmissionPlan, make_plan
from tallystick.actions.submission.receipts import BatchReceipts
from tallystick.actions.submission.slots import SlotChoice, choose_slot
from tallystick.chain.call import Call
from tallystick.errors import SubmitError
from tallystick.protocol.ledger import Ledger


@dataclass(frozen=True, slots=True)
class PreparedSubmission:
    """A batch and the call that commits it, as the chain stood; to be simulated or sent."""

    source: Source
    plan: SubmissionPlan
    place: SlotChoice
    stake_needed: int
    """Of the lane, with this batch; units of the network's asset."""
    stake: int
    call: Call
    ledger: Ledger
    """By which all of it was chosen."""

    @property
    def covered(self) -> bool:
        """True when the lane's stake suffices."""
        return self.stake_needed <= self.stake


@dataclass(frozen=True, slots=True)
class Submitted:
    """A batch that the chain has."""

    plan: SubmissionPlan
    sent: bool
    """By this run; False: an earlier one had sent it."""
    transaction: bytes
    block: int
    receipts: Path
    """Their file."""
    issued: BatchReceipts


class Submitter(LaneSubmitter):
    """Commits one submission at a time; arguments as LaneSubmitter's."""

    def prepare(self, order: Submission, stage: Stage = lambda name: None) -> PreparedSubmission:
        """Return the batch that records become, and its call; writes and sends nothing.

        Raises:
            RecordError: wrong lines.
            SubmitError: network or model are unknown, or a key would commit with evidence.
            ActionError: the sender is neither the operator nor its key.
            StoreError: the data of a batch that is noted already cannot be read.
        """
        source, ledger = self._source(order), self._ledger()
        self._check_sender(order, ledger)
        plan = make_plan(
            order,
            source,
            self._registry,
            ledger,
            self._store,
            self._journal,
            self._now(),
            stage,
        )
        lane = ledger.lanes[plan.batch.network_id, plan.batch.operator]
        place = choose_slot(ledger, lane, self._now())
        rules = ledger.networks[plan.batch.network_id].rules
        count = 0 if plan.committed else plan.batch.count - place.replaced_count
        needed = rules.stake_per_inference * (lane.open_inferences + count)
        call = self._call(order, plan, place)
        return PreparedSubmission(source, plan, place, needed, lane.stake, call, ledger)

    def attested(self, prepared: PreparedSubmission, order: Submission) -> PreparedSubmission:
        """Return a prepared batch as committed with an order's evidence: no other batch.

        Raises:
            SubmitError: a key would commit with evidence.
        """
        self._check_sender(order, prepared.ledger)
        return replace(prepared, call=self._call(order, prepared.plan, prepared.place))

    def simulate(self, prepared: PreparedSubmission) -> int | None:
        """Return the gas of the commit; None when the stake is short, or the chain has it already.

        Raises:
            ContractError: the registry would refuse the batch.
        """
        if prepared.plan.committed or not prepared.covered:
            return None
        return self._sender.simulate(prepared.call)

    def note(self, prepared: PreparedSubmission) -> None:
        """Keep the data and note the batch, so that the same records become no other one."""
        self._keep(prepared.source, prepared.plan)

    def send(self, prepared: PreparedSubmission, stage: Stage = lambda name: None) -> Submitted:
        """Commit a prepared batch, unless the chain has it, and write its receipts.

        Raises:
            SubmitError: the stake is too small; nothing was sent.
            ContractError: the registry refuses the batch.
            StoreError: the data cannot be kept; nothing was sent.
            WaitError: no block holds the commit yet, or no node tells of it.
        """
        plan, ledger, sent = prepared.plan, prepared.ledger, False
        if not plan.committed:
            if not prepared.covered:
                raise SubmitError(
                    f"the lane's stake is {prepared.stake}; "
                    f"needed with this batch: {prepared.stake_needed}"
                )
            self.note(prepared)
            ledger, sent = self._sent(prepared.call, [plan.batch.id()])
        committed, receipts, path = self._receipted(ledger, plan, stage)
        return Submitted(
            plan,
            sent,
            committed.committed.tx_hash,
            committed.committed.block_number,
            path,
            receipts,
        )

    def submit(self, order: Submission, stage: Stage = lambda name: None) -> Submitted:
        """Prepare and send; see both for errors."""
        return self.send(self.prepare(order, stage), stage)

    def _check_sender(self, order: Submission, ledger: Ledger) -> None:
        need_key(self._sender.address, self._operator, ledger.key_of(self._operator))
        if order.attestation is not None and self._sender.address != self._operator:
            raise SubmitError(
                "a key commits without evidence; needed: the operator's own account, or "
                "`ape tallystick attest` afterwards"
            )

    def _call(self, order: Submission, plan: SubmissionPlan, place: SlotChoice) -> Call:
        commitment = place.commitment(plan.batch)
        if order.attestation is None:
            call = commit(self._registry, self._sender.address, self._operator, commitment)
        else:
            grade, evidence = order.attestation
            call = self._registry.call("commitAttested", commitment, int(grade), evidence)
        return for_batches(call, [plan.batch.id()])
