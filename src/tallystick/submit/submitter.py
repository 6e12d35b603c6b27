"""Submit: plan, keep the data, note, send, receipts. Each step may crash; a second run goes on.

Data are kept before the batch is noted, and it is noted before it is sent: so a noted batch can
always be sent again, and a batch that the chain has is always known here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import Sender
from tallystick.ledger import Ledger
from tallystick.moves.commit import commit, need_key
from tallystick.store import BatchStore
from tallystick.submit.errors import SubmitError
from tallystick.submit.journal import Journal, Source
from tallystick.submit.plan import Order, Plan, Stage, make_plan
from tallystick.submit.receipts import write_receipts
from tallystick.submit.slots import Place, choose_slot


@dataclass(frozen=True, slots=True)
class Preview:
    """What a submission would do."""

    plan: Plan
    place: Place
    stake_needed: int
    stake: int
    gas: int | None
    """Of the commit; None when it would be refused for want of stake, or is committed already."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A batch that the chain has."""

    plan: Plan
    sent: bool
    """By this run; False: an earlier one had sent it."""
    transaction: bytes
    block: int
    receipts: Path


class Submitter:
    """Commits files of inferences in one operator's lanes.

    Args:
        registry: the core.
        sender: the operator, or its key.
        ledger: reads the events up to the latest block.
        now: reads the time of a block mined now, in Unix seconds.
        store: where batch data go.
        journal: where batches are noted.
        receipts: folder of receipts.
        operator: whose lanes they are, 20 bytes; None: the sender's.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        ledger: Callable[[], Ledger],
        now: Callable[[], int],
        store: BatchStore,
        journal: Journal,
        receipts: Path,
        operator: bytes | None = None,
    ) -> None:
        self._registry, self._sender = registry, sender
        self._operator = operator or sender.address
        self._ledger, self._now = ledger, now
        self._store, self._journal, self._receipts = store, journal, receipts

    def preview(self, order: Order, stage: Stage = lambda name: None) -> Preview:
        """Return what submit would do; writes and sends nothing."""
        source, ledger = self._source(order), self._ledger()
        self._check_sender(order, ledger)
        plan = self._plan(order, source, ledger, stage)
        place = self._place(plan, ledger)
        needed, stake = self._stake(plan, place, ledger)
        gas = None
        if not plan.committed and needed <= stake:
            gas = self._sender.simulate(self._call(order, plan, place))
        return Preview(plan, place, needed, stake, gas)

    def submit(self, order: Order, stage: Stage = lambda name: None) -> Submitted:
        """Commit the file's batch, unless the chain has it, and write its receipts.

        Raises:
            RecordError: wrong lines; nothing was sent.
            SubmitError: the stake is too small, network or model are unknown, or a key would
                commit with evidence.
            MoveError: the sender is neither the operator nor its key; nothing was sent.
            ContractError: the core refuses the batch.
            StoreError: the data cannot be kept; nothing was sent.
        """
        source, ledger = self._source(order), self._ledger()
        self._check_sender(order, ledger)
        plan = self._plan(order, source, ledger, stage)
        if not plan.committed:
            place = self._place(plan, ledger)
            needed, stake = self._stake(plan, place, ledger)
            if needed > stake:
                raise SubmitError(f"the lane's stake is {stake}; needed with this batch: {needed}")
            if not plan.noted:
                self._note(source, plan)
            ledger = self._send(order, plan, place)
        committed = ledger.batches[plan.batch.id()]
        path = write_receipts(
            self._receipts,
            self._registry,
            ledger,
            committed,
            plan.records,
            plan.tree,
            stage("receipts"),
        )
        return Submitted(
            plan,
            not plan.committed,
            committed.committed.tx_hash,
            committed.committed.block_number,
            path,
        )

    def note(self, order: Order, plan: Plan) -> None:
        """Keep a plan's data and note its batch, so that submit sends this one and no other."""
        self._note(self._source(order), plan)

    def _note(self, source: Source, plan: Plan) -> None:
        self._store.put(plan.batch.model_id, plan.batch.operator, plan.records, plan.tree)
        self._journal.note(source, plan.batch)

    def _send(self, order: Order, plan: Plan, place: Place) -> Ledger:
        """Send, and return what the events say then."""
        try:
            self._sender.send(self._call(order, plan, place))
        except ContractError:
            # An earlier run's transaction may have come first; the index lets one of both in.
            ledger = self._ledger()
            if plan.batch.id() not in ledger.batches:
                raise
            return ledger
        return self._ledger()

    def _source(self, order: Order) -> Source:
        return Source(
            self._registry.w3.eth.chain_id,
            self._registry.address,
            order.network_id,
            self._operator,
            order.model_id,
            Source.digest(order.path),
            order.label,
        )

    def _check_sender(self, order: Order, ledger: Ledger) -> None:
        need_key(self._sender.address, self._operator, ledger.key_of(self._operator))
        if order.attestation is not None and self._sender.address != self._operator:
            raise SubmitError(
                "a key commits without evidence; needed: the operator's own account, or "
                "`ape run attest` afterwards"
            )

    def _plan(self, order: Order, source: Source, ledger: Ledger, stage: Stage) -> Plan:
        return make_plan(
            order,
            source,
            self._registry,
            ledger,
            self._store,
            self._journal,
            self._now(),
            stage,
        )

    def _place(self, plan: Plan, ledger: Ledger) -> Place:
        lane = ledger.lanes[plan.batch.network_id, plan.batch.operator]
        return choose_slot(ledger, lane, self._now())

    def _stake(self, plan: Plan, place: Place, ledger: Ledger) -> tuple[int, int]:
        lane = ledger.lanes[plan.batch.network_id, plan.batch.operator]
        rules = ledger.networks[plan.batch.network_id].rules
        count = 0 if plan.committed else plan.batch.count - place.replaced_count
        return rules.stake_per_inference * (lane.open_inferences + count), lane.stake

    def _call(self, order: Order, plan: Plan, place: Place) -> Call:
        commitment = place.commitment(plan.batch)
        if order.attestation is None:
            return commit(self._registry, self._sender.address, self._operator, commitment)
        grade, evidence = order.attestation
        return self._registry.call("commitAttested", commitment, int(grade), evidence)
