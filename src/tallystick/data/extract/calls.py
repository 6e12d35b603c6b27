"""Calldata of the transactions behind a contract's logs, and fields that a chain adds to them.

A log says that something was settled; what was signed stands in the call. Transactions are asked
for one by one, or with their whole blocks where those are fewer. Whatever else a chain writes
into a transaction, its type included, is passed by.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.chain.rpc.errors import UnavailableError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.lock import locked
from tallystick.data.extract.manifest import Part
from tallystick.data.extract.rpc import BATCH, Nodes, RpcNode
from tallystick.data.extract.schema import HASH
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import parquet, replace_file

CALLS = pa.schema(
    [
        pa.field("transaction_hash", HASH, nullable=False),
        pa.field("block_hash", HASH, nullable=False),
        pa.field("to", pa.binary(20)),  # null: it creates a contract
        pa.field("input", pa.large_binary(), nullable=False),
        pa.field("extra", pa.string(), nullable=False),  # JSON object of the fields asked for
    ]
)
AT_ONCE = 10
"""Whole blocks asked for at once."""

_Place = tuple[bytes, bytes]
"""Hash of a transaction and hash of its block."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """Transactions to fetch.

    Args:
        topics: first topics of the logs whose transactions are fetched, 32 bytes each.
        fields: names of fields to keep beside calldata, as the chain writes them.
        linked: one of the fields, which holds the hash of another transaction to fetch as well.
    """

    topics: tuple[bytes, ...]
    fields: tuple[str, ...] = ()
    linked: str | None = None


@dataclass(frozen=True, slots=True)
class FetchedCalls:
    """The work of a run."""

    files: int = 0
    transactions: int = 0
    requests: int = 0
    """Transactions and blocks that were asked for; several may go in one HTTP request."""


def extract_calls(
    data: Dataset,
    contract: ContractKey,
    urls: Sequence[str],
    plan: CallPlan,
    progress: Progress | None = None,
) -> FetchedCalls:
    """Bring a contract's calls up to its raw logs; progress is told in files.

    What was fetched for an earlier state of a range is kept, unless the chain has moved the
    transaction to another block.

    Raises:
        ExtractError: no node answers; what was written stays.
    """
    with locked(data.logs(contract)):
        folder, parts = data.calls(contract), data.read_manifest(contract).parts
        return asyncio.run(_bring(data.logs(contract), folder, parts, urls, plan, progress))


def read_calls(data: Dataset, contract: ContractKey) -> pa.Table:
    """Return all calls of a contract that are here, of the schema CALLS."""
    files = sorted(data.calls(contract).glob("*.parquet"))
    return pa.concat_tables([CALLS.empty_table(), *(pq.read_table(one) for one in files)])


async def _bring(
    logs: Path,
    folder: Path,
    parts: Sequence[Part],
    urls: Sequence[str],
    plan: CallPlan,
    progress: Progress | None,
) -> FetchedCalls:
    keep = {_name(part) for part in parts}
    stale = [path for path in folder.glob("*.parquet") if path.name not in keep]
    missing = [part for part in parts if not (folder / _name(part)).exists()]
    files = transactions = requests = 0
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        for done, part in enumerate(missing):
            if progress:
                progress(done, len(missing))
            wanted = _wanted(logs / part.name, plan.topics)
            earlier = [path for path in stale if path.name.startswith(f"{part.first:012d}-")]
            before = pa.concat_tables([CALLS.empty_table(), *map(pq.read_table, earlier)])
            here = pa.array([place in wanted for place in _places(before)], pa.bool_())
            known = before.filter(here)
            rest = wanted - set(_places(known))
            found, asked = await _fetch(nodes, rest, plan.fields)
            table = pa.concat_tables([known, found])
            if plan.linked is not None:
                links = _links(table, plan.linked)
                asked += len(links)
                table = pa.concat_tables([table, await _linked(nodes, links, plan.fields)])
            table = table.sort_by("transaction_hash")
            replace_file(folder / _name(part), parquet(table, ("input",)))
            files, transactions, requests = files + 1, transactions + len(rest), requests + asked
        if progress:
            progress(len(missing), len(missing))
    for path in stale:
        path.unlink()
    return FetchedCalls(files, transactions, requests)


def _name(part: Part) -> str:
    """A file of other logs has another name."""
    return f"{part.first:012d}-{part.sha256[:16]}.parquet"


def _wanted(logs: Path, topics: Sequence[bytes]) -> set[_Place]:
    """Return the transactions of a file's logs that have one of some first topics."""
    table = pq.read_table(logs, columns=["transaction_hash", "block_hash", "topic0"])
    return set(_places(table.filter(pc.is_in(table["topic0"], pa.array(topics, HASH)))))


