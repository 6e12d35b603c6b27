"""A ledger written down, so that the next process needs no event of before.

JSON by pydantic, whose checks of the fields run again when it is read. Batches are apart: those in
a slot are read with the ledger, the rest one by one when somebody asks for them.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter

from tallystick.protocol.batches import Batches, Elsewhere
from tallystick.protocol.events import Position
from tallystick.protocol.ledger import BatchState, Lane, Ledger, Model, Network
from tallystick.protocol.scope import Scope
from tallystick.protocol.totals import Totals


class KeptBatch(NamedTuple):
    """A batch written down."""

    id: bytes
    order: tuple[int, int]
    """Block and log index of its commit."""
    in_slot: bool
    """False: no other batch follows from it any more, so that it need not be at hand."""
    state: bytes


class _Rest(NamedTuple):
    """All of a ledger but its batches; mappings as pairs, since JSON has text alone for keys."""

    networks: list[Network]
    models: list[Model]
    lanes: list[tuple[tuple[bytes, bytes], Lane]]
    totals: list[tuple[bytes, Totals]]
    credits: list[tuple[tuple[bytes, bytes], int]]
    swept: list[tuple[bytes, int]]
    keys: list[tuple[bytes, list[tuple[int, bytes]]]]
    passed_over: int
    last: Position | None


def write(ledger: Ledger) -> bytes:
    """Return all of a ledger but its batches, as JSON."""
    rest = _Rest(
        list(ledger.networks.values()),
        list(ledger.models.values()),
        list(ledger.lanes.items()),
        # What a scope leaves out can't be iterated over, and is empty.
        list(dict.items(ledger.totals)),
        list(dict.items(ledger.credits)),
        list(dict.items(ledger.swept)),
        list(ledger.keys.items()),
        ledger.passed_over,
        ledger.last,
    )
    return _adapter(_Rest).dump_json(rest)


def write_batches(ledger: Ledger) -> list[KeptBatch]:
    """Return the batches written down that hold a slot, or that events have touched."""
    held = {batch_id for lane in ledger.lanes.values() for batch_id in lane.slots.values()}
    return [
        KeptBatch(
            record.id,
            record.committed.order,
            record.id in held,
            _adapter(_One).dump_json(_One(record)),
        )
        for record in map(ledger.batches.__getitem__, ledger.touched | held)
    ]


def read(written: bytes, scope: Scope, held: Iterable[bytes], rest: Elsewhere) -> Ledger:
    """Return the ledger that was written down.

    Args:
        written: by write.
        scope: of the ledger.
        held: the batches in slots, each as write_batches gives its state.
        rest: finds the other batches.
    """
    found: _Rest = _adapter(_Rest).validate_json(written)
    ledger = Ledger(scope)
    ledger.networks.update((one.id, one) for one in found.networks)
    ledger.models.update((one.id, one) for one in found.models)
    ledger.lanes.update(found.lanes)
    ledger.totals.update(found.totals)
    ledger.credits.update(found.credits)
    ledger.swept.update(found.swept)
    ledger.keys.update(found.keys)
    ledger.passed_over, ledger.last = found.passed_over, found.last
    ledger.batches = Batches(rest)
    for record in map(read_batch, held):
        ledger.batches[record.id] = record
    return ledger


def read_batch(state: bytes) -> BatchState:
    """Return a batch from what write_batches made of its state."""
    return _adapter(_One).validate_json(state).batch  # type: ignore[no-any-return]


class _One(NamedTuple):
    """A batch; a class of its own would not take the settings that its holder has."""

    batch: BatchState


@cache
def _adapter(kind: type[NamedTuple]) -> TypeAdapter[Any]:
    as_text = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    return TypeAdapter(kind, config=as_text)
