"""Nonces that the batches of a lane have taken: one in two of them is a fault."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

from tallystick.actions.batch_data import BatchData
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.faults import Key, openable
from tallystick.protocol.inference import batch_index_of, unsolicited_nonce
from tallystick.protocol.ledger import BatchState

MAX_KEYS = 1 << 21
"""Of all batches remembered; beyond, those longest unused are read again when needed."""


class Repeats:
    """Remembers what batches have taken.

    Unsolicited leaves whose nonce is their place cannot repeat: they are left out.

    Args:
        load: returns a batch's data; None when no store has them.
        most: keys remembered.
    """

    def __init__(
        self, load: Callable[[BatchState], BatchData | None], most: int = MAX_KEYS
    ) -> None:
        self._load, self._most, self._lock = load, most, threading.Lock()
        self._known: OrderedDict[bytes, frozenset[Key]] = OrderedDict()
        self._size = 0

    def taken(self, data: BatchData, earlier: tuple[BatchState, ...]) -> frozenset[Key]:
        """Return which keys of a batch those before it have taken.

        Args:
            data: the batch's.
            earlier: batches of its lane that can be pointed at.
        """
        own = self._keys(data.record, data)
        return frozenset(key for one in earlier if own for key in self._shared(own, one))

    def _shared(self, own: frozenset[Key], other: BatchState) -> Iterator[Key]:
        yield from own & self._keys(other)
        # Those left out of the other's keys: of leaves in their places.
        placed = {
            key
            for key in own
            if key[0] == ZERO_ADDRESS and batch_index_of(key[1]) == other.batch.index
        }
        data = self._load(other) if placed else None
        for record in openable(other.batch, data.records) if data else ():
            if record.key in placed:
                yield record.key

    def _keys(self, record: BatchState, data: BatchData | None = None) -> frozenset[Key]:
        with self._lock:
            known = self._known.get(record.id)
            if known is not None:
                self._known.move_to_end(record.id)
                return known
        data = data or self._load(record)
        if data is None:
            return frozenset()
        keys = frozenset(
            one.key
            for index, one in enumerate(openable(record.batch, data.records))
            if one.solicited or one.nonce != unsolicited_nonce(record.batch.index, index)
        )
        with self._lock:
            if record.id not in self._known:
                self._known[record.id] = keys
                self._size += len(keys)
            while self._size > self._most and len(self._known) > 1:
                self._size -= len(self._known.popitem(last=False)[1])
        return keys
