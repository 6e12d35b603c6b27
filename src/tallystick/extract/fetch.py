"""The logs of a range of blocks, all from one node, with proof that no reorg came in between."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.extract.errors import RangeError, RpcError, UnavailableError
from tallystick.extract.logs import one_hash_a_block, to_table
from tallystick.extract.rpc import GET_LOGS, Node
from tallystick.extract.schema import LOGS
from tallystick.extract.window import Window

HEADERS_AT_ONCE = 100
"""Calls in one JSON-RPC batch; what public nodes allow."""


class Header(msgspec.Struct, rename="camel"):
    """What is read of a block's header."""

    number: str
    hash: str
    parent_hash: str
    timestamp: str

    @property
    def height(self) -> int:
        """The block's number."""
        return int(self.number, 16)


class Fetched(NamedTuple):
    """A range's logs."""

    table: pa.Table
    """Of LOGS."""
    parent: str
    """Hash of the block before the range."""
    boundary: str
    """Hash of the range's last block; it stands for every block before it."""


async def header(node: Node, block: int | str) -> Header:
    """Return a block's header, by number or by name (latest, safe, finalized)."""
    tag = hex(block) if isinstance(block, int) else block
    found = await node.call(Header, "eth_getBlockByNumber", tag, False)
    if isinstance(block, int) and found.height != block:
        raise UnavailableError(f"{node.name} answers for block {block} with block {found.height}")
    return found


async def fetch(
    node: Node,
    window: Window,
    address: bytes,
    first: int,
    last: int,
    topics: Sequence[str] | None = None,
) -> Fetched:
    """Return the logs of a contract in blocks first to last, both included.

    Args:
        node: asked.
        window: the node's.
        address: the contract's, 20 bytes.
        first: block.
        last: block.
        topics: first topics as hex text; logs of others are not fetched. None: all.

    Raises:
        UnavailableError: the node lacks the blocks, or changed its mind about them in between.
        RpcError: the node refuses even a single block.
    """
    before = await header(node, last)
    bottom, table = await asyncio.gather(
        header(node, first), _range(node, window, address, first, last, topics)
    )
    after = await header(node, last)
    # A URL may stand for several machines, of which one is on another fork still.
    at_last = table.filter(pc.equal(table["block_number"], last))["block_hash"].unique().to_pylist()
    hashes = {before.hash, *("0x" + known.hex() for known in at_last)}
    if hashes != {after.hash}:
        raise UnavailableError(f"{node.name} went over to another fork below block {last}")
    return Fetched(table, bottom.parent_hash, after.hash)


async def _range(
    node: Node,
    window: Window,
    address: bytes,
    first: int,
    last: int,
    topics: Sequence[str] | None,
) -> pa.Table:
    parts: list[pa.Table] = []
    start = first
    while start <= last:
        end = min(last, start + window.size - 1)
        try:
            parts.append(await node.again(partial(_logs, node, address, start, end, topics)))
        except RangeError as error:
            if start == end:
                raise RpcError(
                    f"block {start} alone is too much for {node.name}: {error}"
                ) from error
            window.refused(end - start + 1)
            continue
        window.accepted(end - start + 1)
        start = end + 1
    table = parts[0] if len(parts) == 1 else pa.concat_tables(parts).combine_chunks()
    one_hash_a_block(table)
    return await _timed(node, table)


async def _logs(
    node: Node, address: bytes, first: int, last: int, topics: Sequence[str] | None
) -> pa.Table:
    query: dict[str, object] = {
        "address": "0x" + address.hex(),
        "fromBlock": hex(first),
        "toBlock": hex(last),
    } | ({} if topics is None else {"topics": [topics]})
    logs = await node.ask(msgspec.Raw, GET_LOGS, query)
    # In a thread, so that the next answer arrives meanwhile.
    return await asyncio.to_thread(to_table, logs, address, first, last)


async def _timed(node: Node, table: pa.Table) -> pa.Table:
    """Fill in the blocks' times where the node's logs lack them, checking the hashes."""
    if not len(table) or pc.min(table["block_time"]).as_py() >= 0:
        return table
    blocks = table.group_by(["block_number", "block_hash"]).aggregate([])
    numbers, hashes = blocks["block_number"].to_pylist(), blocks["block_hash"].to_pylist()
    headers: list[Header] = []
    for start in range(0, len(numbers), HEADERS_AT_ONCE):
        params = [[hex(number), False] for number in numbers[start : start + HEADERS_AT_ONCE]]
        headers += await node.calls(Header, "eth_getBlockByNumber", params)
    for one, number, known in zip(headers, numbers, hashes, strict=True):
        if one.height != number or one.hash != "0x" + known.hex():
            raise UnavailableError(f"{node.name} has logs and header of two blocks {number}")
    order = np.argsort(numbers)
    times = np.array([int(one.timestamp, 16) for one in headers], np.int64)[order]
    places = np.searchsorted(np.array(numbers)[order], table["block_number"].to_numpy())
    place = table.schema.get_field_index("block_time")
    return table.set_column(place, LOGS.field("block_time"), pa.array(times[places], pa.int64()))
