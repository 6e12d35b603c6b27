"""Print what one operator process sustains: `python -m tests.bench.operator`; JSON=1 for lines.

Requests are signed beforehand; from then on everything counts: HTTP, checking each requester's
signature, taking nonces, the digits model, keeping and signing answers, batches on a local chain,
and each receipt fetched. The clock stops with the last receipt. The client runs beside the
operator, on the same two cores.
"""

import json
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from tallystick.chain.localnet import localnet
from tallystick.demo.digits import model as digits
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.receipt import Receipt
from tests.support.chain import Chain
from tests.support.operator_process import OperatorProcess, running
from tests.support.story import KEY_OF, REQUESTERS, register

SECONDS = 10
"""That the load lasts at the rate that is needed."""
NEEDED = 2_000
CONNECTIONS = 4
SIZES = (64, 16)
"""Inferences in one request."""
OPERATOR = 2


def main() -> None:
    with localnet() as w3, tempfile.TemporaryDirectory() as folder:
        chain = Chain(w3)
        rows = [_measure(chain, Path(folder) / str(size), size) for size in SIZES]
    if os.environ.get("JSON") == "1":
        for row in rows:
            print(json.dumps(row))
        return
    table = Table(title="One operator process and its client on the same cores")
    for column in (
        "name",
        "answered/s",
        "with receipts/s",
        "onnxruntime/s",
        "ratio",
        "CPU",
        "p50",
        "p99",
    ):
        table.add_column(column, justify="left" if column == "name" else "right")
    for row in rows:
        table.add_row(
            row["name"],
            f"{row['answered']:,}",
            f"{row['value']:,}",
            f"{row['onnxruntime']:,}",
            f"{row['ratio']:.4f}",
            f"{row['cpu_us']} us",
            f"{row['p50_ms']} ms",
            f"{row['p99_ms']} ms",
        )
    Console(width=100).print(table)


def _measure(chain: Chain, folder: Path, size: int) -> dict[str, Any]:
    """Return what is measured with requests of so many inferences."""
    count = SECONDS * NEEDED // size * size
    node, model_id = _stand(chain, folder, size)
    bodies = _signed(chain, model_id, size, count)
    with running(node):
        node.client.post("/inferences", content=bodies.pop()).raise_for_status()
        before = _processor_seconds(node)
        answered, received, waits = _load(node, bodies, size)
        spent = _processor_seconds(node) - before
        leaves = sum(one.batch.count for one in chain.ledger().batches.values())
    asked = len(bodies) * size
    assert leaves >= asked, f"the chain has {leaves} of {asked}"
    bare = _bare(size)
    waits.sort()
    return {
        "name": f"operator, digits, {size} a request",
        "value": round(asked / received),
        "unit": "inferences/s with receipts",
        "answered": round(asked / answered),
        "inferences": asked,
        "onnxruntime": round(bare),
        "ratio": round(asked / received / bare, 5),
        "cpu_us": round(1e6 * spent / asked),
        "p50_ms": round(1000 * waits[len(waits) // 2], 1),
        "p99_ms": round(1000 * waits[len(waits) * 99 // 100], 1),
        "cores": os.cpu_count(),
        "needed": NEEDED,
    }


def _stand(chain: Chain, folder: Path, salt: int) -> tuple[OperatorProcess, bytes]:
    operator = chain.accounts[OPERATOR]
    network = register(chain, chain.accounts[1], salt=salt, solicited=True, max_bytes=128)
    network.join(operator, stake=10**9)
    hashes = (digits.content_hash(), digits.spec_hash(), ZERO32)
    mined = chain.send(chain.accounts[1], "registerModel", network.id, *hashes, "digits", "")
    model_id = mined.event(ModelRegistered).model_id
    served = {"id": to_hex(model_id), "file": str(digits.FILE), "runner": digits.RUNNER}
    settings = {
        "common": {
            "rpc": chain.w3.provider.endpoint_uri,  # type: ignore[attr-defined]
            "registry": to_hex(chain.registry.address),
            "poll_every": 0.5,
            "log_level": "warning",
        },
        "operator": {
            "network_id": to_hex(network.id),
            "models": [served],
            "commit_every": 1.0,
            "commit_at": 4096,
            "commit_margin": 30.0,
        },
    }
    return OperatorProcess(folder, settings, OPERATOR), model_id


def _signed(chain: Chain, model_id: bytes, size: int, count: int) -> list[bytes]:
    """Return the bodies of requests, one more than asked for."""
    samples, domain = digits.load_samples(), chain.registry.domain
    deadline = int(time.time()) + 3600
    bodies = []
    for start in range(0, count + size, size):
        lines = []
        for nonce in range(start, start + size):
            sample = samples[nonce % len(samples)]
            requester = REQUESTERS[nonce % len(REQUESTERS)]
            operator = chain.accounts[OPERATOR]
            request = Request(model_id, operator, keccak256(sample), requester, nonce, deadline)
            lines.append(
                {
                    "requester": to_hex(requester),
                    "nonce": nonce,
                    "deadline": deadline,
                    "input": to_hex(sample),
                    "signature": to_hex(request.sign(domain, KEY_OF[requester])),
                }
            )
        bodies.append(json.dumps({"model_id": to_hex(model_id), "inferences": lines}).encode())
    return bodies


def _load(
    node: OperatorProcess, bodies: list[bytes], size: int
) -> tuple[float, float, list[float]]:
    """Return seconds to the last answer and to the last receipt, and seconds of each request."""
    waits: list[float] = []
    open_requests: list[list[str]] = []
    done = threading.Event()
    local = threading.local()

    def ask(body: bytes) -> None:
        if not hasattr(local, "client"):
            local.client = httpx.Client(base_url=node.url, timeout=60)
        begun = time.perf_counter()
        answer = local.client.post("/inferences", content=body)
        waits.append(time.perf_counter() - begun)
        answer.raise_for_status()
        open_requests.append([one["request"] for one in answer.json()["answers"]])

    def fetch() -> int:
        found = 0
        with httpx.Client(base_url=node.url, timeout=60) as client:
            while not done.is_set() or open_requests:
                if not open_requests:
                    time.sleep(0.05)
                    continue
                some = [open_requests.pop(0) for _ in open_requests[: 512 // size]]
                asked = [one for few in some for one in few]
                answer = client.post("/receipts", json={"requests": asked}).json()["receipts"]
                if not all(one and "receipt" in one for one in answer):
                    open_requests.extend(some)
                    time.sleep(0.05)
                    continue
                # One of each request's: checking all of them is the requesters' work.
                Receipt.from_json(answer[0]["receipt"]).check()
                found += len(answer)
        return found

    start = time.perf_counter()
    with ThreadPoolExecutor(1) as fetching, ThreadPoolExecutor(CONNECTIONS) as asking:
        fetched = fetching.submit(fetch)
        list(asking.map(ask, bodies))
        answered = time.perf_counter() - start
        done.set()
        assert fetched.result() == len(bodies) * size
        received = time.perf_counter() - start
    return answered, received, waits


def _processor_seconds(node: OperatorProcess) -> float:
    """Return what the operator's process has used, user and system."""
    assert node.process is not None
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def _bare(size: int) -> float:
    """Return inferences a second of the model alone, on one thread, as many at a time."""
    runner, samples = digits.Digits(), digits.load_samples()[:size]
    best = 0.0
    with threadpool_limits(limits=1):
        for _ in range(5):
            begun = time.perf_counter()
            for _ in range(200):
                runner.logits(samples)
            best = max(best, 200 * size / (time.perf_counter() - begun))
    return best


if __name__ == "__main__":
    main()
