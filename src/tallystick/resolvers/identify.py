"""Which contract each resolver of a core's networks is, from its code on chain."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pyarrow.parquet as pq

from tallystick.durable import replace_file
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.rpc import Node, Nodes
from tallystick.hexes import from_hex, to_hex
from tallystick.keccak import keccak256
from tallystick.resolvers.code import identify, known

PLACES = ("rules_attestors_0", "rules_attestors_1", "rules_attestors_2", "rules_arbiter")
"""Where a network's rules name resolvers."""
NONE = "0x" + "00" * 20


def identify_resolvers(data: Dataset, core: Core, urls: Sequence[str]) -> int:
    """Look up the code of each resolver not looked up before; return how many there were.

    A contract's code does not change: an address is asked for once.

    Raises:
        ExtractError: no node answers.
    """
    path = data.resolvers(core)
    found = read_resolvers(data, core)
    missing = sorted(_named(data, core) - set(found) - {NONE})
    if missing:
        codes = asyncio.run(_codes(urls, missing, data.read_manifest(core).last_block))
        for address, code in zip(missing, codes, strict=True):
            hashed = to_hex(keccak256(code))
            found[address] = {"name": identify(code), "code_hash": hashed, "size": len(code)}
        body = {"list_version": known()[0], "resolvers": found}
        replace_file(path, (json.dumps(body, indent=1) + "\n").encode())
    return len(missing)


def read_resolvers(data: Dataset, core: Core) -> dict[str, dict[str, Any]]:
    """Return what is known of resolvers, by address; what an older list said is asked anew."""
    try:
        body: Mapping[str, Any] = json.loads(data.resolvers(core).read_bytes())
    except FileNotFoundError:
        return {}
    return dict(body["resolvers"]) if body["list_version"] == known()[0] else {}


def _named(data: Dataset, core: Core) -> set[str]:
    """Return the addresses that rules name, the zero address included."""
    table = pq.read_table(data.events("NetworkRegistered", core), columns=list(PLACES))
    return {address for place in PLACES for address in table[place].to_pylist()}


async def _codes(urls: Sequence[str], addresses: Sequence[str], block: int) -> list[bytes]:
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([Node(url, client) for url in urls])
        params = [[address, hex(block)] for address in addresses]
        codes = await nodes.at_one(lambda node: node.calls(str, "eth_getCode", params))
    return [from_hex(code) for code in codes]
