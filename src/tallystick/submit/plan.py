"""The batch that a file becomes, or became before a crash."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.arrange import Destination, arrange
from tallystick.batch import Batch
from tallystick.chain.registry import Registry
from tallystick.enums import Grade
from tallystick.hexes import to_hex
from tallystick.inference import hash_leaves
from tallystick.ledger import Ledger
from tallystick.progress import Progress
from tallystick.record import Record
from tallystick.records import read_records
from tallystick.store import BatchStore
from tallystick.submit.errors import SubmitError
from tallystick.submit.journal import Journal, Source
from tallystick.submit.taken import Taken, taken_keys
from tallystick.tree import Tree

Stage = Callable[[str], Progress | None]
"""Given the name of a stage that begins, returns how it tells how far it is."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator wants to be committed."""

    path: Path
    network_id: bytes
    model_id: bytes
    deadline: int | None = None
    """Unix seconds, for unsolicited inferences that name none; None: the latest allowed."""
    hashes_only: bool = False
    """The bytes are kept elsewhere."""
    label: str = ""
    """Tells apart submissions of equal files."""
    attestation: tuple[Grade, bytes] | None = None
    """A grade and the evidence for it, to be checked in the same transaction."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch with its data."""

    batch: Batch
    records: tuple[Record, ...]
    """In the order of its leaves."""
    tree: Tree
    committed: bool
    """The chain has it already."""
    noted: bool
    """The journal has it already."""
    warnings: list[str] = field(default_factory=list)


def make_plan(
    order: Order,
    source: Source,
    registry: Registry,
    ledger: Ledger,
    store: BatchStore,
    journal: Journal,
    now: int,
    stage: Stage,
) -> Plan:
    """Return the batch that the journal has for the source, else a new one.

    A noted batch that the chain does not have is sent again under the same index: of two
    transactions with one index the chain takes one. It is given up for a new batch only when the
    chain cannot take it any more: its index is another batch's, or its last second is over.

    Raises:
        RecordError: wrong lines.
        SubmitError: network or model are unknown.
    """
    network, model = ledger.networks.get(order.network_id), ledger.models.get(order.model_id)
    if network is None:
        raise SubmitError(f"no network {to_hex(order.network_id)} is registered in this core")
    if model is None or model.network_id != order.network_id:
        raise SubmitError(f"the network has no model {to_hex(order.model_id)}")
    lane = ledger.lanes[order.network_id, source.operator]
    noted = journal.find(source)
    if noted is not None:
        committed = noted.id() in ledger.batches
        if committed or (noted.index == lane.next_index and now <= noted.commit_deadline):
            kept = tuple(store.get(noted.root, noted.model_id, noted.operator))
            tree = _tree(kept, noted, stage("hashing"))
            return Plan(noted, kept, tree, committed, noted=True)
    records = read_records(order.path)
    taken = Taken(frozenset(), [])
    if any(record.solicited for record in records):
        taken = taken_keys(ledger, store, order.network_id, source.operator)
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
    return Plan(batch, arranged.records, tree, False, False, taken.warnings)


def _tree(records: tuple[Record, ...], batch: Batch, progress: Progress | None) -> Tree:
    inferences = [record.inference(batch.model_id, batch.operator) for record in records]
    return Tree.from_leaves(hash_leaves(inferences, progress))
