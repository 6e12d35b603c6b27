"""Seats and audits of the pools that a registry's networks name, read on chain."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import httpx
from eth_abi.abi import decode

from tallystick.chain.abi import contract
from tallystick.chain.pool import Standing
from tallystick.chain.rpc.errors import RpcError, UnavailableError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import ExtractPlan, extract
from tallystick.data.extract.fetch import header
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.data.extract.views import views_at
from tallystick.data.pools import logs
from tallystick.data.pools.state import PoolSeats, SeatsAtBlock, pools_of
from tallystick.data.resolvers.identify import read_resolvers
from tallystick.protocol.abi_words import uint
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.pool import epoch_of
from tallystick.protocol.progress import Progress

_AT_ONCE = 100
"""Keys that are asked for in one request."""
_STANDING = 3
"""Its place in PoolMember of the contract."""

_LOG = logging.getLogger(__name__)


def extract_pools(
    data: Dataset,
    registry: ContractKey,
    plan: ExtractPlan,
    stage: Callable[[str], Progress] | None = None,
) -> int:
    """Bring the pools of a registry up to its last block; return how many logs a repair added.

    Of each pool whose code and terms are known, and that audits for this registry: who enrolled
    and which audits were stored, from its logs; and how many seats the epoch of the last block has,
    by its own view at that block, which the logs have to bear out.

    Where no node has the state of that block, or a pool's logs are not whole, a warning says so,
    and the pool's seats stay unread.

    Args:
        data: with the registry's logs, and its resolvers looked up.
        registry: whose networks name the pools.
        plan: by which the registry was extracted; its repair is the pools' too.
        stage: gives what progress is told to, in blocks of each pool; see bring.

    Raises:
        RpcError: nodes refuse or fail; what was extracted before stays.
        ExtractError: see extract.
    """
    named = pools_of(read_resolvers(data, registry), registry)
    pools = [ContractKey(registry.chain_id, from_hex(one)) for one in named]
    manifest = data.read_manifest(registry)
    if not pools:
        return 0
    last = manifest.parts[-1]
    held = SeatsAtBlock.read(data.pools(registry))
    whole = held is not None and held.is_of(last.last, last.boundary) and held.names(pools)
    if whole and plan.repair is None:
        return 0
    progress = stage and stage("pools (blocks)")
    added = 0
    for pool in pools:
        known = LogManifest.read(data.pool_logs.manifest(pool))
        first = manifest.first_block if known is None else known.first_block
        wanted = replace(
            plan,
            address=pool.address,
            first_block=first,
            block_range=manifest.block_range,
            topics=logs.topics(),
        )
        added += extract(data.pool_logs, wanted, progress).added
    try:
        time, headers = asyncio.run(_headers(plan.urls, pools, last))
        lists = {
            pool: listed
            for pool in pools
            if (listed := _listed(data, pool, last.last, epoch_of(time), headers[pool])) is not None
        }
        convicted = asyncio.run(_convicted(plan.urls, lists, last))
    except RpcError as error:
        _LOG.warning("the seats of pools are not read at block %d: %s", last.last, error)
        SeatsAtBlock(last.last, last.boundary, None, {}).write(data.pools(registry))
        return added
    seats = {
        to_hex(pool.address): _seats(epoch_of(time), listed, convicted[pool])
        for pool, listed in lists.items()
    }
    SeatsAtBlock(last.last, last.boundary, time, seats).write(data.pools(registry))
    return added


def _listed(
    data: Dataset, pool: ContractKey, last_block: int, epoch: int, header: tuple[int, int]
) -> list[logs.Enrolment] | None:
    """Return an epoch's list by a pool's logs; None where it is not what the pool says.

    The logs are given up then: they are read from the start the next time.
    """
    of_epoch = [one for one in logs.enrolments(data, pool, last_block) if one.epoch == epoch]
    seats = sum(one.seats for one in of_epoch)
    if (seats, len(of_epoch)) != header:
        _LOG.warning(
            "logs of the pool %s are missing: in epoch %d it has %d seats in %d entries, by its "
            "logs %d in %d; its logs are read again by the next extraction",
            *(to_hex(pool.address), epoch, *header, seats, len(of_epoch)),
        )
        data.pool_logs.manifest(pool).unlink()
        return None
    return of_epoch


def _seats(epoch: int, listed: Sequence[logs.Enrolment], convicted: set[bytes]) -> PoolSeats:
    accounts: dict[str, int] = {}
    for one in listed:
        accounts[one.account] = accounts.get(one.account, 0) + one.seats
    out = sum(one.seats for one in listed if one.key in convicted)
    return PoolSeats(epoch, sum(accounts.values()), accounts, out)


async def _headers(
    urls: Sequence[str], pools: Sequence[ContractKey], last: Part
) -> tuple[int, dict[ContractKey, tuple[int, int]]]:
    """Return a block's time, and seats and entries of its epoch's list in each pool."""
    view = contract("Pool").functions()["headerOf"]

    async def ask(node: RpcNode) -> tuple[int, dict[ContractKey, tuple[int, int]]]:
        block = await header(node, last.last)
        if block.hash != last.boundary:
            raise UnavailableError(f"{node.name} has another block {last.last} than the folder")
        call = view.selector + uint(epoch_of(block.time))
        found = {}
        for pool in pools:
            (answer,) = await views_at(node, pool.address, [call], last.last, last.boundary)
            found[pool] = tuple(decode(view.outputs, from_hex(answer))[0])
        return block.time, found

    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        return await nodes.at_one(ask)


async def _convicted(
    urls: Sequence[str],
    lists: Mapping[ContractKey, Sequence[logs.Enrolment]],
    last: Part,
) -> dict[ContractKey, set[bytes]]:
    """Return the keys of each pool's list that were convicted by a block's end."""
    view = contract("Pool").functions()["memberOf"]

    async def ask(node: RpcNode) -> dict[ContractKey, set[bytes]]:
        found: dict[ContractKey, set[bytes]] = {}
        for pool, listed in lists.items():
            keys, out = [one.key for one in listed], set[bytes]()
            for start in range(0, len(keys), _AT_ONCE):
                some = keys[start : start + _AT_ONCE]
                calls = [view.selector + key.rjust(32, b"\0") for key in some]
                answers = await views_at(node, pool.address, calls, last.last, last.boundary)
                for key, answer in zip(some, answers, strict=True):
                    member = decode(view.outputs, from_hex(answer))[0]
                    if member[_STANDING] == Standing.CONVICTED:
                        out.add(key)
            found[pool] = out
        return found

    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        return await nodes.at_one(ask)
