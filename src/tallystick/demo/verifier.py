"""A verifier compares what operators committed with what it computes; it knows nothing of them."""

from dataclasses import dataclass, field

from tallystick.batch import Batch
from tallystick.demo.world import World
from tallystick.errors import BatchMissingError
from tallystick.examine import first_flaw
from tallystick.inference import hash_leaves
from tallystick.ledger import BatchRecord
from tallystick.opening import Opening
from tallystick.record import Record
from tallystick.replay.engine import Engine
from tallystick.store import BatchStore
from tallystick.tree import Tree

Key = tuple[bytes, int]


@dataclass(frozen=True)
class Data:
    """A batch's data, rebuilt and found to hash to its root."""

    batch: Batch
    records: list[Record]
    tree: Tree

    def opening(self, index: int) -> Opening:
        """Open one leaf."""
        inference = self.records[index].inference(self.batch.model_id, self.batch.operator)
        return Opening(inference, index, self.tree.proof(index))


@dataclass(frozen=True)
class Withheld:
    """The store does not have the batch's data."""


@dataclass(frozen=True)
class Wrong:
    """A leaf's answer is not what the model says."""

    data: Data
    index: int
    wrong: int
    """How many leaves are wrong in all."""


@dataclass(frozen=True)
class Repeated:
    """A leaf's (requester, nonce) stands in an earlier batch of the lane."""

    data: Data
    index: int
    earlier: Data
    earlier_index: int


@dataclass(frozen=True)
class Malformed:
    """A leaf breaks a rule that its data shows."""

    data: Data
    index: int
    rule: str


@dataclass(frozen=True)
class Good:
    """Nothing is wrong with any leaf."""

    data: Data


Finding = Withheld | Wrong | Repeated | Malformed | Good


@dataclass
class Verifier:
    """Looks at batches one after another, and remembers what their lanes have used."""

    world: World
    engine: Engine
    store: BatchStore
    seen: dict[tuple[bytes, bytes, Key], tuple[Data, int]] = field(default_factory=dict)

    def look(self, record: BatchRecord) -> Finding:
        """Fetch a batch's data and check everything about it."""
        batch = record.batch
        try:
            records = self.store.get(batch.root, batch.model_id, batch.operator)
        except BatchMissingError:
            return Withheld()
        inferences = [entry.inference(batch.model_id, batch.operator) for entry in records]
        data = Data(batch, records, Tree.from_leaves(hash_leaves(inferences)))
        rules = self.world.stage_of(batch.network_id).rules
        flaw = first_flaw(batch, record.stamp, records, rules, self.world.registry.domain)
        if flaw is not None:
            return Malformed(data, *flaw)
        repeat = self._repeat(data)
        if repeat is not None:
            return repeat
        right = self.engine.infer([entry.input or b"" for entry in records])
        pairs = zip(records, right, strict=True)
        wrong = [index for index, (entry, output) in enumerate(pairs) if entry.output != output]
        return Wrong(data, wrong[0], len(wrong)) if wrong else Good(data)

    def _repeat(self, data: Data) -> Repeated | None:
        lane = data.batch.network_id, data.batch.operator
        for index, record in enumerate(data.records):
            key = record.requester, record.nonce or 0
            earlier = self.seen.setdefault((*lane, key), (data, index))
            if earlier[0].batch.index < data.batch.index:
                return Repeated(data, index, *earlier)
        return None
