"""Logs of eth_getLogs as Arrow columns, checked to be the range's and one contract's.

No Python object is made for a log: Arrow reads the JSON, and whole columns go from hex to bytes.
"""

import binascii
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from numpy.typing import NDArray

from tallystick.extract.errors import UnavailableError
from tallystick.extract.schema import LOGS

_REQUIRED = pa.schema(
    [
        ("address", pa.string()),
        ("topics", pa.list_(pa.string())),
        ("data", pa.string()),
        ("blockNumber", pa.string()),
        ("blockHash", pa.string()),
        ("transactionHash", pa.string()),
        ("transactionIndex", pa.string()),
        ("logIndex", pa.string()),
    ]
)
_READ = pa.unify_schemas(
    [_REQUIRED, pa.schema([("removed", pa.bool_()), ("blockTimestamp", pa.string())])]
)
"""A log in JSON-RPC's words; quantities and bytes as hex text."""

_BLOCK = 16 << 20
"""Bytes of JSON that a thread reads at once."""


def to_table(answer: bytes, address: bytes, first: int, last: int) -> pa.Table:
    """Return logs as a table of LOGS, sorted, each once; block_time is -1 where a log lacks it.

    Args:
        answer: a JSON array of logs.
        address: of the contract asked for, 20 bytes.
        first: first block asked for.
        last: last block asked for, included.

    Raises:
        UnavailableError: the answer is malformed, of another range or contract, or disagrees with
            itself.
    """
    try:
        read = _read(answer)
        table = _table(read)
    except (ValueError, OverflowError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise UnavailableError(f"the node's logs are malformed: {error}") from error
    if pc.any(pc.not_equal(pc.utf8_lower(read["address"]), "0x" + address.hex())).as_py():
        raise UnavailableError("the node's logs are of another contract than asked for")
    number = table["block_number"]
    if len(table) and not (first <= pc.min(number).as_py() and pc.max(number).as_py() <= last):
        raise UnavailableError(f"the node's logs are not of blocks {first} to {last}, as asked for")
    return _unique(table)


def one_hash_a_block(table: pa.Table) -> None:
    """Raise UnavailableError when two logs of one block name different blocks of that number."""
    pairs = table.group_by(["block_number", "block_hash"]).aggregate([])
    if len(pairs) != len(pc.unique(table["block_number"])):
        raise UnavailableError("the node's logs are of two forks of the chain")


def _read(answer: bytes) -> pa.Table:
    """Return the logs of a JSON array that are not taken back, as text."""
    lines = _lines(answer)
    if not len(lines):
        return _READ.empty_table()
    table = pj.read_json(
        pa.BufferReader(pa.py_buffer(lines)),
        read_options=pj.ReadOptions(block_size=max(_BLOCK, len(lines) // 64)),
        parse_options=pj.ParseOptions(explicit_schema=_READ, unexpected_field_behavior="ignore"),
    )
    for name in _REQUIRED.names:
        if table[name].null_count:
            raise ValueError(f"a log has no {name}")
    return table.filter(pc.invert(pc.fill_null(table["removed"], False))).combine_chunks()


def _lines(answer: bytes) -> NDArray[np.uint8] | bytes:
    """Return a JSON array's objects, one a line.

    The commas between objects become line ends. No value of a log holds a brace; an answer in which
    that does not come out, or that is spaced otherwise, is read and written anew.
    """
    text = np.frombuffer(answer, np.uint8).copy()
    ends = np.flatnonzero(text == ord("}"))
    starts = np.flatnonzero(text == ord("{"))
    between = ends[:-1] + 1
    if (
        len(ends)
        and len(starts) == len(ends)
        and starts[0] == 1
        and ends[-1] == len(text) - 2
        and (starts[1:] == between + 1).all()
        and (text[between] == ord(",")).all()
    ):
        text[between] = ord("\n")
        return text[1:-1]
    found = msgspec.json.decode(answer, type=list[dict[str, Any]])
    return b"\n".join(msgspec.json.encode(log) for log in found)


def _table(read: pa.Table) -> pa.Table:
    times = read["blockTimestamp"]
    if times.null_count:
        block_time = pa.array(np.full(len(read), -1), pa.int64())
    else:
        block_time = _integers(times, pa.int64())
    return pa.table(
        [
            _integers(read["blockNumber"], pa.int64()),
            block_time,
            _hash_array(_hashes(read["blockHash"])),
            _hash_array(_hashes(read["transactionHash"])),
            _integers(read["transactionIndex"], pa.int32()),
            _integers(read["logIndex"], pa.int32()),
            *_topics(read["topics"]),
            _bytes(read["data"]),
        ],
        schema=LOGS,
    )


def _integers(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return quantities as integers; many logs share one, so each is read once."""
    encoded = pc.dictionary_encode(_one(column))
    values = [int(text, 16) for text in encoded.dictionary.to_pylist()]
    if any(value < 0 for value in values):
        raise ValueError("a quantity is negative")
    return pa.array(values, kind).take(encoded.indices)


def _hashes(column: pa.ChunkedArray | pa.Array) -> NDArray[np.uint8]:
    """Return hex texts of 32 bytes as rows of bytes."""
    digits, sizes = _digits(column)
    if (sizes != 64).any():
        raise ValueError("a hash is not of 32 bytes")
    return np.frombuffer(binascii.unhexlify(digits), np.uint8).reshape(-1, 32)


def _hash_array(rows: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    mask = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(rows), [mask, data])


def _topics(column: pa.ChunkedArray) -> list[pa.Array]:
    lists = _one(column)
    counts = np.diff(lists.offsets.to_numpy())
    if len(counts) and counts.max() > 4:
        raise ValueError("a log has more than 4 topics")
    starts = lists.offsets.to_numpy()[:-1] - lists.offsets[0].as_py() if len(counts) else counts
    flat = lists.flatten()
    if flat.null_count:
        raise ValueError("a topic is null")
    hashes = _hashes(flat)
    found = []
    for place in range(4):
        valid = counts > place
        rows = np.zeros((len(counts), 32), np.uint8)
        rows[valid] = hashes[starts[valid] + place]
        found.append(_hash_array(rows, None if valid.all() else valid))
    return found


def _bytes(column: pa.ChunkedArray) -> pa.Array:
    digits, sizes = _digits(column)
    if (sizes % 2).any():
        raise ValueError("data are not whole bytes")
    offsets = np.concatenate(([0], np.cumsum(sizes // 2))).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(binascii.unhexlify(digits))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(sizes), buffers)


def _digits(column: pa.ChunkedArray | pa.Array) -> tuple[memoryview, NDArray[np.int64]]:
    """Return the hex digits of all values, without their 0x, and how many each has."""
    array = _one(column)
    if not len(array):
        return memoryview(b""), np.zeros(0, np.int64)
    _, ends, content = array.buffers()
    offsets = np.frombuffer(ends, np.int32)[array.offset : array.offset + len(array) + 1]
    text = np.frombuffer(content, np.uint8)[offsets[0] : offsets[-1]]
    starts, sizes = offsets[:-1] - offsets[0], np.diff(offsets).astype(np.int64)
    if (
        (sizes < 2).any()
        or (text[starts] != ord("0")).any()
        or (text[starts + 1] != ord("x")).any()
    ):
        raise ValueError("a value does not begin with 0x")
    if (sizes == sizes[0]).all():
        digits = text.reshape(len(array), sizes[0])[:, 2:]
    else:
        keep = np.ones(len(text), bool)
        keep[starts] = keep[starts + 1] = False
        digits = text[keep]
    # A copy row by row is five times as fast as tobytes of a slice.
    return np.ascontiguousarray(digits).data, sizes - 2


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column


def _unique(table: pa.Table) -> pa.Table:
    """Sort, and drop repeats; two different logs at one place are an error."""
    block = table["block_number"].to_numpy()
    index = table["log_index"].to_numpy().astype(np.int64)
    order = np.lexsort((index, block))
    if not (np.diff(order) == 1).all():
        table, block, index = table.take(pa.array(order)), block[order], index[order]
    same = (block[1:] == block[:-1]) & (index[1:] == index[:-1])
    if not same.any():
        return table
    again = np.flatnonzero(same)
    before, after = table.take(pa.array(again)), table.take(pa.array(again + 1))
    if not before.equals(after):
        raise UnavailableError("the node gives two different logs for one place")
    keep = np.concatenate(([True], ~same))
    return table.filter(pa.array(keep))
