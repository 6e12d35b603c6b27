"""The logs of a range of blocks, all from one node, with proof that no reorg came in between."""

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.chain.rpc.errors import (
    BehindError,
    BusyError,
    DeniedError,
    PrunedError,
    RangeError,
    RpcError,
    UnavailableError,
)
from tallystick.data.extract.logs import one_hash_a_block, to_table
from tallystick.data.extract.rpc import GET_LOGS, TRIES, RpcNode
from tallystick.data.extract.schema import LOGS
from tallystick.data.extract.window import Window
from tallystick.protocol.hexes import to_hex

SAMPLED = 3
"""Blocks of a range whose times in the logs are compared with their headers'."""


class Header(msgspec.Struct, rename="camel"):
    """The fields that are read of a block's header."""

    number: str
    hash: str
    parent_hash: str
    timestamp: str

    @property
    def height(self) -> int:
        """The block's number; UnavailableError where it is none."""
        return _quantity(self.number)

    @property
    def time(self) -> int:
        """Unix seconds; UnavailableError where it is none."""
        return _quantity(self.timestamp)


def _quantity(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise UnavailableError(f"a block's header holds {text[:40]!r} for a number") from None


class FetchedLogs(NamedTuple):
    """A range's logs."""

    table: pa.Table
    """A table of the schema LOGS."""
    parent: str
    """Hash of the block before the range."""
    boundary: str
    """Hash of the range's last block; it stands for every block before it."""


async def header(node: RpcNode, block: int | str, attempts: int | None = None) -> Header:
    """Return a block's header, by number or by name (latest, safe, finalized).

    Args:
        node: asked.
        block: which.
        attempts: see RpcNode.again.
    """
    tag = hex(block) if isinstance(block, int) else block
    ask = partial(node.ask, Header, "eth_getBlockByNumber", tag, False)
    found: Header = await node.again(ask, attempts)
    if found.height != block and isinstance(block, int):
        raise UnavailableError(f"{node.name} answers for block {block} with block {found.height}")
    return found


async def fetch(
    node: RpcNode,
    window: Window,
    address: bytes | None,
    first: int,
    last: int,
    topics: Sequence[str] | None = None,
) -> FetchedLogs:
    """Return the logs of a contract in blocks first to last, both included.

    Args:
        node: asked.
        window: the node's.
        address: the contract's, 20 bytes; None: every contract's logs, see logs.to_table.
        first: block.
        last: block.
        topics: first topics as hex text; logs of others are not fetched. None: all.

    Raises:
        BehindError: the node lacks the blocks.
        UnavailableError: it changed its mind about them in between.
        RpcError: it refuses even a single block.
    """
    before = await header(node, last)
    bottom, table = await asyncio.gather(
        header(node, first), _range(node, window, address, first, last, topics)
    )
    table = await _timed(node, table, bottom.time, before.time)
    after = await header(node, last)
    # A URL may stand for several machines, of which one is on another fork still.
    at_last = table.filter(pc.equal(table["block_number"], last))["block_hash"].unique().to_pylist()
    hashes = {before.hash, *("0x" + known.hex() for known in at_last)}
    if hashes != {after.hash}:
        raise UnavailableError(f"{node.name} went over to another fork below block {last}")
    return FetchedLogs(table, bottom.parent_hash, after.hash)


async def _range(
    node: RpcNode,
    window: Window,
    address: bytes | None,
    first: int,
    last: int,
    topics: Sequence[str] | None,
) -> pa.Table:
    parts: list[pa.Table] = []
    start = first
    while start <= last:
        end = min(last, start + window.size - 1)
        size = end - start + 1
        # A range that fails may be too large for the node, in whatever words.
        attempts = TRIES if size > 1 else None
        ask = partial(_logs, node, address, start, end, topics)
        try:
            parts.append(await node.again(ask, attempts))
        except (DeniedError, BusyError, BehindError, PrunedError):
            raise
        except RpcError as error:
            if size == 1:
                if not isinstance(error, RangeError):
                    raise
                raise RpcError(
                    f"block {start} alone is too much for {node.name}: {error}"
                ) from error
            if not isinstance(error, RangeError):
                # If it answers nothing else either, it is not the range.
                await node.call(str, "eth_blockNumber")
            window.refused(size)
            continue
        window.accepted(size)
        start = end + 1
    table = parts[0] if len(parts) == 1 else pa.concat_tables(parts).combine_chunks()
    one_hash_a_block(table)
    return table


async def _logs(
    node: RpcNode, address: bytes | None, first: int, last: int, topics: Sequence[str] | None
) -> pa.Table:
    query: dict[str, object] = {"fromBlock": hex(first), "toBlock": hex(last)}
    if address is not None:
        query["address"] = to_hex(address)
    if topics is not None:
        query["topics"] = [topics]
    logs = await node.ask(msgspec.Raw, GET_LOGS, query)
    # In a thread, so that the next answer arrives meanwhile.
    return await asyncio.to_thread(to_table, logs, address, first, last)


async def _timed(node: RpcNode, table: pa.Table, earliest: int, latest: int) -> pa.Table:
    """Return logs with their blocks' times: the node's, if headers bear them out, else headers'.

    Args:
        node: that gave the logs.
        table: of logs.
        earliest: time of the range's first block.
        latest: time of its last block.
    """
    if not len(table):
        return table
    blocks = table.group_by(["block_number", "block_hash"]).aggregate([("block_time", "min_max")])
    numbers, hashes = blocks["block_number"].to_pylist(), blocks["block_hash"].to_pylist()
    told = blocks["block_time_min_max"].to_pylist()
    lowest, highest = min(one["min"] for one in told), max(one["max"] for one in told)
    ascending = all(
        one["max"] <= other["min"]
        for one, other in pairwise(told[place] for place in np.argsort(numbers))
    )
    if ascending and max(earliest, 1) <= lowest and highest <= latest:
        places = random.sample(range(len(numbers)), min(SAMPLED, len(numbers)))
        found = await _headers(
            node, [numbers[place] for place in places], [hashes[place] for place in places]
        )
        if all(
            told[place]["min"] == one.time == told[place]["max"]
            for place, one in zip(places, found, strict=True)
        ):
            return table
    headers = await _headers(node, numbers, hashes)
    order = np.argsort(numbers)
    times = np.array([one.time for one in headers], np.int64)[order]
    at = np.searchsorted(np.array(numbers)[order], table["block_number"].to_numpy())
    place = table.schema.get_field_index("block_time")
    return table.set_column(place, LOGS.field("block_time"), pa.array(times[at], pa.int64()))


async def _headers(
    node: RpcNode, numbers: Sequence[int], hashes: Sequence[bytes]
) -> Sequence[Header]:
    """Return blocks' headers; UnavailableError where one is of another hash."""
    params = [[hex(number), False] for number in numbers]
    headers = await node.calls(Header, "eth_getBlockByNumber", params)
    for one, number, known in zip(headers, numbers, hashes, strict=True):
        if one.height != number or one.hash != "0x" + known.hex():
            raise UnavailableError(f"{node.name} has logs and header of two blocks {number}")
    return headers
