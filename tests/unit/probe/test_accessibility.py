"""accessibility.py against a plain count, on DuckDB."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.data.probe.accessibility import accessibility
from tallystick.data.probe.log import SCHEMA, ProbeLog
from tallystick.data.probe.result import ProbeResult

NETWORKS = [(1, b"c" * 20, b"n" * 32), (1, b"c" * 20, b"m" * 32), (10, b"c" * 20, b"n" * 32)]


def result(time: float, network: int = 0, seconds: float | None = None) -> ProbeResult:
    chain_id, core, network_id = NETWORKS[network]
    answered = seconds is not None
    status = 200 if answered else None
    return ProbeResult(
        time, chain_id, core, network_id, b"o" * 20, "http://a", answered, seconds, seconds, status
    )


def counted(results: list[ProbeResult], begin: float, end: float) -> list[dict[str, Any]]:
    rows = [{name: getattr(one, name) for name in SCHEMA.names} for one in results]
    table = ibis.memtable(pa.Table.from_pylist(rows, SCHEMA))
    found: list[dict[str, Any]] = accessibility(table, begin, end).to_pyarrow().to_pylist()
    return found


def test_accessibility__period__begin_is_in_and_end_is_not() -> None:
    times = [99.999, 100, 150, 199.999, 200]

    [row] = counted([result(time) for time in times], 100, 200)

    assert row["asked"] == 3


def test_accessibility__some_answered__share_and_quantiles_of_those() -> None:
    results = [result(1, 0, seconds) for seconds in (1.0, 2.0, 3.0, 4.0)] + [result(1)] * 4

    [row] = counted(results, 0, 2)

    assert (row["chain_id"], row["core"], row["network_id"]) == NETWORKS[0]
    assert (row["asked"], row["answered"], row["accessibility"]) == (8, 4, 0.5)
    assert row["p50_seconds"] == 2.5
    assert row["p95_seconds"] == pytest.approx(3.85)


def test_accessibility__none_answered__zero_and_no_quantiles() -> None:
    [row] = counted([result(1)], 0, 2)

    assert (row["asked"], row["answered"], row["accessibility"]) == (1, 0, 0.0)
    assert row["p50_seconds"] is None and row["p95_seconds"] is None


def test_accessibility__nobody_asked__no_rows() -> None:
    assert counted([], 0, 2) == counted([result(5)], 0, 2) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(result, st.floats(0, 100), st.integers(0, 2), st.none() | st.floats(0.001, 60)),
        max_size=30,
    ),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_accessibility__any_log__same_as_a_plain_count(
    results: list[ProbeResult], begin: float, end: float
) -> None:
    asked: dict[tuple[int, bytes, bytes], list[float | None]] = defaultdict(list)
    for one in results:
        if begin <= one.time < end:
            network = one.chain_id, one.core, one.network_id
            asked[network].append(one.seconds_to_last_byte)

    rows = counted(results, begin, end)

    assert [(row["chain_id"], row["core"], row["network_id"]) for row in rows] == sorted(asked)
    for row in rows:
        found = asked[row["chain_id"], row["core"], row["network_id"]]
        answered = [seconds for seconds in found if seconds is not None]
        assert (row["asked"], row["answered"]) == (len(found), len(answered))
        assert row["accessibility"] == pytest.approx(len(answered) / len(found))
        if answered:
            assert row["p50_seconds"] == pytest.approx(np.quantile(answered, 0.5))
            assert row["p95_seconds"] == pytest.approx(np.quantile(answered, 0.95))


def test_accessibility__a_log_that_was_read__counted(tmp_path: Path) -> None:
    log = ProbeLog(tmp_path / "probes.jsonl")
    log.append([result(1, 0, 0.5), result(2, 0), result(3, 1, 0.1)])

    rows = accessibility(ibis.memtable(log.read()), 0, 10).to_pyarrow().to_pylist()

    assert [(row["network_id"], row["accessibility"]) for row in rows] == [
        (b"m" * 32, 1.0),
        (b"n" * 32, 0.5),
    ]
