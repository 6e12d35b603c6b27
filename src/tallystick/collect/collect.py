"""Leaves of committed batches, from stores, each batch rebuilt and found to hash to its root."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.durable import parquet, replace_file
from tallystick.errors import BatchMissingError, StoreError
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.lock import locked
from tallystick.hexes import from_hex, to_hex
from tallystick.progress import Progress
from tallystick.record import Record
from tallystick.store import BatchStore

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
    """What a run found."""

    core: Core
    batches: int
    """Committed, as far as the logs say."""
    found: int
    """With data here now."""
    new: int
    """Found by this run."""
    corrupt: int
    """Of which a store had something that is not the batch."""


def collect(
    data: Dataset, core: Core, stores: Sequence[BatchStore], progress: Progress | None = None
) -> Collected:
    """Fetch the data of a core's batches that are not here yet; progress is told in batches.

    Args:
        data: decoded.
        core: whose batches.
        stores: where to look, in this order.
    """
    with locked(data.logs(core)):
        columns = ["batch_id", "root", "model_id", "operator"]
        rows = pq.read_table(data.events("BatchCommitted", core), columns=columns).to_pylist()
        folder = data.inferences(core)
        folder.mkdir(parents=True, exist_ok=True)
        # An engine needs a file to know the columns.
        replace_file(folder / "0.parquet", parquet(INFERENCES.empty_table()))
        here = {path.stem for path in folder.iterdir()}
        new = corrupt = 0
        for done, row in enumerate(rows):
            if progress:
                progress(done, len(rows))
            if row["batch_id"] in here:
                continue
            records, bad = _look(stores, row)
            corrupt += bad
            if records is not None:
                table = _table(row["batch_id"], records)
                replace_file(folder / f"{row['batch_id']}.parquet", parquet(table))
                new += 1
        found = sum(row["batch_id"] in here for row in rows) + new
        return Collected(core, len(rows), found, new, corrupt)


def _look(stores: Sequence[BatchStore], row: dict[str, str]) -> tuple[list[Record] | None, bool]:
    """Return a batch's records from the first store that has them, and whether one had others."""
    bad = False
    for store in stores:
        try:
            root, model = from_hex(row["root"]), from_hex(row["model_id"])
            return store.get(root, model, from_hex(row["operator"])), bad
        except BatchMissingError:
            continue
        except StoreError:
            bad = True
    return None, bad


def _table(batch_id: str, records: Sequence[Record]) -> pa.Table:
    return pa.table(
        [
            [batch_id] * len(records),
            range(len(records)),
            [to_hex(record.requester) for record in records],
            [record.solicited for record in records],
        ],
        schema=INFERENCES,
    )
