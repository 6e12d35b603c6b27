"""Resolvers of a registry's networks: their code and their terms, read on chain."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import pyarrow.parquet as pq
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError, EncodingError

from tallystick.chain.abi import Function, contract
from tallystick.chain.deploy import create2_address, creation_code
from tallystick.chain.rpc.errors import RpcError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.rpc import Nodes, RpcNode
from tallystick.data.resolvers.code import code_name, known
from tallystick.data.resolvers.kinds import KINDS, PLACES
from tallystick.data.resolvers.standing import NONE
from tallystick.protocol.abi_words import uint
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.storage.durable import replace_file

AT_ONCE = 100
"""Addresses whose code is asked for in one request."""
MOST = 64
"""Places of a list that are read; no listed contract takes as many."""
_GAS = 10_000_000
"""Gas of a view; what it answers then stays below 2 MB, whatever storage somebody made up."""
_REFUSED = re.compile(r"revert|out of gas|gas required|invalid opcode|jump", re.IGNORECASE)
"""Words of nodes when a contract, not the node, has no answer; the code differs."""


def identify_resolvers(data: Dataset, registry: ContractKey, urls: Sequence[str]) -> int:
    """Look up code and terms of each resolver not looked up before; return how many there were.

    Neither changes: an address is asked for once, and again as long as it has no code.

    Raises:
        ExtractError: no node answers.
    """
    path = data.resolvers(registry)
    found = read_resolvers(data, registry)
    looked_up = {address for address, fact in found.items() if fact["size"]}
    missing = sorted(_named(data, registry) - looked_up - {NONE})
    if missing:
        found |= facts_at(urls, missing, data.read_manifest(registry).last_block)
        body = {"list_version": known()[0], "resolvers": found}
        replace_file(path, (json.dumps(body, indent=1) + "\n").encode())
    return len(missing)


def read_resolvers(data: Dataset, registry: ContractKey) -> dict[str, dict[str, Any]]:
    """Return what is known of resolvers, by address; what an older list said is asked anew.

    Each has `name` (of its code on the published list, or None), `code_hash`, `size`, `terms` (None
    when they cannot be read) and `constructed` (whether its address is the one that the
    deterministic deployer gives to the listed creation code with these terms).
    """
    try:
        body: Mapping[str, Any] = json.loads(data.resolvers(registry).read_bytes())
    except FileNotFoundError:
        return {}
    return dict(body["resolvers"]) if body["list_version"] == known()[0] else {}


def _named(data: Dataset, registry: ContractKey) -> set[str]:
    """Return the addresses that rules name, the zero address included."""
    columns = [f"rules_{place}" for place in PLACES]
    table = pq.read_table(data.events("NetworkRegistered", registry), columns=columns)
    return {address for column in columns for address in table[column].to_pylist()}


def facts_at(
    urls: Sequence[str], addresses: Sequence[str], block: int
) -> dict[str, dict[str, Any]]:
    """Return what read_resolvers does, of addresses (hex text), read at a block's end.

    Raises:
        RpcError: no node answers.
    """
    return asyncio.run(_facts(urls, addresses, block))


async def _facts(
    urls: Sequence[str], addresses: Sequence[str], block: int
) -> dict[str, dict[str, Any]]:
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(addresses), AT_ONCE):
            some = addresses[start : start + AT_ONCE]
            found |= await nodes.at_one(partial(_facts_at, addresses=some, block=block))
    return found


async def _facts_at(
    node: RpcNode, addresses: Sequence[str], block: int
) -> dict[str, dict[str, Any]]:
    params = [[address, hex(block)] for address in addresses]
    codes = await node.calls(str, "eth_getCode", params)
    return {
        address: await _fact(node, address, from_hex(code), block)
        for address, code in zip(addresses, codes, strict=True)
    }


async def _fact(node: RpcNode, address: str, code: bytes, block: int) -> dict[str, Any]:
    name = code_name(code)
    fact = {"name": name, "code_hash": to_hex(keccak256(code)), "size": len(code)}
    unread = fact | {"terms": None, "constructed": False}
    if name is None:
        return unread
    kind, answers = KINDS[name], {}
    for term, view in kind.views.items():
        answer = await _term(node, contract(name).functions()[view], address, block)
        if answer is None:
            return unread
        answers[term] = answer
    if kind.arguments is not None:
        arguments = [answers[term] for term in kind.arguments]
        if not _constructed(name, arguments, address):
            # What somebody made up may be of any size.
            return fact | {"terms": {}, "constructed": False}
    terms = {
        term: _plain(value, _output(name, kind.views[term])) for term, value in answers.items()
    }
    return fact | {"terms": terms, "constructed": True}


async def _term(node: RpcNode, view: Function, address: str, block: int) -> Any:
    """Return what a view answers, or a list of what it answers for each place.

    None when the contract has no answer that can be read.
    """
    if not view.inputs:
        return await _answer(node, view, b"", address, block)
    found: list[Any] = []
    while len(found) <= MOST:
        answer = await _answer(node, view, uint(len(found)), address, block)
        if not answer:
            return found if answer is not None else None
        found.append(answer)
    return None


async def _answer(node: RpcNode, view: Function, given: bytes, address: str, block: int) -> Any:
    request = {"to": address, "data": to_hex(view.selector + given), "gas": hex(_GAS)}

    async def once() -> str | None:
        try:
            return await node.ask(str, "eth_call", request, hex(block))
        except RpcError as error:
            if _REFUSED.search(str(error)):
                return None
            raise

    answer = await node.again(once)
    try:
        return None if answer is None else decode(view.outputs, from_hex(answer))[0]
    except DecodingError:
        return None


def _constructed(name: str, arguments: Sequence[Any], address: str) -> bool:
    """Return whether the constructor ran with these arguments, by the CREATE2 address.

    Init code of somebody's own can install listed runtime code with any storage and immutables.
    """
    try:
        return create2_address(creation_code(name, *arguments)) == from_hex(address)
    except EncodingError:
        return False


def _output(name: str, view: str) -> Mapping[str, Any]:
    entry = next(one for one in contract(name).abi if one.get("name") == view)
    output: Mapping[str, Any] = entry["outputs"][0]
    return output


def _plain(value: Any, output: Mapping[str, Any]) -> Any:
    """Return a decoded value for JSON: bytes as hex text, a struct by its fields' names."""
    if isinstance(value, bytes):
        return to_hex(value)
    if "components" in output and isinstance(value, tuple) and output["type"] == "tuple":
        parts = output["components"]
        return {part["name"]: _plain(one, part) for part, one in zip(parts, value, strict=True)}
    if isinstance(value, list | tuple):
        return [_plain(one, output) for one in value]
    return value
