"""Logs of eth_getLogs as Arrow columns, checked to be the range's and one contract's.

A node writes all its logs alike, so no JSON is parsed but one log of each pattern: the others, of
the same length and equal outside the values, have theirs at the same places, and whole columns go
from hex to bytes. No Python object is made for a log.
"""

import binascii
import re
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.chain.rpc.errors import UnavailableError
from tallystick.data.extract.schema import ADDRESSED, LOGS

Bytes = NDArray[np.uint8]

_HASHES = ("block_hash", "transaction_hash", "topic0", "topic1", "topic2", "topic3")
_QUANTITIES = {"block_number": 15, "block_time": 15, "transaction_index": 7, "log_index": 7}
"""Most hex digits, so that int64 and int32 hold them."""
_HEX = re.compile(rb'"0x([0-9a-fA-F]*)"')
_MARKS = re.compile(rb"[#\\]")
"""Marks that a log's own text must not hold."""
_SLAB = 1 << 21
"""Bytes of text that are worked on at once, so that they stay in the processor's cache."""
_WORTH = 32
"""Logs of a pattern that it takes to be quicker than parsing them."""


class _Log(msgspec.Struct, rename="camel"):
    """A log in JSON-RPC's words; quantities and bytes as hex text."""

    address: str
    topics: list[str]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    transaction_index: str
    log_index: str
    block_timestamp: Any = None
    """Optional, and of any type: what is no quantity in hex is as good as missing."""
    removed: bool | None = None


class _Pattern(NamedTuple):
    """The fixed text of a log, and the places of its values."""

    log: Bytes
    """One such log."""
    removed: bool
    places: dict[str, slice]
    """Places of the hex digits of each column's value, in the log's text."""

    def has(self, rows: Bytes) -> NDArray[np.bool_]:
        """Return which logs, one a row, are equal to this one outside the values."""
        alike, start = np.ones(len(rows), bool), 0
        for place in (*sorted(self.places.values(), key=lambda one: one.start), slice(None)):
            same = rows[:, start : place.start] == self.log[start : place.start]
            if not same.all():
                alike &= same.all(axis=1)
            start = place.stop
        return alike


