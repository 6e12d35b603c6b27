"""Print how fast foreign networks are decoded and judged: `python -m tests.bench.networks`; JSON=1.

ROWS sets how many claims of each network (default 20,000), SIGNATURES how many are recovered
(default 60,000). Signatures are real, of 50 keys.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from coincurve import PrivateKey
from eth_abi.abi import encode

from tallystick.data.decode.columns import Layout
from tallystick.data.extract.calls import CALLS
from tallystick.data.extract.schema import ADDRESSED
from tallystick.networks.adapter import Adapter, Rows
from tallystick.networks.adapters.ritual import ENVELOPE, LLM, OUTPUT
from tallystick.networks.adapters.zero_g import SETTLE, Settlement
from tallystick.networks.decoded import decode_event, joined
from tallystick.networks.recovery import recover
from tallystick.networks.registered import adapter
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.keccak import keccak256
from tests.bench.figures import Figure, tell

FLOOR = 20_000
"""Signatures recovered a second, on two cores."""
CONTRACT, PROVIDER = b"\x11" * 20, b"\x22" * 20
KEYS = [PrivateKey(keccak256(b"key %d" % number)) for number in range(50)]
CHAIN = 16661
A_CALL = 50
"""Settlements in one call of 0G's contract, the most that it takes."""

Log = tuple[Layout, Sequence[bytes], bytes]
"""Event, indexed words, data."""


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def hashed(number: int) -> bytes:
    return keccak256(word(number))


def account(key: PrivateKey) -> bytes:
    return keccak256(key.public_key.format(compressed=False)[1:])[12:]


def table(logs: Sequence[Log], transactions: Sequence[bytes] | None = None) -> pa.Table:
    """Raw logs, fifty a block."""
    count = len(logs)
    numbers = np.arange(count)
    topics = [[one.topic0 for one, _, _ in logs]]
    topics += [[t[at] if at < len(t) else None for _, t, _ in logs] for at in range(3)]
    columns: dict[str, Any] = {
        "block_number": numbers // 50,
        "block_time": 1_800_000_000 + numbers // 50,
        "block_hash": [bytes(32)] * count,
        "transaction_hash": transactions or [hashed(number) for number in range(count)],
        "transaction_index": numbers % 50,
        "log_index": numbers % 50,
        **{f"topic{place}": values for place, values in enumerate(topics)},
        "data": [data for _, _, data in logs],
        "address": [CONTRACT] * count,
    }
    return pa.table([columns[field.name] for field in ADDRESSED], schema=ADDRESSED)


def rows_of(found: Adapter, logs: pa.Table, calls: pa.Table | None = None) -> Rows:
    """Decoded rows, as they are judged."""
    tables = {}
    for kind in found.kinds:
        for layout in kind.events:
            rows, malformed = decode_event(layout, logs, CHAIN)
            assert not malformed
            tables[layout.name] = joined(layout, [rows])
    return Rows(tables, CALLS.empty_table() if calls is None else calls)


def settled(count: int) -> tuple[pa.Table, pa.Table]:
    """Settlements of 0G, fifty a call, each signed."""
    result, acknowledged = adapter("0g").kinds[0].events
    separator = Domain(CHAIN, CONTRACT, "0G Inference Serving", "1").separator()
    key = KEYS[0]
    logs: list[Log] = [
        (
            acknowledged,
            [word(int.from_bytes(PROVIDER)), word(int.from_bytes(account(key)))],
            word(1),
        )
    ]
    transactions, calls = [hashed(10**9)], []
    for first in range(0, count, A_CALL):
        entries = []
        for number in range(first, min(count, first + A_CALL)):
            user = hashed(number % 997)[:20]
            entry = Settlement(user, PROVIDER, 7, hashed(number), number, b"")
            signature = key.sign_recoverable(entry.digests(separator)[0], hasher=None)
            entries.append((*entry[:5], signature))
            logs.append((result, [bytes(12) + user], bytes(64)))
        calldata = SETTLE + encode(["(address,address,uint256,bytes32,uint256,bytes)[]"], [entries])
        transactions += [hashed(first)] * len(entries)
        calls.append((hashed(first), bytes(32), CONTRACT, calldata, "{}"))
    columns = [list(column) for column in zip(*calls, strict=True)]
    return table(logs, transactions), pa.table(columns, schema=CALLS)


def ritual_jobs(count: int) -> tuple[pa.Table, pa.Table]:
    """LLM jobs, each settled with a record."""
    added, _, removed = adapter("ritual").kinds[0].events
    llm = word(int(LLM, 16))
    types = ["uint256", "bytes", "address", "bytes32", *["uint256"] * 4]
    data = encode(types, [1, b"input", "0x" + "33" * 20, bytes(32), 1, 2, 3, 4])
    inner = encode(OUTPUT, [False, b"completion", b"", "", ("", "", "")])
    output = "0x" + encode(ENVELOPE, [b"input", inner]).hex()
    record = f'{{"spcCalls":[{{"address":"{LLM}","output":"{output}","proof":"0x01"}}]}}'
    logs: list[Log] = []
    for number in range(count):
        job = hashed(number)
        logs += [(added, [word(1), job, llm], data), (removed, [word(1), job, word(1)], b"")]
    calls = [
        [hashed(2 * number + 1) for number in range(count)],
        [bytes(32)] * count,
        [CONTRACT] * count,
        [b""] * count,
        [record] * count,
    ]
    return table(logs), pa.table(calls, schema=CALLS)