def _places(table: pa.Table) -> Iterable[_Place]:
    hashes = (table[name].to_pylist() for name in ("transaction_hash", "block_hash"))
    return zip(*hashes, strict=True)


async def _fetch(nodes: Nodes, wanted: set[_Place], fields: Sequence[str]) -> tuple[pa.Table, int]:
    """Return transactions, of the schema CALLS, and how many things were asked for."""
    blocks = sorted({block for _, block in wanted})
    singly = len(wanted) <= len(blocks)
    things: list[Any] = sorted(wanted) if singly else blocks
    size = BATCH if singly else AT_ONCE
    rows: list[dict[str, Any]] = []
    for start in range(0, len(things), size):
        some = things[start : start + size]

        async def ask(node: RpcNode, some: Sequence[Any] = some) -> list[dict[str, Any]]:
            if singly:
                return await _transactions(node, some, fields)
            return await _of_blocks(node, some, wanted, fields)

        rows += await nodes.at_one(ask)
    return pa.Table.from_pylist(rows, schema=CALLS), len(things)


def _links(table: pa.Table, name: str) -> list[bytes]:
    """Return the hashes that a field of transactions holds, but those that are in the table."""
    found = set()
    for extra in table["extra"].to_pylist():
        text = msgspec.json.decode(extra).get(name)
        if isinstance(text, str):
            with contextlib.suppress(ValueError):
                found.add(from_hex(text, 32))
    return sorted(found - set(table["transaction_hash"].to_pylist()))


async def _linked(nodes: Nodes, hashes: Sequence[bytes], fields: Sequence[str]) -> pa.Table:
    """Return transactions by their hashes, in whatever block they are, of the schema CALLS."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(hashes), BATCH):
        some = hashes[start : start + BATCH]

        async def ask(node: RpcNode, some: Sequence[bytes] = some) -> list[dict[str, Any]]:
            params = [[to_hex(one)] for one in some]
            found = await node.calls(dict[str, Any], "eth_getTransactionByHash", params)
            return [_row(node.name, one, fields) for one in found]

        rows += await nodes.at_one(ask)
    return pa.Table.from_pylist(rows, schema=CALLS)


async def _transactions(
    node: RpcNode, places: Sequence[_Place], fields: Sequence[str]
) -> list[dict[str, Any]]:
    params = [[to_hex(transaction)] for transaction, _ in places]
    found = await node.calls(dict[str, Any], "eth_getTransactionByHash", params)
    rows = [_row(node.name, one, fields) for one in found]
    for row, (transaction, block) in zip(rows, places, strict=True):
        if (row["transaction_hash"], row["block_hash"]) != (transaction, block):
            raise UnavailableError(
                f"{node.name} has transaction {to_hex(transaction)} in another block than its logs"
            )
    return rows


async def _of_blocks(
    node: RpcNode, blocks: Sequence[bytes], wanted: set[_Place], fields: Sequence[str]
) -> list[dict[str, Any]]:
    params = [[to_hex(block), True] for block in blocks]
    hashes = {to_hex(transaction) for transaction, block in wanted if block in set(blocks)}
    rows = []
    for found in await node.calls(dict[str, Any], "eth_getBlockByHash", params):
        listed = found.get("transactions")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and str(one.get("hash")).lower() in hashes:
                rows.append(_row(node.name, one, fields))
    got = {(row["transaction_hash"], row["block_hash"]) for row in rows}
    if lacking := {place for place in wanted if place[1] in set(blocks)} - got:
        some = to_hex(min(lacking)[0])
        raise UnavailableError(f"{node.name} has block and logs of two forks; see {some}")
    return rows


def _row(node: str, found: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return a transaction as a row of CALLS; UnavailableError where it is none."""
    try:
        to = found.get("to")
        return {
            "transaction_hash": from_hex(found["hash"], 32),
            "block_hash": from_hex(found["blockHash"], 32),
            "to": from_hex(to, 20) if to else None,
            # Some nodes say data.
            "input": from_hex(found["input"] if "input" in found else found["data"]),
            "extra": msgspec.json.encode(
                {name: found[name] for name in fields if name in found}
            ).decode(),
        }
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnavailableError(f"{node} answers with a malformed transaction: {error}") from error