def to_table(answer: bytes | msgspec.Raw, address: bytes | None, first: int, last: int) -> pa.Table:
    """Return logs as a table of LOGS, sorted, each once; block_time is -1 where a log lacks it.

    A time is what the node says, which is yet to be compared with the block's header.

    Args:
        answer: a JSON array of logs.
        address: of the contract asked for, 20 bytes; None: of any, and the table is of ADDRESSED.
        first: first block asked for.
        last: last block asked for, included.

    Raises:
        UnavailableError: the answer is malformed, of another range or contract, or disagrees with
            itself.
    """
    try:
        try:
            table = _read(answer, address, patterns=_WORTH + len(answer) // (_WORTH << 10))
        except (ValueError, msgspec.MsgspecError):
            # Not one after another, or with fields of the node's own: written anew.
            logs = msgspec.json.decode(answer, type=list[_Log])
            for log in logs:
                if not isinstance(log.block_timestamp, str):
                    log.block_timestamp = None
            table = _read(msgspec.json.encode(logs), address, patterns=len(logs))
    except (ValueError, msgspec.MsgspecError) as error:
        raise UnavailableError(f"the node's logs are malformed: {error}") from error
    number = table["block_number"]
    if len(table) and not (first <= pc.min(number).as_py() and pc.max(number).as_py() <= last):
        raise UnavailableError(f"the node's logs are not of blocks {first} to {last}, as asked for")
    return _unique(table)


def merge(known: pa.Table, again: pa.Table) -> pa.Table:
    """Return the logs of one range that was read twice: what one of the answers left out is there.

    Of a log that both have, the second is taken.

    Args:
        known: logs of blocks of the same chain as `again`'s, sorted.
        again: sorted.
    """
    places = ["block_number", "log_index"]
    old = known.select(places).append_column("row", pa.array(range(len(known)), pa.int64()))
    lacking = old.join(again.select(places), places, join_type="left anti")["row"]
    merged = pa.concat_tables([known.take(lacking.combine_chunks()), again])
    return merged.sort_by([(place, "ascending") for place in places]).combine_chunks()


def one_hash_a_block(table: pa.Table) -> None:
    """Raise UnavailableError when two logs of one block name different blocks of that number."""
    pairs = table.group_by(["block_number", "block_hash"]).aggregate([])
    if len(pairs) != len(pc.unique(table["block_number"])):
        raise UnavailableError("the node's logs are of two forks of the chain")


def _read(answer: bytes | msgspec.Raw, address: bytes | None, patterns: int) -> pa.Table:
    """Return the logs of a JSON array that are not taken back.

    Raises:
        ValueError, MsgspecError: malformed, or of more patterns than so many.
        UnavailableError: of another contract.
    """
    text = np.frombuffer(answer, np.uint8)
    starts, lengths = _bounds(text)
    columns = _Columns(len(starts), ADDRESSED if address is None else LOGS)
    for length in np.unique(lengths):
        known: list[_Pattern] = []
        same = np.flatnonzero(lengths == length)
        slabs = min(len(same), len(same) * length // _SLAB + 1)
        for left in np.array_split(same, slabs):
            rows = _windows(text, length)[starts[left]].view(np.uint8).reshape(-1, length)
            turn = 0
            while len(left):
                if turn == len(known):
                    if (patterns := patterns - 1) < 0:
                        raise ValueError("the logs are written in too many ways")
                    known.append(_pattern(rows[0].tobytes(), address))
                alike = known[turn].has(rows)
                if alike.all():
                    columns.put(left, rows, known[turn])
                    break
                columns.put(left[alike], rows[alike], known[turn])
                left, rows = left[~alike], rows[~alike]
                turn += 1
    return columns.table()


def _bounds(text: Bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each log begins, and its length; no value of a log holds a brace."""
    if bytes(text[:3]) == b"[]":
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    places = range(0, len(text), _SLAB)
    ends = np.concatenate(
        [place + np.flatnonzero(text[place : place + _SLAB] == ord("}")) for place in places]
    )
    if not len(ends) or text[0] != ord("[") or ends[-1] != len(text) - 2 or text[-1] != ord("]"):
        raise ValueError("not an array of logs")
    if (text[ends[:-1] + 1] != ord(",")).any():
        raise ValueError("a log is not followed by a comma")
    starts = np.concatenate(([1], ends[:-1] + 2))
    return starts, ends + 1 - starts


def _pattern(log: bytes, address: bytes | None) -> _Pattern:
    """Return how a log is written: its hex texts are replaced by marks, and it is parsed."""
    if _MARKS.search(log):
        raise ValueError("a log holds a mark")
    found = list(_HEX.finditer(log))
    marks = iter(range(len(found)))
    marked = msgspec.json.decode(_HEX.sub(lambda _: b'"#%d"' % next(marks), log), type=_Log)
    values = msgspec.structs.asdict(marked)
    values |= {f"topic{place}": mark for place, mark in enumerate(values.pop("topics"))}
    values["block_time"] = values.pop("block_timestamp")
    removed = values.pop("removed")
    places = {}
    for name, mark in values.items():
        if name == "block_time" and not str(mark).startswith("#"):
            continue
        if mark is None:
            continue
        if not mark.startswith("#"):
            raise ValueError(f"{name} is not in hex")
        places[name] = slice(*found[int(mark[1:])].span(1))
    if address is not None:
        if not removed and log[places["address"]].lower() != address.hex().encode():
            raise UnavailableError("the node's logs are of another contract than asked for")
        # Of all logs of a pattern it is the same text.
        del places["address"]
    return _Pattern(np.frombuffer(log, np.uint8), bool(removed), places)


class _Columns:
    """Columns that are filled in with logs of one pattern at a time."""

    def __init__(self, count: int, schema: pa.Schema) -> None:
        self._schema = schema
        self._addresses = np.zeros(count, "V20")
        self._put = np.zeros(count, bool)
        self._quantities = {name: np.full(count, -1) for name in _QUANTITIES}
        self._hashes = {name: np.zeros(count, "V32") for name in _HASHES}
        self._present = {name: np.zeros(count, bool) for name in _HASHES}
        self._sizes = np.zeros(count, np.int64)
        self._data: list[tuple[NDArray[np.int64], bytes]] = []

    def put(self, where: NDArray[np.int64], rows: Bytes, pattern: _Pattern) -> None:
        """Fill in the values of logs of one pattern, one a row; nothing if they are taken back."""
        if pattern.removed or not len(where):
            return
        self._put[where] = True
        for name, place in pattern.places.items():
            digits = rows[:, place]
            width = digits.shape[1]
            if name == "data":
                if width % 2:
                    raise ValueError("data are not whole bytes")
                self._sizes[where] = width // 2
                self._data.append((where, _bytes(digits)))
            elif name == "address":
                if width != 40:
                    raise ValueError("an address is not of 20 bytes")
                self._addresses[where] = np.frombuffer(_bytes(digits), "V20")
            elif name in _HASHES:
                if width != 64:
                    raise ValueError("a hash is not of 32 bytes")
                self._hashes[name][where] = np.frombuffer(_bytes(digits), "V32")
                self._present[name][where] = True
            elif name == "block_time" and not 0 < width <= _QUANTITIES[name]:
                continue
            elif name in _QUANTITIES:
                if not 0 < width <= _QUANTITIES[name]:
                    raise ValueError(f"{name} is of {width} hex digits")
                padded = np.full((len(rows), 16), ord("0"), np.uint8)
                padded[:, -width:] = digits
                self._quantities[name][where] = np.frombuffer(_bytes(padded), ">u8")
            else:
                raise ValueError("a log has more than 4 topics")

    def table(self) -> pa.Table:
        """Return the logs that were put, in their order."""
        ends = np.concatenate(([0], np.cumsum(self._sizes)))
        data = np.empty(ends[-1], np.uint8)
        for where, content in self._data:
            if size := len(content) // len(where):
                _windows(data, size)[ends[where]] = np.frombuffer(content, f"V{size}")
        columns = {name: pa.array(values) for name, values in self._quantities.items()}
        for name, values in self._hashes.items():
            columns[name] = _fixed_array(values, self._present[name])
        columns["address"] = _fixed_array(self._addresses, self._put)
        columns["data"] = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(self._put), [None, pa.py_buffer(ends), pa.py_buffer(data)]
        )
        fields = [columns[field.name].cast(field.type) for field in self._schema]
        table = pa.table(fields, schema=self._schema)
        return table if self._put.all() else table.filter(pa.array(self._put))


def _bytes(digits: Bytes) -> bytes:
    """Return hex digits, all rows one after another, as bytes."""
    # A copy row by row is five times as fast as tobytes of a slice.
    return binascii.unhexlify(np.ascontiguousarray(digits).data)


def _fixed_array(values: NDArray[np.void], present: NDArray[np.bool_]) -> pa.Array:
    mask = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(values.dtype.itemsize), len(values), [mask, pa.py_buffer(values)]
    )


def _windows(text: Bytes, size: int) -> NDArray[np.void]:
    """Return, without a copy, the `size` bytes from each place on."""
    return np.ndarray((len(text) - size + 1,), f"V{size}", text.data, strides=(1,))


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
