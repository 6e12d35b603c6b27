"""The chain's head as one node has it, and which parts of a folder that node bears out."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.chain.rpc.errors import BehindError, BusyError, RpcError, UnavailableError
from tallystick.data.extract.fetch import header
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.data.extract.rpc import TRIES, RpcNode
from tallystick.protocol.hexes import to_hex


class Heads(NamedTuple):
    """Blocks of a chain, as one node has them."""

    latest: int
    target: int
    """The last block that is to be read."""


async def read_heads(node: RpcNode, depth: int | None) -> Heads:
    """Return a node's heads.

    Args:
        node: asked.
        depth: blocks below the latest to stop at; None: the finalized block.

    Raises:
        RpcError: the node does not answer, or has no finalized block.
    """
    latest = (await header(node, "latest")).height
    if depth is not None:
        return Heads(latest, latest - depth)
    try:
        final = (await header(node, "finalized", TRIES)).height
    except BusyError:
        raise
    except RpcError as error:
        kind = UnavailableError if type(error) is UnavailableError else RpcError
        raise kind(
            f"{node.name} gives no finalized block: {error}; its latest is {latest}; "
            "needed: --depth BLOCKS, how far below the latest to stop"
        ) from error
    return Heads(latest, min(final, latest))


async def borne_out(
    node: RpcNode, manifest: LogManifest, folder: Path, latest: int
) -> Sequence[Part]:
    """Return the parts that are of the node's chain, as far as it has come.

    Only another hash at a height that both have shows a fork: blocks above the node's latest say
    nothing, for it may just be behind. A block's hash stands for all blocks before it, so of each
    run the good parts are a prefix.

    Args:
        node: asked.
        manifest: of the parts.
        folder: of their files.
        latest: the node's.
    """
    kept: list[Part] = []
    for run in manifest.linked():
        reach = sum(part.last <= latest for part in run)
        good, bad = 0, reach
        if reach and await _has(node, run[reach - 1]):
            good = bad
        while good < bad:
            middle = (good + bad) // 2
            if await _has(node, run[middle]):
                good = middle + 1
            else:
                bad = middle
        if good == reach < len(run) and await _bears_out(node, run[reach], folder, latest):
            good = len(run)
        kept += run[:good]
    return kept


def check_reach(node: RpcNode, parts: Sequence[Part], latest: int) -> None:
    """Raise BehindError if parts hold blocks that the node does not have yet."""
    known = max((part.last for part in parts), default=-1)
    if latest < known:
        raise BehindError(
            f"{node.name} is behind: its latest block is {latest}, and block {known} was read "
            "before; what was read is kept"
        )


async def _has(node: RpcNode, part: Part) -> bool:
    """Return whether the node has the last block of a part."""
    return (await header(node, part.last)).hash == part.boundary


async def _bears_out(node: RpcNode, part: Part, folder: Path, latest: int) -> bool:
    """Return whether nothing speaks against a part that ends above the node's latest block."""
    if part.first <= latest and (await header(node, part.first)).parent_hash != part.parent:
        return False
    logs = pq.read_table(folder / part.name, columns=["block_number", "block_hash"])
    logs = logs.filter(pc.less_equal(logs["block_number"], latest))
    if not len(logs):
        return True
    number, known = logs["block_number"][-1].as_py(), logs["block_hash"][-1].as_py()
    found = await header(node, number)
    return found.hash == to_hex(known)
