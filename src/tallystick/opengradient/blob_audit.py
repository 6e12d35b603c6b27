"""A batch's blob, examined: its tree, its items' places in it, and their signatures.

What is found depends on root, blob and keys only; so it is kept, and a second run goes on there.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.opengradient.blobs import BlobSource, Dump, parse
from tallystick.opengradient.errors import BlobError, BlobMalformedError
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.merkle import build
from tallystick.opengradient.relay import Settlement
from tallystick.opengradient.signatures import Signatures
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import parquet, replace_file

LEAF, INNER_NODE, WRONG_LEAF = "leaf", "inner_node", "wrong_leaf"
"""Place of an item: at its own leaf, at a node that is no leaf, at another item's leaf."""
AT_ONCE = 4
"""Blobs fetched at once; so many may lie in memory."""
LATEST = (1 << 63) - 1
"""Unix seconds; stands for all times that are later."""

_HASH = pa.binary(32)
ITEMS = pa.schema(
    [
        pa.field("identity", _HASH, nullable=False),
        pa.field("tee_id", _HASH, nullable=False),
        pa.field("input_hash", _HASH, nullable=False),
        pa.field("output_hash", _HASH, nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),
        pa.field("signature", pa.binary(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("known", pa.bool_(), nullable=False),  # the key is here
        pa.field("signed", pa.bool_(), nullable=False),  # and made the signature
    ]
)


def examine_batches(
    folder: Folder,
    batches: Iterable[Settlement],
    source: BlobSource,
    signatures: Signatures,
    progress: Progress | None = None,
) -> dict[bytes, BlobError]:
    """Examine the batches that were not yet; progress is told in batches.

    Returns:
        Why the blob of a batch could not be had, by Settlement.content.
    """
    contents = {one.content: one for one in batches}
    missing = (one for one in contents.values() if not _is_examined(folder, one, signatures))
    todo = list(missing)
    failed: dict[bytes, BlobError] = {}
    queue, done = iter(todo), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while part := list(islice(queue, AT_ONCE)):
            for one, fetched in zip(
                part, pool.map(lambda one: _fetch(source, one), part), strict=True
            ):
                if isinstance(fetched, bytes):
                    table = examine(one.merkle_root, fetched, signatures)
                    _write(folder, one, table)
                elif isinstance(fetched, BlobMalformedError):
                    _write(folder, one, _refused(fetched))
                else:
                    failed[one.content] = fetched
                done += 1
                if progress:
                    progress(done, len(todo))
    return failed


def examine(merkle_root: bytes, blob: bytes, signatures: Signatures) -> pa.Table:
    """Return a blob's items, a table of ITEMS.

    Its metadata say how many leaves the tree has, whether they lead to the root that was settled,
    and, of a malformed blob, which then has no items, the reason.
    """
    try:
        dump = parse(blob)
    except BlobMalformedError as error:
        return _refused(error)
    inner = dump.leaves - 1
    right = build(dump.tree[inner:])[0] == merkle_root
    said = {"leaves": str(dump.leaves), "root": "right" if right else "wrong"}
    places = _places(dump, inner)
    return table_of(dump.items, places, signatures).replace_schema_metadata(said)


def table_of(
    items: Sequence[SignedItem], places: Sequence[str], signatures: Signatures
) -> pa.Table:
    """Return items with their signatures checked, a table of ITEMS."""
    signed = signatures.check(items)
    return pa.table(
        [
            [item.identity() for item in items],
            [item.tee_id for item in items],
            [item.input_hash for item in items],
            [item.output_hash for item in items],
            [min(item.timestamp, LATEST) for item in items],
            [item.signature for item in items],
            places,
            [item.tee_id in signatures.keys for item in items],
            signed,
        ],
        schema=ITEMS,
    )


def read_items(folder: Folder, batch: Settlement, columns: list[str] | None = None) -> pa.Table:
    """Return an examined batch's items; FileNotFoundError when it was not examined."""
    with pq.ParquetFile(folder.items(batch.content)) as file:
        return file.read(columns)


def _places(dump: Dump, inner: int) -> list[str]:
    found = []
    for item, place in zip(dump.items, dump.places, strict=True):
        if place < inner:
            found.append(INNER_NODE)
        else:
            found.append(LEAF if item.leaf() == dump.tree[place] else WRONG_LEAF)
    return found


def _refused(error: BlobMalformedError) -> pa.Table:
    said = {"leaves": "0", "root": "wrong", "malformed": str(error)}
    return ITEMS.empty_table().replace_schema_metadata(said)


def _fetch(source: BlobSource, batch: Settlement) -> bytes | BlobError:
    try:
        return source.read(batch.blob_id)
    except BlobError as error:
        return error


def _is_examined(folder: Folder, batch: Settlement, signatures: Signatures) -> bool:
    """Return whether a blob was examined, and no key has come since that was missed then."""
    try:
        found = read_items(folder, batch, ["tee_id", "known"])
    except FileNotFoundError:
        return False
    unknown = found.filter(pc.invert(found["known"]))["tee_id"].to_pylist()
    return not any(tee_id in signatures.keys for tee_id in unknown)


def _write(folder: Folder, batch: Settlement, table: pa.Table) -> None:
    replace_file(folder.items(batch.content), parquet(table))
