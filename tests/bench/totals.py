"""Totals on DuckDB beside only scanning the columns that they need.

`python -m tests.bench.totals`; ROWS=100000000 or another number, REPEATS=7, JSON=1 for objects.
DuckDB writes the rows itself; numpy computes the same sums, and the totals must be equal to them.
"""

import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import numpy as np

from tallystick.data.decode.decode import COUNTERS
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import Part
from tallystick.data.totals.engines import connect, load
from tallystick.data.totals.expression import BURNED, COUNTING, OUTCOMES, totals
from tallystick.protocol.hexes import to_hex
from tests.bench.figures import Figure, tell

ROWS = int(os.environ.get("ROWS", "100000000"))
A_FILE = 2_000_000
"""Rows."""
MEMORY = "1GB"
"""DuckDB's limit; beyond it, it spills to disk."""
PEAK = 1.5
"""GB that the process may come to: the limit, Python and its libraries."""
REPEATS = int(os.environ.get("REPEATS", "7"))
NETWORKS, OPERATORS = 200, 5_000
REGISTRY = ContractKey(1, b"\xaa" * 20)
SHARES = dict(zip(COUNTING, (80, 10, 5, 3, 2), strict=True))
"""Percent of the rows."""

# A row's values are digits of one number below 2^32, r, that does not follow its neighbours'.
MIXED = 2_654_435_761
PLACE = {
    "block_number": "i // 100",
    "block_time": "1735689600 + i // 8",
    "day": "DATE '2025-01-01' + (i // 1000000 % 365)::INT",
}
LIMBS = {"burned_0": "r", "burned_1": "r // 2", "burned_2": "0", "burned_3": "0"}
OWN = {
    "BatchCommitted": {
        "count": "1 + r % 1000",
        "finalized_count": "r // 1000000 % 2 * (1 + r // 2000 % 1000)",
    },
    "BatchFinalized": {"count": "1 + r % 1000"},
    "BatchRejected": {"count": "1 + r % 1000", **LIMBS},
    "ChallengeUpheld": LIMBS,
    "ChallengeLapsed": LIMBS,
}
"""Numbers of each event."""
NAMES = f"""
    SELECT o, u, '0x' || repeat('00', 31) || printf('%02x', o % {NETWORKS}) AS network_id,
        '0x' || repeat('0', 36) || printf('%04x', o) AS operator,
        {list(OUTCOMES)}[1 + u] AS outcome,
        '{REGISTRY.chain_id}:{to_hex(REGISTRY.address)}:' || network_id || ':' AS prefix
    FROM range({OPERATORS}) t(o), range({len(OUTCOMES)}) s(u)
"""


