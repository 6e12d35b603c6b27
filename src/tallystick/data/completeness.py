"""Logs that other logs prove to be missing: a node may leave some out without a word."""

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import ibis
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from ibis import _

from tallystick.chain.abi import contract
from tallystick.chain.rpc.errors import RevertedError, RpcError
from tallystick.data.counted import Counts, compare
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.gaps import Gap, Gaps, note_gaps, read_gaps, told
from tallystick.data.extract.manifest import LogManifest
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.data.extract.views import views_at
from tallystick.data.totals.engines import connect, load
from tallystick.errors import FieldError, MissingLogsError, NoContractError
from tallystick.protocol.hexes import from_hex, to_hex

_LOG = logging.getLogger(__name__)
MOST = 100
"""Gaps of a kind that are noted."""
_LANE = ("network_id", "operator")


def check_complete(
    data: Dataset, registry: ContractKey, urls: Sequence[str], ask: bool = True
) -> None:
    """Look for proof that logs are missing, unless that was done for the same logs; note it.

    An event names its network, model and batch, of which each had an event before; the batches of
    a lane are numbered without gaps; and what events count is what the contract says at the last
    block. A network that the registry does not know needs no event.

    Where no node has the state of the last block, the contract is not asked, and a warning says so.

    Args:
        data: decoded.
        registry: whose events.
        urls: JSON-RPC over HTTP, to ask the contract.
        ask: ask it although nothing but the last block is new; logs that were left out are never
            new.

    Raises:
        MissingLogsError: logs are missing; says where, and what to run.
        NoContractError: there are no logs, and the contract is no registry.
        RpcError: no node answers what must be asked.
    """
    manifest, noted = data.read_manifest(registry), read_gaps(data, registry)
    known, logs = noted, _digest(manifest)
    looked = known is None or known.logs != logs
    if known is None or looked:
        fresh = _look(data, registry, logs, manifest.first_block)
        if known is not None:
            fresh = replace(fresh, counted=known.counted, beyond=known.beyond)
        known = fresh
    if not known.proved and (
        looked or known.counted or (ask and known.last_block != manifest.last_block)
    ):
        if not manifest.rows:
            asyncio.run(_check_registry(registry, urls, manifest))
        known = asyncio.run(_asked(registry, urls, manifest, known, _tables(data, registry)))
    if known != noted:
        note_gaps(data, registry, known)
    if known.found:
        raise MissingLogsError(told(known.found, manifest.first_block))


def find_gaps(data: Dataset, registry: ContractKey, urls: Sequence[str]) -> tuple[Gap, ...]:
    """Return the gaps that events prove, or that the registry does where it knows a network.

    What events count is not compared with the contract's counters.

    Args:
        data: decoded.
        registry: whose events.
        urls: JSON-RPC over HTTP, to ask the registry about networks that no event registers.

    Raises:
        RpcError: no node answers.
    """
    manifest, known = data.read_manifest(registry), read_gaps(data, registry)
    logs = _digest(manifest)
    if known is None or known.logs != logs:
        known = _look(data, registry, logs, manifest.first_block)
        note_gaps(data, registry, known)
    return known.proved + asyncio.run(_registrations(registry, urls, manifest, known))


def _digest(manifest: LogManifest) -> str:
    """Return what tells logs from others; blocks without any do not count."""
    parts = [part.sha256 for part in manifest.parts if part.rows]
    return hashlib.sha256(" ".join([str(manifest.first_block), *parts]).encode()).hexdigest()


def _tables(data: Dataset, registry: ContractKey) -> dict[str, Any]:
    address = to_hex(registry.address)
    return {
        name: table.filter(table.chain_id == registry.chain_id, table.address == address)
        for name, table in load(connect(), data).items()
    }


def _look(data: Dataset, registry: ContractKey, logs: str, first: int) -> Gaps:
    """Return what events alone tell."""
    tables = _tables(data, registry)
    registered = tables["NetworkRegistered"].select("network_id")
    strangers = _rows(_first_blocks(tables, "network_id").anti_join(registered, "network_id"))
    proved = tuple(_proved(tables, first))
    return Gaps(logs, proved, tuple((row["network_id"], row["block"]) for row in strangers))


def _proved(tables: dict[str, Any], first: int) -> Iterator[Gap]:
    registered = tables["NetworkRegistered"].select("network_id")
    commits = tables["BatchCommitted"].semi_join(registered, "network_id")
    yield from _between(commits, first)
    models = commits.group_by("model_id").agg(block=_.block_number.min())
    for row in _rows(models.anti_join(tables["ModelRegistered"], "model_id")):
        yield Gap(first, row["block"], f"the registration of model {row['model_id']}")
    named = _first_blocks(tables, "batch_id", but="BatchCommitted")
    taken = commits.filter(commits.finalized_count > 0)
    taken = taken.select(batch_id="finalized_id", network_id="network_id", block="block_number")
    batches = ibis.union(named, taken).semi_join(registered, "network_id")
    for row in _rows(batches.anti_join(tables["BatchCommitted"], "batch_id")):
        yield Gap(first, row["block"], f"the commit of batch {row['batch_id']}")


