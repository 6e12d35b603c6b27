"""Batches of an operator's zk models: what is proven together, the rest in time and by itself.

An answer waits for its proof until the proof is made, has failed, or the answer's deadline is
near. Proven answers become a batch that is graded by their proofs; what cannot be proven, or not in
time, becomes a batch of its own without a grade, so that every receipt comes true.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from web3.exceptions import Web3Exception

from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.actions.open_batch import attest
from tallystick.actions.submission.proven import CONTRACT, proven_evidence
from tallystick.chain.call import Call, encode_call
from tallystick.chain.fees import MOST_GAS
from tallystick.chain.sender import estimate
from tallystick.errors import ContractError, FieldError
from tallystick.node.operator.journal import PendingBatch
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.reveal_capacity import MOST_DATA
from tallystick.node.operator.zk.model import load_proven
from tallystick.node.operator.zk.queue import LATEST, MOST_LOOKED_AT, ProofState, ProvingQueue
from tallystick.protocol.batch import Batch
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.record import InferenceRecord
from tallystick.zk.errors import ZkError

REGISTRY_GAS = 200_000
"""That the registry adds to its attestor's, with the commit, at most."""
_HEAD = 1_024
"""Bytes of the registry's call beside the evidence, at most."""
_TOO_MUCH = ("gas required exceeds", "out of gas", "exceeds block gas limit", "gas limit too high")
"""In what nodes say of a call that takes more gas than they allow."""


@dataclass(slots=True)
class _Group:
    """Answers that go into one batch."""

    records: list[InferenceRecord]
    is_due: bool


