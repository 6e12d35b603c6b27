"""Leaves of committed batches, from stores, each batch rebuilt and found to hash to its root."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.data.collected import note_unreachable
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.lock import locked
from tallystick.errors import BatchMissingError, StoreError, StoreUnreachableError
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.progress import Progress
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.durable import parquet, replace_file

INFERENCES = pa.schema(
    [
        pa.field("batch_id", pa.string(), nullable=False),
        pa.field("leaf_index", pa.int32(), nullable=False),
        pa.field("requester", pa.string(), nullable=False),  # the zero address: unsolicited
        pa.field("solicited", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Collected:
    """The findings of a run."""

    contract: ContractKey
    batches: int
    """Committed, as far as the logs say."""
    found: int
    """With data here now."""
    new: int
    """Found by this run."""
    corrupt: int
    """Batches of which a store had something else."""
    unreachable: int
    """Batches that no store gave, and of which one could not be asked: nothing is known."""
    failures: dict[str, str]
    """Why, by the store's URL."""


_ENOUGH = 3
"""Failures in a row after which a store is left alone for the rest of a run."""


class Look(Enum):
    """The finding about the data of one batch that no store gave."""

    MISSING = "missing"
    CORRUPT = "corrupt"
    UNREACHABLE = "unreachable"


def collect(
    data: Dataset,
    registry: ContractKey,
    stores: Sequence[BatchStore],
    progress: Progress | None = None,
) -> Collected:
    """Fetch the data of a registry's batches that are not here yet; progress is told in batches.

    Args:
        data: decoded.
        registry: whose batches.
        stores: where to look, in this order.
    """
    with locked(data.logs(registry)):
        columns = ["batch_id", "root", "model_id", "operator"]
        rows = pq.read_table(data.events("BatchCommitted", registry), columns=columns).to_pylist()
        folder = data.inferences(registry)
        folder.mkdir(parents=True, exist_ok=True)
        # An engine needs a file to know the columns.
        replace_file(folder / "0.parquet", parquet(INFERENCES.empty_table()))
        here = {path.stem for path in folder.iterdir()}
        new, counts = 0, dict.fromkeys(Look, 0)
        sources = [_Source(store) for store in stores]
        for done, row in enumerate(rows):
            if progress:
                progress(done, len(rows))
            if row["batch_id"] in here:
                continue
            records, looks = _look(sources, row)
            counts[Look.CORRUPT] += Look.CORRUPT in looks
            if records is not None:
                table = _table(row["batch_id"], records)
                replace_file(folder / f"{row['batch_id']}.parquet", parquet(table))
                new += 1
            else:
                counts[Look.UNREACHABLE] += Look.UNREACHABLE in looks
        note_unreachable(folder, counts[Look.UNREACHABLE])
        found = sum(row["batch_id"] in here for row in rows) + new
        failures = {one.store.url: one.failure for one in sources if one.failure}
        return Collected(
            registry,
            len(rows),
            found,
            new,
            counts[Look.CORRUPT],
            counts[Look.UNREACHABLE],
            failures,
        )


@dataclass(slots=True)
class _Source:
    """A store, and how it has done so far."""

    store: BatchStore
    failure: str = ""
    """Why it could not be asked, the last time."""
    in_a_row: int = field(default=0)


def _look(
    sources: Sequence[_Source], row: dict[str, str]
) -> tuple[list[InferenceRecord] | None, set[Look]]:
    """Return a batch's records from the first store that has them, and what the others said."""
    looks: set[Look] = set()
    root, model, operator = (from_hex(row[name]) for name in ("root", "model_id", "operator"))
    for one in sources:
        if one.in_a_row >= _ENOUGH:
            looks.add(Look.UNREACHABLE)
            continue
        try:
            found = one.store.get(root, model, operator)
        except StoreUnreachableError as error:
            one.failure, one.in_a_row = str(error), one.in_a_row + 1
            looks.add(Look.UNREACHABLE)
            continue
        except BatchMissingError:
            looks.add(Look.MISSING)
        except StoreError:
            looks.add(Look.CORRUPT)
        else:
            one.in_a_row = 0
            return found, looks
        one.in_a_row = 0
    return None, looks


def _table(batch_id: str, records: Sequence[InferenceRecord]) -> pa.Table:
    return pa.table(
        [
            [batch_id] * len(records),
            range(len(records)),
            [to_hex(record.requester) for record in records],
            [record.solicited for record in records],
        ],
        schema=INFERENCES,
    )
