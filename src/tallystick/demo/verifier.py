"""A verifier compares what operators committed with what it computes; it knows nothing of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tallystick.demo.world import World
from tallystick.errors import BatchMissingError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch
from tallystick.protocol.faults import Key, LeafRule, find_faults
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import Opening
from tallystick.protocol.record import InferenceRecord
from tallystick.replay.engine import Engine
from tallystick.replay.evidence import evidence
from tallystick.storage.batch_store import BatchStore


@dataclass(frozen=True)
class Data:
    """A batch's data, rebuilt and found to hash to its root."""

    batch: Batch
    records: list[InferenceRecord]
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
    """Number of wrong leaves."""


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
class DemoVerifier:
    """Looks at batches one after another, and remembers what their lanes have used."""

    world: World
    engine: Engine
    store: BatchStore
    seen: dict[tuple[bytes, bytes], dict[Key, tuple[Data, int]]] = field(default_factory=dict)

    def look(self, record: BatchState) -> Finding:
        """Fetch a batch's data and check everything about it."""
        batch = record.batch
        try:
            records = self.store.get(batch.root, batch.model_id, batch.operator)
        except BatchMissingError:
            return Withheld()
        inferences = [entry.inference(batch.model_id, batch.operator) for entry in records]
        data = Data(batch, records, Tree.from_leaves(hash_leaves(inferences)))
        rules = self.world.stage_of(batch.network_id).rules
        seen = self.seen.setdefault((batch.network_id, batch.operator), {})

        def taken() -> set[Key]:
            return {key for key, (one, _) in seen.items() if one.batch.index < batch.index}

        domain = self.world.registry.domain
        fault = next(find_faults(batch, record.stamp, records, rules, domain, taken), None)
        if fault is not None and fault.rule is LeafRule.REPEAT:
            return Repeated(data, fault.leaf_index, *seen[records[fault.leaf_index].key])
        if fault is not None:
            return Malformed(data, fault.leaf_index, fault.rule)
        for index, entry in enumerate(records):
            seen.setdefault(entry.key, (data, index))
        found = right(self.engine, data, range(len(records)))
        wrong = [index for index, is_right in enumerate(found) if not is_right]
        return Wrong(data, wrong[0], len(wrong)) if wrong else Good(data)


def right(engine: Engine, data: Data, indices: Sequence[int]) -> list[bool]:
    """Return of each of these leaves whether its answer is what the model says."""
    records = [data.records[index] for index in indices]
    outputs = engine.infer([record.input or b"" for record in records])
    return [record.output == output for record, output in zip(records, outputs, strict=True)]


def disprove(world: World, record: BatchState, data: Data, index: int) -> int:
    """Have the chain run the model again on one leaf; return the gas of the transaction."""
    stage, owner = world.stage_of(record.batch.network_id), world.senders["owner"].address
    assert stage.rules.arbiter == world.replay
    given = data.records[index].input or b""
    proof = evidence(world.model, stage.id, owner, ZERO32, given)
    opening = data.opening(index).abi()
    return world.send_for(
        stage, "verifier", "disprove", record.pre_image.abi(), opening, proof
    ).gas_used