def write(data: Dataset) -> None:
    """Write the decoded files of all events."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        for name, share in SHARES.items():
            folder = data.events(name, REGISTRY)
            folder.mkdir(parents=True)
            moved = f"'{COUNTERS[name]}'" if COUNTERS[name] else "outcome"
            names = f"SELECT *, prefix || {moved} AS counter FROM ({NAMES})"
            connection.execute(f"CREATE OR REPLACE TABLE names AS {names}")
            numbers = ", ".join(f'{value} AS "{one}"' for one, value in (PLACE | OWN[name]).items())
            rows = ROWS * share // 100
            for first in range(0, rows, A_FILE):
                last = min(first + A_FILE, rows) - 1
                path = folder / Part(first // 100, last // 100, "", "", 0, "").name
                connection.execute(
                    f"COPY (SELECT {numbers}, names.* EXCLUDE (o, u, prefix) FROM (SELECT i, "
                    f"i * {MIXED} % 4294967296 AS r FROM range({first}, {last + 1}) t(i)) "
                    f"JOIN names ON o = r // 1000 % {OPERATORS} AND u = r // 5000000 % 5) "
                    f"TO '{path}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
                )


def expected() -> dict[int, list[int]]:
    """Return what totals have to be: of each network, the numbers in the order of the columns."""
    sums = np.zeros((NETWORKS, 1 + len(OUTCOMES) + 1 + 2), np.int64)
    for name, share in SHARES.items():
        rows = ROWS * share // 100
        for first in range(0, rows, A_FILE):
            r = np.arange(first, min(first + A_FILE, rows), dtype=np.int64) * MIXED % 2**32
            network, outcome, count = r // 1000 % NETWORKS, r // 5_000_000 % 5, 1 + r % 1000
            if name == "BatchCommitted":
                _add(sums, network, 0, count)
                _add(sums, network, 1 + outcome, r // 1_000_000 % 2 * (1 + r // 2000 % 1000))
            elif name == "BatchFinalized":
                _add(sums, network, 1 + outcome, count)
            else:
                if name == "BatchRejected":
                    _add(sums, network, 6, count)
                _add(sums, network, 7, r)
                _add(sums, network, 8, r // 2)
    return {network: row.tolist() for network, row in enumerate(sums)}


def _add(sums: Any, network: Any, column: Any, values: Any) -> None:
    width = sums.shape[1]
    # Floats are exact here: no sum of a chunk comes to 2^53.
    flat = np.bincount(network * width + column, values, sums.size)
    sums += flat.astype(np.int64).reshape(sums.shape)


def check(found: Any) -> None:
    """Compare totals with what is expected."""
    names = ("committed", *OUTCOMES, "rejected", "burned_0", "burned_1")
    there = {int(row["network_id"], 16): [row[name] for name in names] for row in found.to_pylist()}
    assert there == expected()


def scan(connection: Any, data: Dataset) -> None:
    """Read the columns that totals need, all of their values."""
    for name in COUNTING:
        numbers = [one for one in ("count", "finalized_count", *BURNED) if one in OWN[name]]
        sums = ", ".join(f'sum("{one}")' for one in numbers)
        connection.raw_sql(
            f"SELECT sum(length(counter)), {sums} FROM "
            f"read_parquet('{data.root}/events/{name}/**/*.parquet', hive_partitioning = true)"
        ).fetchall()


def peak(root: Path) -> float:
    """Return the GB of memory that this process came to with totals, split in no way and by all."""
    connection, data = connect(MEMORY), Dataset(root)
    # A spawned process passes for an interactive one.
    connection.raw_sql("SET enable_progress_bar = false")
    tables = load(connection, data, COUNTING)
    for by in ((), ("operator", "day")):
        totals(tables, by).to_pyarrow()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        data = Dataset(Path(place))
        start = perf_counter()
        write(data)
        written = perf_counter() - start
        connection = connect(MEMORY)
        tables = load(connection, data, COUNTING)
        check(totals(tables).to_pyarrow())
        runs: dict[str, Callable[[], object]] = {
            "scan": lambda: scan(connection, data),
            "totals": lambda: totals(tables).to_pyarrow(),
            "operator": lambda: totals(tables, ("operator",)).to_pyarrow(),
            "day": lambda: totals(tables, ("day",)).to_pyarrow(),
        }
        seconds = {name: float("inf") for name in runs}
        for _ in range(REPEATS):
            for name, run in runs.items():
                start = perf_counter()
                run()
                seconds[name] = min(seconds[name], perf_counter() - start)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            memory = process.submit(peak, data.root).result()
        size = sum(path.stat().st_size for path in data.root.rglob("*.parquet"))
    tell(
        f"totals over {ROWS:,} rows, {size / 1e6:,.0f} MB of Parquet, DuckDB limited to {MEMORY}",
        [
            Figure("writing the rows", written, "s"),
            Figure("scan of the needed columns", seconds["scan"], "s"),
            Figure("totals", seconds["totals"], "s"),
            Figure("totals / scan", seconds["totals"] / seconds["scan"], "x", ceiling=2),
            Figure("totals by operator / scan", seconds["operator"] / seconds["scan"], "x"),
            Figure("totals by day / scan", seconds["day"] / seconds["scan"], "x"),
            Figure("totals", ROWS / seconds["totals"], "rows/s"),
            Figure("Parquet", size / ROWS, "bytes/row"),
            Figure("peak memory", memory, "GB", ceiling=PEAK),
        ],
    )


if __name__ == "__main__":
    main()
