"""Gas that the transactions behind a registry's logs used, from their receipts."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.lock import locked
from tallystick.data.extract.manifest import Part
from tallystick.data.extract.rpc import BATCH, Nodes, RpcNode
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import parquet, replace_file

TRANSACTIONS = pa.schema(
    [
        pa.field("transaction_hash", pa.string(), nullable=False),  # hex text, as in the events
        pa.field("gas_used", pa.int64(), nullable=False),
    ]
)


class TransactionReceipt(msgspec.Struct, rename="camel"):
    """The fields that are read of a transaction's receipt."""

    transaction_hash: str
    gas_used: str


def extract_gas(
    data: Dataset, registry: ContractKey, urls: Sequence[str], progress: Progress | None = None
) -> int:
    """Bring a registry's gas up to its raw logs; return how many files were written.

    Raises:
        ExtractError: no node answers; what was written stays.
    """
    with locked(data.logs(registry)):
        folder, parts = data.transactions(registry), data.read_manifest(registry).parts
        keep = {_name(part) for part in parts}
        for path in folder.iterdir() if folder.exists() else ():
            if path.name not in keep:
                path.unlink()
        missing = [part for part in parts if not (folder / _name(part)).exists()]
        asyncio.run(_fetch(data, registry, urls, missing, progress))
        return len(missing)


def _name(part: Part) -> str:
    """A file of other logs has another name."""
    return f"{part.first:012d}-{part.sha256[:16]}.parquet"


async def _fetch(
    data: Dataset,
    registry: ContractKey,
    urls: Sequence[str],
    missing: Sequence[Part],
    progress: Progress | None,
) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        nodes = Nodes([RpcNode(url, client) for url in urls])
        for done, part in enumerate(missing):
            if progress:
                progress(done, len(missing))
            table = await _receipts(nodes, data.logs(registry) / part.name)
            replace_file(data.transactions(registry) / _name(part), parquet(table))
        if progress:
            progress(len(missing), len(missing))


async def _receipts(nodes: Nodes, logs: Path) -> pa.Table:
    hashes = pc.unique(pq.read_table(logs, columns=["transaction_hash"])["transaction_hash"])
    named = sorted(to_hex(one) for one in hashes.to_pylist())
    receipts: list[TransactionReceipt] = []
    for start in range(0, len(named), BATCH):
        params = [[one] for one in named[start : start + BATCH]]

        async def ask(
            node: RpcNode, params: Sequence[Sequence[str]] = params
        ) -> list[TransactionReceipt]:
            return await node.calls(TransactionReceipt, "eth_getTransactionReceipt", params)

        receipts += await nodes.at_one(ask)
    used = [int(one.gas_used, 16) for one in receipts]
    return pa.table([named, used], schema=TRANSACTIONS)
