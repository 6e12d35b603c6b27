"""Raw logs into a table for each event."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.data.decode.columns import Layout, cargo, columns, layouts
from tallystick.data.decode.strings import byte_strings, strings, word_lists
from tallystick.data.decode.words import DecodeError, Words, repeated_hex_text, words_of
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.schema import LOGS
from tallystick.protocol.hexes import to_hex

PLACE = ("block_number", "block_time", "transaction_index", "log_index")


COUNTERS = {
    "BatchCommitted": None,
    "BatchFinalized": None,
    "BatchRejected": "rejected",
    "ChallengeUpheld": "burned",
    "ChallengeLapsed": "burned",
}
"""Events that move a network's counter, and which; None: the one that `outcome` names."""


def decode(logs: pa.Table, registry: ContractKey) -> Mapping[str, pa.Table]:
    """Return a table for each event of the registry, by name; those of no log have no rows.

    Events that only carry data have no table; a node that gives them unasked does no harm.

    Beside the event's own columns: where and when it stands, the UTC day, and for those that move a
    counter its name, `<chain id>:<registry>:<network id>:<counter>`.

    Args:
        logs: of the schema LOGS.
        registry: that they are of.

    Raises:
        DecodeError: a log is of no event of the registry, or not what the event's ABI says.
    """
    topics = pc.dictionary_encode(logs["topic0"].combine_chunks())
    known = {bytes(value.as_py() or b""): place for place, value in enumerate(topics.dictionary)}
    strangers = set(known) - {layout.topic0 for layout in layouts()} - cargo()
    if strangers or topics.null_count:
        raise DecodeError(
            "a log is of no event of the registry; is the address another contract's?"
        )
    places = topics.indices.to_numpy()
    tables = {}
    for layout in layouts():
        if layout.topic0 not in known:
            tables[layout.name] = _empty(layout)
            continue
        its = places == known[layout.topic0]
        rows = logs if its.all() else logs.filter(pa.array(its))
        try:
            tables[layout.name] = _table(layout, rows, registry)
        except DecodeError as error:
            raise DecodeError(f"{layout.name}: {error}") from None
    return tables


def _table(layout: Layout, rows: pa.Table, registry: ContractKey) -> pa.Table:
    table = event_table(layout, rows)
    if layout.name not in COUNTERS:
        return table
    return table.append_column("counter", _counters(table, registry, COUNTERS[layout.name]))


@cache
def _empty(layout: Layout) -> pa.Table:
    return _table(layout, LOGS.empty_table(), ContractKey(0, bytes(20)))


def event_table(layout: Layout, rows: pa.Table) -> pa.Table:
    """Return the table of one event.

    Args:
        layout: the event's.
        rows: its logs, of the schema LOGS.

    Raises:
        DecodeError: a log is not what the layout says.
    """
    rows = rows.combine_chunks()
    data, starts, sizes = _data(rows)
    if (sizes < 32 * layout.words).any() or (
        not layout.has_tails and (sizes != 32 * layout.words).any()
    ):
        raise DecodeError(f"a log's data are not of {layout.words} words")
    topics = {field.topic for field in layout.fields}
    if any(len(rows) > rows[f"topic{place}"].null_count for place in {1, 2, 3} - topics):
        raise DecodeError("a log has more topics than the event")
    heads = _heads(data, starts, layout)
    named: list[tuple[str, pa.Array]] = [(name, rows[name]) for name in PLACE]
    named.append(("day", _days(rows["block_time"])))
    hashes = repeated_hex_text(_fixed(rows["transaction_hash"]))
    named.append(("transaction_hash", hashes))
    for field in layout.fields:
        if field.kind == "array":
            continue
        if field.kind == "words":
            named.append((field.name, word_lists(data, starts, sizes, heads[:, field.word])))
            continue
        if field.kind in ("string", "bytes"):
            read = strings if field.kind == "string" else byte_strings
            named.append((field.name, read(data, starts, sizes, heads[:, field.word])))
            continue
        if field.topic is not None:
            words = _fixed(rows[f"topic{field.topic}"])
        else:
            words = heads[:, field.word]
        named += columns(field, words)
    return pa.table(dict(named))


def _counters(table: pa.Table, registry: ContractKey, counter: str | None) -> pa.DictionaryArray:
    """Return the name of the counter that each row moves."""
    networks = table["network_id"].combine_chunks()
    outcomes = None if counter else table["outcome"].combine_chunks()
    moved = [counter] if outcomes is None else outcomes.dictionary.to_pylist()
    names = [
        f"{registry.chain_id}:{to_hex(registry.address)}:{network}:{one}"
        for network in networks.dictionary.to_pylist()
        for one in moved
    ]
    places = networks.indices.to_numpy()
    if outcomes is not None:
        places = places * len(moved) + outcomes.indices.to_numpy()
    # Of all pairs, those that are there.
    there = pc.dictionary_encode(pa.array(places))
    return pa.DictionaryArray.from_arrays(
        there.indices, pa.array(names, pa.string()).take(there.dictionary)
    )


def _days(times: pa.ChunkedArray) -> pa.Array:
    """Return the UTC days of Unix seconds."""
    return pa.array((times.to_numpy() // 86_400).astype(np.int32), pa.int32()).cast(pa.date32())


def _data(rows: pa.Table) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return all bytes of the rows' data, where each begins, and its size."""
    column = rows["data"]
    array = column.chunk(0) if column.num_chunks else pa.array([], pa.large_binary())
    _, offsets, content = array.buffers()
    ends = (
        np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
        if len(array)
        else np.zeros(1, np.int64)
    )
    data = np.frombuffer(content, np.uint8) if content is not None else np.zeros(0, np.uint8)
    return data, ends[:-1], np.diff(ends)


def _heads(data: NDArray[np.uint8], starts: NDArray[np.int64], layout: Layout) -> Words:
    """Return the fixed words of each row, shape (n, words, 32)."""
    size = 32 * layout.words
    if len(starts) and not layout.has_tails:
        # All rows have this size, one after another.
        whole = data[starts[0] : starts[0] + len(starts) * size]
        return whole.reshape(len(starts), layout.words, 32)
    taken = data[starts[:, None] + np.arange(size)] if len(starts) else np.zeros(0, np.uint8)
    return taken.reshape(len(starts), layout.words, 32)


def _fixed(column: pa.ChunkedArray) -> Words:
    """Return a column of 32-byte values as words; DecodeError where one is missing."""
    if column.null_count:
        raise DecodeError("a log lacks a topic")
    return words_of(column.combine_chunks())
