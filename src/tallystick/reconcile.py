"""Events' totals beside the contract's counters, per core at the same block."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from eth_abi.abi import decode
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from tallystick.analysis import Analysis
from tallystick.chain.abi import contract
from tallystick.chain.fold import knows
from tallystick.chain.registry import Registry
from tallystick.errors import MissingLogsError, TallystickError
from tallystick.extract.dataset import Core
from tallystick.extract.rpc import Node, Nodes
from tallystick.hexes import from_hex, to_hex
from tallystick.totals import Totals
from tallystick.totals.coverage import Coverage
from tallystick.totals.expression import COUNTS

COUNTERS = (*COUNTS, "burned")
CALLS_AT_ONCE = 100


class ReconcileError(TallystickError, RuntimeError):
    """A core cannot be asked."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One counter of one network at one block, by both ways."""

    chain_id: int
    address: str
    network_id: str
    counter: str
    block: int
    from_events: int
    from_contract: int

    @property
    def agrees(self) -> bool:
        """Whether both are the same to the unit."""
        return self.from_events == self.from_contract

    def __str__(self) -> str:
        return (
            f"chain {self.chain_id}, core {self.address}, network {self.network_id}, "
            f"counter {self.counter}, block {self.block}: events say {self.from_events}, "
            f"the contract says {self.from_contract}"
        )


def reconcile(analysis: Analysis, urls: Mapping[int, Sequence[str]]) -> list[Compared]:
    """Compare every counter of every network with the contract's, at the folder's last block.

    A network that events name and none registers is passed over where the core doesn't know it.
    Imported cores are left out: an audit counts there, and no contract.

    Args:
        analysis: of a data folder.
        urls: JSON-RPC URLs by chain id.

    Raises:
        ReconcileError: no URL is named for a chain, or a node is of another one.
        MissingLogsError: the core knows a network whose registration the folder lacks.
        ExtractError: no node answers; one without the state of that block is asked in vain.
    """
    rows = analysis.totals().to_pylist()
    found: list[Compared] = []
    for held in analysis.coverage:
        core = held.core
        if analysis.data.imported(core).exists():
            continue
        if core.chain_id not in urls:
            raise ReconcileError(f"no RPC URL is named for chain {core.chain_id}")
        mine = [
            row
            for row in rows
            if (row["chain_id"], row["address"]) == (core.chain_id, to_hex(core.address))
        ]
        _check_strangers(analysis.strangers(), held, urls[core.chain_id])
        told = asyncio.run(
            _counters(core, urls[core.chain_id], [row["network_id"] for row in mine], held)
        )
        for row, counters in zip(mine, told, strict=True):
            found += [
                Compared(
                    core.chain_id,
                    row["address"],
                    row["network_id"],
                    name,
                    held.last_block,
                    int(row[name]),
                    counter,
                )
                for name, counter in zip(COUNTERS, counters, strict=True)
            ]
    return found


def _check_strangers(
    strangers: Sequence[Mapping[str, Any]], held: Coverage, urls: Sequence[str]
) -> None:
    """Raise MissingLogsError for the first stranger of a core that the core knows.

    Raises:
        Web3Exception, OSError: no node answers.
    """
    core = held.core
    nodes = [Registry(Web3(HTTPProvider(url)), core.address) for url in urls]
    for one in strangers:
        if (one["chain_id"], one["address"]) != (core.chain_id, to_hex(core.address)):
            continue
        if _knows(nodes, from_hex(one["network_id"]), held.last_block):
            raise MissingLogsError(
                f"chain {core.chain_id}, core {one['address']}: {one['events']} events name "
                f"network {one['network_id']}, which the core knows at block {held.last_block}; "
                f"its registration is missing from block {held.first_block} on"
            )


def _knows(nodes: Sequence[Registry], network_id: bytes, block: int) -> bool:
    """Return whether the core knows a network, by the first node that answers."""
    for node in nodes[:-1]:
        with suppress(Web3Exception, OSError, ValueError):
            return knows(node, network_id, block)
    return knows(nodes[-1], network_id, block)


async def _counters(
    core: Core, urls: Sequence[str], networks: Sequence[str], held: Any
) -> list[Sequence[int]]:
    """Return the contract's counters of each network, in the order of COUNTERS."""
    function = contract("Tallystick").functions()["totals"]
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([Node(url, client) for url in urls])

        async def ask(node: Node) -> list[str]:
            if int(await node.call(str, "eth_chainId"), 16) != core.chain_id:
                raise ReconcileError(f"{node.name} is of another chain than {core.chain_id}")
            # By its hash: the same block as the events', whatever fork the node is on.
            block = {"blockHash": held.boundary, "requireCanonical": True}
            answers: list[str] = []
            for start in range(0, len(networks), CALLS_AT_ONCE):
                params = [
                    [
                        {
                            "to": to_hex(core.address),
                            "data": to_hex(function.selector + from_hex(one)),
                        },
                        block,
                    ]
                    for one in networks[start : start + CALLS_AT_ONCE]
                ]
                answers += await node.calls(str, "eth_call", params)
            return answers

        answers = await nodes.at_one(ask)
    return [_ordered(decode(function.outputs, from_hex(answer))[0]) for answer in answers]


def _ordered(totals: Sequence[int]) -> Sequence[int]:
    """Return the contract's struct in the order of COUNTERS."""
    named = Totals(*totals)
    return [getattr(named, name) for name in COUNTERS]