@dataclass(slots=True)
class ProvenBatches:
    """Batches of zk models as a lane's committer makes them, and their grades."""

    lane: OperatorLane
    queue: ProvingQueue
    folder: Path
    """Of proofs, laid out as `zk prove` does."""
    _since: dict[tuple[bytes, int], float] = field(default_factory=dict)
    """When an answer was first seen proven, or failed; seconds of the monotonic clock."""
    _over: set[bytes] = field(default_factory=set)
    """Batches whose grade is settled: raised, or not to be had."""

    def load(self) -> None:
        """Load the models; the chain was looked at.

        Raises:
            SettingsError: see load_proven.
        """
        lane = self.lane
        served = lane.settings.models
        self.queue.models = load_proven(served, lane.ledger, lane.registry, self.folder)

    def begin(self) -> None:
        """Have answers be proven from now on; called with each look at the chain."""
        self.queue.begin(int(self._near))

    def serves(self, model_id: bytes) -> bool:
        """Return whether a model's answers are proven."""
        return model_id in self.queue.models

    def is_due(self, model_id: bytes) -> bool:
        """Return whether some answers of a model are to be committed now."""
        return any(group.is_due for group in self._groups(model_id))

    def take(self, model_id: bytes, most: int, first: int, last: int) -> list[InferenceRecord]:
        """Return the answers of the next batch; see OperatorJournal.take for the arguments."""
        for group in self._groups(model_id):
            fit = [one for one in group.records if first <= (one.deadline or 0) <= last]
            if group.is_due and fit:
                return fit[:most]
        return []

    def fits(self, batch: Batch, records: Sequence[InferenceRecord]) -> bool:
        """Return whether a transaction can carry a batch's proofs, and the chain takes them.

        A batch without proofs fits. A single answer whose proof is refused counts as failed.

        Raises:
            Web3Exception: the node cannot say, and there is time to ask again.
        """
        try:
            self._check(batch, records)
        except (ContractError, ZkError, FieldError) as error:
            if len(records) == 1:
                self.queue.fail(records[0], str(error))
            else:
                lane = self.lane
                lane.log.info("too many proofs at once", leaves=len(records), reason=str(error))
            return False
        except (Web3Exception, OSError):
            if not self._is_urgent(batch):
                raise
        return True

    def noted(self, records: Sequence[InferenceRecord]) -> None:
        """Forget answers that are in a batch now."""
        for one in records:
            self._since.pop(one.key, None)

    def commitment(self, noted: PendingBatch, commitment: tuple[Any, ...]) -> Call | None:
        """Return the call that commits a batch with its proofs.

        None: not all is proven; or the account is the operator's key, which commits without; or
        there is so little time left that the batch goes first, and its proofs after it.
        """
        lane, batch = self.lane, noted.batch
        if not self.serves(batch.model_id) or lane.sender.address != lane.operator:
            return None
        if self._is_urgent(batch):
            return None
        try:
            evidence = self._evidence_of(noted)
        except (ZkError, FieldError) as error:
            lane.log.error("not committed with proofs", batch_id=batch.id(), reason=str(error))
            return None
        if evidence is None:
            return None
        return lane.registry.call("commitAttested", commitment, int(Grade.PROVEN), evidence)

    def attest(self) -> None:
        """Show the proofs of batches that the chain has without them.

        These are batches that the operator's key has committed, and those whose proofs were refused
        when they were committed.
        """
        lane, now = self.lane, self.lane.head.now
        left = [
            one
            for one in lane.own_batches()
            if self.serves(one.batch.model_id)
            and one.id not in self._over
            and one.state is State.OPEN
            and one.grade < Grade.PROVEN
            and one.stamp.closes_at > now
        ]
        known = {noted.batch.id(): noted for noted in lane.journal.batches()} if left else {}
        for record in left:
            noted = known.get(record.id)
            if noted is not None:
                self._attest(noted)
            self._over.add(record.id)

    def _attest(self, noted: PendingBatch) -> None:
        lane, batch_id = self.lane, noted.batch.id()
        records = lane.journal.records(noted)
        try:
            evidence = self._evidence(noted.batch, records)
            if evidence is None:
                self.queue.forget(records)
                return
            view = ChainView(lane.ledger, lane.head.now, lane.sender.address, lane.registry)
            lane.sender.send(attest(view, lane.registry, batch_id, Grade.PROVEN, evidence))
            lane.log.info("batch proven", batch_id=batch_id, count=noted.batch.count)
        except (ContractError, ActionError, ZkError, FieldError) as error:
            lane.metrics.failures.labels("attest").inc()
            lane.log.error("batch stays without a grade", batch_id=batch_id, reason=str(error))

    @property
    def _near(self) -> float:
        """Deadlines up to here, Unix seconds, are near: their answers are committed as they are."""
        return self.lane.head.now + self.lane.settings.commit_margin

    def _groups(self, model_id: bytes) -> list[_Group]:
        """Return the answers that wait and are proven, and those that are not to be proven."""
        lane, settings = self.lane, self.lane.settings
        near = self._near
        proven: list[InferenceRecord] = []
        others: list[InferenceRecord] = []
        for one in lane.journal.take(model_id, MOST_LOOKED_AT, 0, LATEST):
            state = self.queue.state(model_id, one)
            if state is ProofState.PROVEN:
                proven.append(one)
            elif state is ProofState.FAILED or (one.deadline or 0) <= near:
                others.append(one)
        most = min(settings.proving.leaves, settings.commit_at)
        return [
            _Group(proven[:most], self._is_due(proven, most, near)),
            _Group(others, self._is_due(others, settings.commit_at, near)),
        ]

    def _is_due(self, records: Sequence[InferenceRecord], most: int, near: float) -> bool:
        if not records:
            return False
        now = monotonic()
        oldest = min(self._since.setdefault(one.key, now) for one in records)
        return (
            len(records) >= most
            or now >= oldest + self.lane.settings.commit_every
            or any((one.deadline or 0) <= near for one in records)
        )

    def _is_urgent(self, batch: Batch) -> bool:
        """Return whether there is no time to ask once more."""
        lane = self.lane
        return batch.commit_deadline <= lane.head.now + lane.settings.commit_margin / 2

    def _check(self, batch: Batch, records: Sequence[InferenceRecord]) -> None:
        evidence = self._evidence(batch, records)
        if evidence is None:
            return
        if len(evidence) + _HEAD > MOST_DATA:
            raise ContractError("TooLarge", {"bytes": len(evidence), "most": MOST_DATA - _HEAD})
        gas = self._gas(batch, evidence) + REGISTRY_GAS
        if gas > MOST_GAS:
            raise ContractError("TooMuchGas", {"needed": gas, "most": MOST_GAS})

    def _evidence_of(self, noted: PendingBatch) -> bytes | None:
        return self._evidence(noted.batch, self.lane.journal.records(noted))

    def _evidence(self, batch: Batch, records: Sequence[InferenceRecord]) -> bytes | None:
        """Return a batch's evidence; None where a leaf has no proof.

        Raises:
            ZkError: a proof's file is damaged.
            FieldError: the journal has lost a leaf's bytes.
        """
        model = self.queue.models[batch.model_id]
        states = (self.queue.state(batch.model_id, one) for one in records)
        if not all(state is ProofState.PROVEN for state in states):
            return None
        return proven_evidence(model.registered, batch.operator, records, model.proofs.get)

    def _gas(self, batch: Batch, evidence: bytes) -> int:
        """Return the gas that the attestor takes; ContractError where it refuses, or runs out."""
        lane = self.lane
        rules, now = lane.ledger.networks[batch.network_id].rules, lane.head.now
        facts = batch.abi(), now, lane.head.number, now
        attestor = rules.attestors[Grade.PROVEN - 1]
        call = encode_call(CONTRACT, attestor, "attest", batch.id(), facts, evidence)
        try:
            return estimate(lane.registry.w3, lane.sender.address, call)
        except Web3Exception as error:
            if any(words in str(error).lower() for words in _TOO_MUCH):
                raise ContractError("TooMuchGas", {"reason": str(error)}) from error
            raise
