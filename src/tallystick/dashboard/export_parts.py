"""Pages of one thing as an export writes them: answers and lists, by their paths."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from tallystick.dashboard import schemas
from tallystick.dashboard.api_operators import OperatorInFull
from tallystick.dashboard.network_key import PartKey
from tallystick.dashboard.operators import operator, operator_keys
from tallystick.dashboard.snapshot import Snapshot


class One(NamedTuple):
    """An answer."""

    model: type[BaseModel]
    path: str
    found: Any


class Rows(NamedTuple):
    """A list; of a longer one the newest rows."""

    model: type[BaseModel]
    path: str
    rows: Sequence[Any]
    total: int
    state: str = ""


def parts(snapshot: Snapshot, most: int) -> Iterator[One | Rows]:
    """Yield the answers about operators, `most` of a kind and rows of a list."""
    for key in operator_keys(snapshot, most):
        base = f"operators/{key.path}"
        yield One(OperatorInFull, base, operator(snapshot, key))
        yield _batches(snapshot, key, base, most)
        yield from _disputes(snapshot, key, base, most)


def _batches(snapshot: Snapshot, key: PartKey, base: str, most: int) -> Rows:
    batches = snapshot.batches
    rows = batches.page(key, 0, most)
    return Rows(schemas.Batch, f"{base}/batches", rows, batches.count(key))


def _disputes(snapshot: Snapshot, key: PartKey, base: str, most: int) -> Iterator[Rows]:
    disputes = snapshot.disputes
    for state in ("open", "past"):
        rows = disputes.page(state, 0, most, key)
        total = disputes.count(state, key)
        yield Rows(schemas.Dispute, f"{base}/disputes", rows, total, state)
    rejected = disputes.rejected(0, most, key)
    yield Rows(schemas.Rejection, f"{base}/rejections", rejected, disputes.rejected_count(key))
