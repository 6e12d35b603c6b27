"""The batch that records become, or became before a crash."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.actions.submission.journal import Source, SubmissionJournal
from tallystick.actions.submission.used_nonces import UsedNonce, used_nonces
from tallystick.chain.registry import Registry
from tallystick.errors import SubmitError
from tallystick.protocol.arrange import Destination, arrange
from tallystick.protocol.batch import Batch
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.ledger import Ledger, Model
from tallystick.protocol.merkle import Tree
from tallystick.protocol.progress import Progress
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.record_files import read_records

Stage = Callable[[str], Progress | None]
"""Given the name of a stage that begins, returns how it tells how far it is."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A file of inferences to commit, and the terms to commit it under."""

    records: Path | Sequence[InferenceRecord]
    """A file as read_records takes it, or what collect_records returned."""
    network_id: bytes
    model_id: bytes
    deadline: int | None = None
    """Unix seconds, for unsolicited inferences that name none; None: the latest allowed."""
    hashes_only: bool = False
    """The bytes are kept elsewhere."""
    label: str = ""
    """Tells apart submissions of equal records."""
    attestation: tuple[Grade, bytes] | None = None
    """A grade and the evidence for it, to be checked in the same transaction."""

    @property
    def name(self) -> str:
        """The records' file, to speak of them."""
        return str(self.records) if isinstance(self.records, Path) else "a sequence of records"


@dataclass(frozen=True, slots=True)
class SubmissionPlan:
    """A batch with its data."""

    batch: Batch
    records: tuple[InferenceRecord, ...]
    """In the order of its leaves."""
    tree: Tree
    committed: bool
    """The chain has it already."""
    noted: bool
    """The journal has it already."""
    warnings: list[str] = field(default_factory=list)


def make_plan(
    order: Submission,
    source: Source,
    registry: Registry,
    ledger: Ledger,
    store: BatchStore,
    journal: SubmissionJournal,
    now: int,
    stage: Stage,
) -> SubmissionPlan:
    """Return the batch that the journal has for the source, else a new one.

    A noted batch that the chain does not have is sent again under the same index: of two
    transactions with one index the chain takes one. It is given up for a new batch only when the
    chain cannot take it any more: its index is another batch's, or its last second is over.

    Raises:
        RecordError: wrong lines.
        SubmitError: network or model are unknown.
    """
    network = ledger.networks.get(order.network_id)
    if network is None:
        raise SubmitError(f"no network {to_hex(order.network_id)} is registered in this registry")
    registered_model(ledger, order.network_id, order.model_id)
    lane = ledger.lanes[order.network_id, source.operator]
    noted = journal.find(source)
    if noted is not None:
        committed = noted.id() in ledger.batches
        if committed or (noted.index == lane.next_index and now <= noted.commit_deadline):
            kept = tuple(store.get(noted.root, noted.model_id, noted.operator))
            tree = _tree(kept, noted, stage("hashing"))
            return SubmissionPlan(noted, kept, tree, committed, noted=True)
    records = order.records
    if isinstance(records, Path):
        records = read_records(records)
    taken = UsedNonce(frozenset(), [])
    if any(record.solicited for record in records):
        taken = used_nonces(ledger, store, order.network_id, source.operator)
    destination = Destination(
        registry.domain, network.rules, source.operator, lane.next_index, now, taken.keys
    )
    arranged = arrange(
        records,
        destination,
        order.model_id,
        order.deadline,
        order.hashes_only,
        stage("checking"),
    )
    tree = arranged.tree(stage("hashing"))
    batch = Batch(
        order.network_id,
        source.operator,
        lane.next_index,
        order.model_id,
        tree.root,
        tree.count,
        arranged.commit_deadline,
    )
    return SubmissionPlan(batch, arranged.records, tree, False, False, taken.warnings)


def _tree(records: tuple[InferenceRecord, ...], batch: Batch, progress: Progress | None) -> Tree:
    inferences = [record.inference(batch.model_id, batch.operator) for record in records]
    return Tree.from_leaves(hash_leaves(inferences, progress))


def registered_model(ledger: Ledger, network_id: bytes, model_id: bytes) -> Model:
    """Return a model of a network; SubmitError where the network has none of this id."""
    found = ledger.models.get(model_id)
    if found is None or found.network_id != network_id:
        raise SubmitError(f"the network has no model {to_hex(model_id)}")
    return found