async def _asked(
    registry: ContractKey,
    urls: Sequence[str],
    manifest: LogManifest,
    known: Gaps,
    tables: dict[str, Any],
) -> Gaps:
    """Return what is known once the contract was asked."""
    first, part = manifest.first_block, manifest.parts[-1]
    if lacking := await _registrations(registry, urls, manifest, known):
        return replace(known, last_block=part.last, counted=lacking)
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        try:
            gaps, beyond = await compare(nodes, registry, manifest.parts, Counts(tables))
        except (RpcError, DecodingError, FieldError) as error:
            _LOG.warning("events are not compared with the contract: %s", error)
            return known
    if beyond > known.beyond:
        _LOG.warning(
            "the contract holds %d wei of which no event tells: they were forced upon it, or logs "
            "are missing, as when a network's were left out from its registration on; another node "
            "may have them: `tallystick extract --repair %d:%d`",
            beyond,
            first,
            part.last,
        )
    return replace(known, last_block=part.last, counted=tuple(gaps[:MOST]), beyond=beyond)


async def _registrations(
    registry: ContractKey, urls: Sequence[str], manifest: LogManifest, known: Gaps
) -> tuple[Gap, ...]:
    """Return a gap for each network that the registry knows and no event registers."""
    first, part = manifest.first_block, manifest.parts[-1]
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        return tuple(
            [
                Gap(first, block, f"the registration of network {network}")
                for network, block in known.strangers
                if await knows(nodes, registry, from_hex(network), part.last, part.boundary)
            ]
        )


def _first_blocks(tables: dict[str, Any], column: str, but: str = "") -> Any:
    """Return each value of an id's column, of all tables that have it, and its first block."""
    keys = list(dict.fromkeys((column, "network_id")))
    some = [
        table.select(**{key: table[key].cast("string") for key in keys}, block=table.block_number)
        for name, table in tables.items()
        if column in table.columns and "network_id" in table.columns and name != but
    ]
    return ibis.union(*some).group_by(keys).agg(block=_.block.min())


def _between(commits: Any, first: int) -> Iterator[Gap]:
    """Yield where a lane's batches are not numbered one after another."""
    lane = ibis.window(group_by=list(_LANE), order_by="index")
    steps = commits.mutate(
        before=commits.index.lag().over(lane), begin=commits.block_number.lag().over(lane)
    )
    for row in _rows(steps.filter(steps.index != steps.before.fill_null(-1) + 1)):
        lost = row["before"] + 1 if row["before"] is not None else 0
        yield Gap(
            first if row["begin"] is None else row["begin"],
            row["block_number"],
            f"the commit of batch {lost} of operator {row['operator']} in network "
            f"{row['network_id']}",
        )


def _rows(table: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.limit(MOST).to_pyarrow().to_pylist()
    return rows


async def _check_registry(
    registry: ContractKey, urls: Sequence[str], manifest: LogManifest
) -> None:
    """Raise NoContractError where the contract does not say that it is a registry."""
    function = contract("Tallystick").functions()["eip712Domain"]
    part = manifest.parts[-1]

    async def ask(node: RpcNode) -> str:
        try:
            (answer,) = await views_at(
                node, registry.address, [function.selector], part.last, part.boundary
            )
            return str(decode(function.outputs, from_hex(answer))[1])
        except (RevertedError, DecodingError, FieldError):
            return ""

    async with httpx.AsyncClient(timeout=60) as client:
        name = await Nodes([RpcNode(url, client) for url in urls]).at_one(ask)
    if name != "Tallystick":
        raise NoContractError(f"the contract at {to_hex(registry.address)} is no registry")


async def knows(
    nodes: Nodes, registry: ContractKey, network_id: bytes, number: int, block: str
) -> bool:
    """Return whether a registry knows a network.

    Args:
        nodes: of its chain.
        registry: the registry.
        network_id: 32 bytes.
        number: of the block at whose end it is asked.
        block: that block's hash.

    Raises:
        RpcError: no node answers.
    """
    selector = contract("Tallystick").functions()["ownerOf"].selector

    async def ask(node: RpcNode) -> bool:
        try:
            await views_at(node, registry.address, [selector + network_id], number, block)
        except RevertedError:
            return False
        return True

    return await nodes.at_one(ask)
