"""Batches by id, of which those that are over may be kept elsewhere until somebody asks for one."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tallystick.protocol.ledger import BatchState


class Elsewhere(Protocol):
    """Store of batches that nothing has to be done about."""

    def find(self, batch_id: bytes) -> "BatchState | None":
        """Return a batch; None if it is not there."""
        ...

    def all(self) -> "Iterable[BatchState]":
        """Return all that are there."""
        ...


class Batches(dict[bytes, "BatchState"]):
    """Batches by id, in the order of their commits.

    Looking one up brings that one here; iterating, or asking how many there are, brings all.

    Args:
        elsewhere: where the rest is; None: nowhere.
    """

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        super().__init__()
        self._elsewhere = elsewhere

    def __missing__(self, batch_id: bytes) -> "BatchState":
        found = self._elsewhere.find(batch_id) if self._elsewhere else None
        if found is None:
            raise KeyError(batch_id)
        self[batch_id] = found
        return found

    def __contains__(self, batch_id: object) -> bool:
        return self.get(batch_id) is not None  # type: ignore[arg-type]

    def get(self, batch_id: bytes, default: Any = None) -> Any:
        """Return a batch, or the default."""
        try:
            return self[batch_id]
        except KeyError:
            return default

    def here(self) -> "list[BatchState]":
        """Return those that need not be brought."""
        return list(super().values())

    def __iter__(self) -> Iterator[bytes]:
        self._bring_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._bring_all()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._bring_all()
        return super().__eq__(dict(other) if isinstance(other, Batches) else other)

    __hash__ = None

    def keys(self) -> "KeysView[bytes]":  # type: ignore[override]
        """Return the ids of all."""
        self._bring_all()
        return super().keys()

    def values(self) -> "ValuesView[BatchState]":  # type: ignore[override]
        """Return all."""
        self._bring_all()
        return super().values()

    def items(self) -> "ItemsView[bytes, BatchState]":  # type: ignore[override]
        """Return all, with their ids."""
        self._bring_all()
        return super().items()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Batches":
        copied = Batches(self._elsewhere)
        for record in self.here():
            copied[record.id] = deepcopy(record, memo)
        return copied

    def _bring_all(self) -> None:
        if self._elsewhere is None:
            return
        brought = [one for one in self._elsewhere.all() if not dict.__contains__(self, one.id)]
        self._elsewhere = None
        ordered = sorted([*self.here(), *brought], key=lambda one: one.committed.order)
        self.clear()
        self.update({one.id: one for one in ordered})
