"""What an operator's chain work shares: the lane, its journal, its data, and who sends."""

from dataclasses import dataclass, field

from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender
from tallystick.errors import StoreError
from tallystick.hexes import to_hex
from tallystick.inference import hash_leaves
from tallystick.ledger import BatchRecord, Ledger
from tallystick.ledger import Lane as LaneStanding
from tallystick.moves.data import BatchData
from tallystick.node.follower import Follower, Head
from tallystick.node.log import Log, get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal import Journal
from tallystick.node.settings import Operator
from tallystick.store import BatchStore
from tallystick.tree import Tree


@dataclass(frozen=True, slots=True)
class Lane:
    """One operator's lane in one network."""

    settings: Operator
    registry: Registry
    sender: Sender
    follower: Follower
    journal: Journal
    store: BatchStore
    metrics: Metrics
    log: Log = field(default_factory=lambda: get_log("lane"))

    @property
    def ledger(self) -> Ledger:
        """What the events said at the last look."""
        return self.follower.ledger

    @property
    def head(self) -> Head:
        """Where the chain was at the last look; there has been one."""
        assert self.follower.head is not None
        return self.follower.head

    @property
    def operator(self) -> bytes:
        """Whose lane it is, 20 bytes: the account's, or that of whom the account is the key."""
        return self.settings.operator or self.sender.address

    @property
    def standing(self) -> LaneStanding:
        """The lane in the ledger."""
        return self.ledger.lanes[self.settings.network_id, self.operator]

    def own_batches(self) -> list[BatchRecord]:
        """Return the lane's batches that the chain has."""
        key = self.settings.network_id, self.operator
        return [
            record
            for record in self.ledger.batches.values()
            if (record.batch.network_id, record.batch.operator) == key
        ]

    def data(self, record: BatchRecord) -> BatchData:
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