def deliveries(count: int) -> pa.Table:
    """Requests of Olas, ten an event, and their deliveries."""
    request, delivery, _ = adapter("olas").kinds[0].events
    logs: list[Log] = []
    for first in range(0, count, 10):
        ids = [hashed(number) for number in range(first, first + 10)]
        asked = encode(["uint256", "bytes32[]", "bytes[]"], [10, ids, [b"data"] * 10])
        types = ["address[]", "uint256", "bytes32[]", "bool[]"]
        requesters = ["0x" + hashed(one % 97)[:20].hex() for one in range(first, first + 10)]
        done = encode(types, [requesters, 10, ids, [True] * 10])
        logs += [(request, [word(1), word(2)], asked), (delivery, [word(1)], done)]
    return table(logs)


def tasks(count: int) -> pa.Table:
    """Tasks of Arbius: submitted, solved, claimed; each hundredth contested."""
    task, solution, claimed, contested, vote, finish, initialized = (
        adapter("arbius").kinds[0].events
    )
    logs: list[Log] = [(initialized, [], word(5))]
    for number in range(count):
        key, solver = hashed(number), word(number % 89)
        logs.append((task, [key, bytes(32), word(5)], word(1)))
        logs.append((solution, [solver, key], b""))
        if number % 100:
            logs.append((claimed, [solver, key], b""))
            continue
        logs.append((contested, [word(7), key], b""))
        logs.append((vote, [word(7), key], word(1)))
        logs.append((vote, [solver, key], word(0)))
        logs.append((finish, [key, word(0)], word(5)))
    return table(logs)


def validations(count: int) -> pa.Table:
    """Requests of ERC-8004, each with a response."""
    request, response = adapter("erc8004").kinds[0].events
    asked = encode(["string"], ["ipfs://request"])
    said = encode(["uint8", "string", "bytes32", "string"], [100, "ipfs://answer", bytes(32), ""])
    logs: list[Log] = []
    for number in range(count):
        key = hashed(number)
        logs.append((request, [word(1), word(number), key], asked))
        logs.append((response, [word(1), word(number), key], said))
    return table(logs)


def sessions(count: int) -> pa.Table:
    """Sessions of Morpheus, for all that only claim."""
    (opened,) = adapter("morpheus").kinds[0].events
    return table([(opened, [word(1), hashed(number), word(2)], b"") for number in range(count)])


def seconds(run: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    run()
    return clock() - start


def measure(count: int, signatures: int) -> list[Figure]:
    """Figures: logs decoded and judged a second of each network, and bare recovery."""
    made: dict[str, tuple[pa.Table, pa.Table | None]] = {
        "0g": settled(count),
        "ritual": ritual_jobs(count),
        "arbius": (tasks(count), None),
        "olas": (deliveries(count), None),
        "erc8004": (validations(count), None),
        "morpheus": (sessions(count), None),
    }
    figures = []
    for name, (logs, calls) in made.items():
        found, total = adapter(name), 0

        def run(found: Adapter = found, logs: pa.Table = logs, calls: Any = calls) -> None:
            nonlocal total
            judged = found.judge(rows_of(found, logs, calls))
            total = sum(judged.table["count"].to_pylist())

        figures.append(
            Figure(f"{name}: claims decoded and judged", count / seconds(run), "claims/s")
        )
        assert total == count, (name, total)
    signed = []
    for number in range(signatures):
        key = KEYS[number % len(KEYS)]
        digest = hashed(number)
        signed.append((digest, key.sign_recoverable(digest, hasher=None)))
    accounts = [account(key) for key in KEYS]
    # What a core does, however busy the machine is with something else.
    spent = seconds(lambda: recover(signed[:10_000], 1), time.process_time)
    name = "signatures recovered in a second of one core's time"
    figures.append(Figure(name, 10_000 / spent, "signatures/s", floor=FLOOR / 2))
    for workers in (1, 2):
        found_signers: list[bytes] = []
        spent = seconds(lambda w=workers, f=found_signers: f.extend(recover(signed, w)))
        assert all(one == accounts[number % len(KEYS)] for number, one in enumerate(found_signers))
        floor = FLOOR if workers == 2 else None
        name = f"signatures recovered, {workers} processes"
        figures.append(Figure(name, signatures / spent, "signatures/s", floor=floor))
    return figures


def main() -> None:
    count, signatures = (
        int(os.environ.get(name, default))
        for name, default in (("ROWS", "20000"), ("SIGNATURES", "60000"))
    )
    tell(f"foreign networks, {os.cpu_count()} cores", measure(count, signatures))


if __name__ == "__main__":
    main()
