"""Events' totals beside the contract's counters, per registry at the same block."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import httpx
from eth_abi.abi import decode

from tallystick.chain.abi import contract
from tallystick.data.analysis import Analysis
from tallystick.data.completeness import knows
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.data.extract.views import views_at
from tallystick.data.reconcile.compared import Compared, compare
from tallystick.data.totals.coverage import Coverage
from tallystick.errors import MissingLogsError, TallystickError
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.totals import Totals


class ReconcileError(TallystickError, RuntimeError):
    """A registry cannot be asked."""


def reconcile(analysis: Analysis, urls: Mapping[int, Sequence[str]]) -> list[Compared]:
    """Compare every counter of every network with the contract's, at the folder's last block.

    A network that events name and none registers is passed over where the registry doesn't know it.
    Imported registries are left out: an audit counts there, and no contract.

    Args:
        analysis: of a data folder.
        urls: JSON-RPC URLs by chain id.

    Raises:
        ReconcileError: no URL is named for a chain, or a node is of another one.
        MissingLogsError: the registry knows a network whose registration the folder lacks.
        RpcError: no node answers, or none has the state of that block.
    """
    rows = analysis.totals().to_pylist()
    found: list[Compared] = []
    for held in analysis.coverage:
        registry = held.contract
        if analysis.data.imported(registry).exists():
            continue
        if registry.chain_id not in urls:
            raise ReconcileError(f"no RPC URL is named for chain {registry.chain_id}")
        mine = [
            row
            for row in rows
            if (row["chain_id"], row["address"]) == (registry.chain_id, to_hex(registry.address))
        ]
        strangers = [
            one
            for one in analysis.strangers()
            if (one["chain_id"], one["address"]) == (registry.chain_id, to_hex(registry.address))
        ]
        networks = [row["network_id"] for row in mine]
        told = asyncio.run(_told(registry, urls[registry.chain_id], networks, strangers, held))
        for row, counters in zip(mine, told, strict=True):
            events = Totals(*(int(row[field.name]) for field in fields(Totals)))
            found += compare(
                registry.chain_id,
                row["address"],
                row["network_id"],
                held.last_block,
                events,
                counters,
            )
    return found


async def _told(
    registry: ContractKey,
    urls: Sequence[str],
    networks: Sequence[str],
    strangers: Sequence[Mapping[str, Any]],
    held: Coverage,
) -> list[Totals]:
    """Return the contract's counters of each network.

    Raises:
        MissingLogsError: the registry knows a stranger.
    """
    function = contract("Tallystick").functions()["totals"]
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        if (found := await nodes.chain_id()) != registry.chain_id:
            raise ReconcileError(f"the nodes named are of chain {found}, not {registry.chain_id}")
        for one in strangers:
            network_id = from_hex(one["network_id"])
            if await knows(nodes, registry, network_id, held.last_block, held.boundary):
                raise MissingLogsError(
                    f"chain {registry.chain_id}, registry {one['address']}: {one['events']} events "
                    f"name network {one['network_id']}, which the registry knows at block "
                    f"{held.last_block}; its registration is missing from block "
                    f"{held.first_block} on; {remedy(held)}"
                )

        async def ask(node: RpcNode) -> list[str]:
            calls = [function.selector + from_hex(one) for one in networks]
            return await views_at(node, registry.address, calls, held.last_block, held.boundary)

        answers = await nodes.at_one(ask)
    return [Totals(*decode(function.outputs, from_hex(answer))[0]) for answer in answers]


def remedy(held: Coverage) -> str:
    """Return what to run where the contract counts what events do not."""
    return (
        "if the node left out logs, read them again, best at another one: `tallystick extract "
        f"{to_hex(held.contract.address)} --repair {held.first_block}:{held.last_block}`"
    )
