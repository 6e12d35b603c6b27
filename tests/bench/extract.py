"""Extract and decode, beside only receiving the same bytes and beside web3.py.

`python -m tests.bench.extract`; EVENTS=200000 or more, JSON=1 for objects.
"""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import msgspec
import pyarrow.parquet as pq
from web3 import Web3

from tallystick.chain.localnet import localnet
from tallystick.data.decode.decode import decode
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import CONCURRENCY, ExtractPlan
from tallystick.data.extract.transport import AiohttpTransport
from tallystick.data.pipeline import follow
from tests.bench.figures import Figure, best, tell
from tests.support.builds import abi, bytecode

EVENTS = int(os.environ.get("EVENTS", "200000"))
A_BLOCK = 1000
RANGE = 20
"""Blocks of a file, and of a question."""
CORES = os.cpu_count() or 1
"""The node shares them, so more questions at once only wait."""
REPEATS = 7


def emit(w3: Web3) -> str:
    """Fill a chain with events of a registry; return its address."""
    account = w3.eth.accounts[0]
    factory = w3.eth.contract(abi=abi("EventEmitter"), bytecode=bytecode("EventEmitter"))
    receipt = w3.eth.wait_for_transaction_receipt(factory.constructor().transact({"from": account}))
    emitter = w3.eth.contract(receipt["contractAddress"], abi=abi("EventEmitter"))
    for first in range(0, EVENTS, A_BLOCK):
        call = emitter.functions.emitCommits(first, min(A_BLOCK, EVENTS - first))
        w3.eth.wait_for_transaction_receipt(call.transact({"from": account, "gas": 16_000_000}))
    return str(receipt["contractAddress"])


def receive(url: str, address: str, last: int, concurrency: int) -> int:
    """Ask for the same logs as extract does, and drop them; return the bytes received."""

    async def run() -> int:
        starts = iter(range(0, last + 1, RANGE))

        async def work(client: httpx.AsyncClient) -> int:
            size = 0
            for start in starts:
                end = min(start + RANGE - 1, last)
                query = {"address": address, "fromBlock": hex(start), "toBlock": hex(end)}
                body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
                size += len(
                    (
                        await client.post(
                            url,
                            content=msgspec.json.encode(body),
                            headers={"content-type": "application/json"},
                        )
                    ).content
                )
            return size

        transport = AiohttpTransport(concurrency)
        async with httpx.AsyncClient(timeout=60, transport=transport) as client:
            return sum(await asyncio.gather(*(work(client) for _ in range(concurrency))))

    return asyncio.run(run())


def pipeline(folder: Path, url: str, address: str, concurrency: int) -> float:
    """Extract and decode from nothing; return the seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    plan = ExtractPlan([url], bytes.fromhex(address[2:]), 0, 0, RANGE, concurrency)
    start = perf_counter()
    done = follow(Dataset(folder), plan)
    seconds = perf_counter() - start
    assert done.rows == EVENTS
    return seconds


def decode_rates(folder: Path, w3: Web3, address: str) -> tuple[float, float]:
    """Return events a second of our decoding, and of web3.py's process_log."""
    registry = ContractKey(31337, bytes.fromhex(address[2:]))
    tables = [
        pq.read_table(path) for path in sorted(Dataset(folder).logs(registry).glob("*.parquet"))
    ]
    ours = EVENTS / best(lambda: [decode(table, registry) for table in tables])
    event = w3.eth.contract(abi=abi("EventEmitter")).events.BatchCommitted()
    logs = w3.eth.get_logs({"address": address, "fromBlock": 2, "toBlock": 3})
    theirs = len(logs) / best(lambda: [event.process_log(log) for log in logs])
    return ours, theirs


def web3_loop(w3: Web3, address: str, last: int) -> float:
    """Return the seconds of web3.py's own way: get_logs of the event, range by range."""
    event = w3.eth.contract(address, abi=abi("EventEmitter")).events.BatchCommitted
    start, found = perf_counter(), 0
    for first in range(0, last + 1, RANGE):
        found += len(event.get_logs(from_block=first, to_block=min(first + RANGE - 1, last)))
    assert found == EVENTS
    return perf_counter() - start


def beside(
    folder: Path, url: str, address: str, last: int, concurrency: int
) -> tuple[float, float]:
    """Return the median seconds of receiving only, and of extract and decode, run by turns."""
    received, whole = [], []
    for _ in range(REPEATS):
        start = perf_counter()
        receive(url, address, last, concurrency)
        received.append(perf_counter() - start)
        whole.append(pipeline(folder, url, address, concurrency))
    return median(received), median(whole)


def main() -> None:
    with localnet() as w3, tempfile.TemporaryDirectory() as place:
        address, folder = emit(w3), Path(place) / "data"
        url = w3.provider.endpoint_uri  # type: ignore[attr-defined]
        last = w3.eth.block_number
        size = receive(url, address, last, CORES)
        received, whole = beside(folder, url, address, last, CORES)
        default = beside(folder, url, address, last, CONCURRENCY)
        ours, theirs = decode_rates(folder, w3, address)
        loop = web3_loop(w3, address, last)
        tell(
            f"{EVENTS:,} events, {size / 1e6:,.0f} MB of JSON, local anvil",
            [
                Figure(f"receive the bytes only, {CORES} questions at once", received, "s"),
                Figure(f"extract + decode, {CORES} questions at once", whole, "s"),
                Figure("extract + decode / receive only", whole / received, "x", ceiling=1.5),
                Figure(f"receive the bytes only, {CONCURRENCY} at once", default[0], "s"),
                Figure(f"extract + decode, {CONCURRENCY} at once", default[1], "s"),
                Figure("decode", ours, "events/s"),
                Figure("web3.py process_log", theirs, "events/s"),
                Figure("decode / process_log", ours / theirs, "x", floor=50),
                Figure("web3.py get_logs loop", loop, "s"),
                Figure("get_logs loop / extract + decode", loop / whole, "x"),
            ],
        )


if __name__ == "__main__":
    main()
