"""Which (requester, nonce) the batches of a lane have taken: one in two of them is a fault."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

from tallystick.ledger import BatchRecord
from tallystick.moves.data import BatchData
from tallystick.words import ZERO_ADDRESS

MAX_KEYS = 1 << 21
"""Of all batches remembered; beyond, those longest unused are read again when needed."""

Key = tuple[bytes, int]


class Repeats:
    """Remembers what batches have taken.

    Unsolicited leaves whose nonce is their place cannot repeat: they are left out.

    Args:
        load: returns a batch's data; None when no store has them.
        most: keys remembered.
    """

    def __init__(
        self, load: Callable[[BatchRecord], BatchData | None], most: int = MAX_KEYS
    ) -> None:
        self._load, self._most, self._lock = load, most, threading.Lock()
        self._known: OrderedDict[bytes, frozenset[Key]] = OrderedDict()
        self._size = 0

    def first(self, data: BatchData, earlier: tuple[BatchRecord, ...]) -> int | None:
        """Return the first leaf whose key an earlier batch has taken; None when there is none such.

        Args:
            data: the batch's.
            earlier: batches of its lane that can be pointed at.
        """
        own = self._keys(data.record, data)
        taken = {key for one in earlier if own for key in self._shared(own, one)}
        for index, record in enumerate(data.records) if taken else ():
            if (record.requester, record.nonce) in taken:
                return index
        return None

    def _shared(self, own: frozenset[Key], other: BatchRecord) -> Iterator[Key]:
        yield from own & self._keys(other)
        # Those left out of the other's keys: of leaves in their places.
        placed = {
            key for key in own if key[0] == ZERO_ADDRESS and key[1] >> 20 == other.batch.index
        }
        data = self._load(other) if placed else None
        for record in data.records if data else ():
            if (record.requester, record.nonce) in placed:
                yield record.requester, record.nonce or 0

    def _keys(self, record: BatchRecord, data: BatchData | None = None) -> frozenset[Key]:
        with self._lock:
            known = self._known.get(record.id)
            if known is not None:
                self._known.move_to_end(record.id)
                return known
        data = data or self._load(record)
        if data is None:
            return frozenset()
        first = record.batch.index << 20
        keys = frozenset(
            (one.requester, one.nonce or 0)
            for index, one in enumerate(data.records)
            if one.solicited or one.nonce != first | index
        )
        with self._lock:
            if record.id not in self._known:
                self._known[record.id] = keys
                self._size += len(keys)
            while self._size > self._most and len(self._known) > 1:
                self._size -= len(self._known.popitem(last=False)[1])
        return keys
