"""Shared parts of an operator's chain work: the lane, its journal, its data, and who sends."""

from dataclasses import dataclass, field

from tallystick.actions.batch_data import BatchData
from tallystick.chain.follower import Follower, Head
from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender
from tallystick.errors import StoreError
from tallystick.node.log import Log, get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal import OperatorJournal
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.enums import State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.ledger import Lane as LaneStanding
from tallystick.protocol.merkle import Tree
from tallystick.storage.batch_store import BatchStore


@dataclass(frozen=True, slots=True)
class OperatorLane:
    """One operator's lane in one network."""

    settings: OperatorSettings
    registry: Registry
    sender: Sender
    follower: Follower
    journal: OperatorJournal
    store: BatchStore
    metrics: Metrics
    log: Log = field(default_factory=lambda: get_log("lane"))

    @property
    def ledger(self) -> Ledger:
        """The ledger of the events up to the last look."""
        return self.follower.ledger

    @property
    def head(self) -> Head:
        """The chain's newest block at the last look; there has been one."""
        assert self.follower.head is not None
        return self.follower.head

    @property
    def operator(self) -> bytes:
        """The operator, 20 bytes: the account, or whom the account is the key of."""
        return self.settings.operator or self.sender.address

    @property
    def standing(self) -> LaneStanding:
        """The lane in the ledger."""
        return self.ledger.lanes[self.settings.network_id, self.operator]

    def own_batches(self) -> list[BatchState]:
        """Return the lane's batches that the chain has."""
        key = self.settings.network_id, self.operator
        return [
            record
            for record in self.ledger.batches.values()
            if (record.batch.network_id, record.batch.operator) == key
        ]

    def held_batches(self) -> list[BatchState]:
        """Return the batches that the lane's slots hold."""
        return [self.ledger.batches[one] for one in self.standing.slots.values()]

    def open_batches(self) -> int:
        """Return how many of the lane's batches may still be demanded."""
        now = self.head.now
        return sum(
            one.state is State.DISPUTED or (one.state is State.OPEN and one.stamp.closes_at > now)
            for one in self.held_batches()
        )

    def data(self, record: BatchState) -> BatchData:
        """Return a batch's data from the store, else from the journal.

        Raises:
            StoreError: the store fails, and the journal does not know the batch.
        """
        try:
            return BatchData.load(self.store, record)
        except StoreError as error:
            self.log.warning("store failed", batch_id=record.id, reason=str(error))
            for noted in self.journal.batches():
                if noted.batch.id() == record.id:
                    records = self.journal.records(noted)
                    break
            else:
                raise
        batch = record.batch
        tree = Tree.from_leaves(
            hash_leaves([one.inference(batch.model_id, batch.operator) for one in records])
        )
        if tree.root != batch.root:
            raise JournalError(f"the journal's leaves of batch {to_hex(record.id)} miss its root")
        return BatchData(record, records, tree)
