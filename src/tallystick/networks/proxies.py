"""Upgrades of a proxy: what the same address does may change with them.

Sources: ERC-1967 (slots, Upgraded, BeaconUpgraded), ERC-2535 (DiamondCut).
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.fetch import header
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.networks.errors import FollowError
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.storage.durable import replace_file

UPGRADES = tuple(
    keccak256(signature)
    for signature in (
        b"Upgraded(address)",
        b"BeaconUpgraded(address)",
        b"DiamondCut((address,uint8,bytes4[])[],address,bytes)",
    )
)
"""First topics of the events by which proxies tell that they were upgraded."""

UPGRADES_VERSION = 1


def _slot(name: bytes) -> str:
    return hex(int.from_bytes(keccak256(name), "big") - 1)


IMPLEMENTATION, BEACON = _slot(b"eip1967.proxy.implementation"), _slot(b"eip1967.proxy.beacon")
_GET_IMPLEMENTATION = to_hex(keccak256(b"implementation()")[:4])
_NONE = "0x" + "00" * 20


def note_implementation(data: Dataset, contract: ContractKey, urls: Sequence[str]) -> None:
    """Note a proxy's implementation, if it is another than the last one noted.

    Of a beacon's upgrades the proxy itself emits nothing, so it is asked about at each run. What is
    no proxy has none.

    Raises:
        RpcError: no node answers.
    """
    block, now = asyncio.run(_look(contract, urls))
    known = implementations(data, contract)
    if now == (known[-1]["implementation"] if known else _NONE):
        return
    known.append({"block": block, "implementation": now})
    body = {"version": UPGRADES_VERSION, "seen": known}
    replace_file(_file(data, contract), (json.dumps(body, indent=1) + "\n").encode())


def implementations(data: Dataset, contract: ContractKey) -> list[dict[str, Any]]:
    """Return the implementations seen, each with the block at which it was seen first."""
    path = _file(data, contract)
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    if wrong := unknown_version("list of upgrades", found.get("version"), UPGRADES_VERSION):
        raise FollowError(f"{path}: {wrong}")
    seen: list[dict[str, Any]] = found["seen"]
    return seen


def _file(data: Dataset, contract: ContractKey) -> Any:
    return data.root / "upgrades" / f"{contract.chain_id}-{to_hex(contract.address)}.json"


async def _look(contract: ContractKey, urls: Sequence[str]) -> tuple[int, str]:
    """Return the latest block, and the implementation as hex text; zero: none."""
    address = to_hex(contract.address)

    async def ask(node: RpcNode) -> tuple[int, str]:
        block = (await header(node, "latest")).height
        for slot in (IMPLEMENTATION, BEACON):
            word = await node.call(str, "eth_getStorageAt", address, slot, "latest")
            found = "0x" + word.removeprefix("0x").rjust(64, "0")[24:].lower()
            if found != _NONE and slot == BEACON:
                call = {"to": found, "data": _GET_IMPLEMENTATION}
                answer = await node.call(str, "eth_call", call, "latest")
                found = "0x" + answer[-40:].lower()
            if found != _NONE:
                return block, found
        return block, _NONE

    async with httpx.AsyncClient(timeout=60) as client:
        return await Nodes([RpcNode(url, client) for url in urls]).at_one(ask)
