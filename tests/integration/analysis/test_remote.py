"""A data folder at s3://: the same answers as from the folder that was put there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.data.analysis import Analysis
from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.errors import ExtractError
from tallystick.data.remote import dataset_of, open_remote
from tallystick.data.totals.coverage import CoverageError
from tests.invariant.machine import CHAIN_ID
from tests.invariant.walk import walk
from tests.support.folder import fill, logs_table

URL = "s3://tallies/data"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two chains' history, in several files each."""
    folder = tmp_path_factory.mktemp("history")
    for chain_id, seed in ((CHAIN_ID, 41), (10, 42)):
        machine = walk(seed, 400)
        fill(folder, ContractKey(chain_id, machine.registry), logs_table(machine.raw), parts=4)
    return folder


@pytest.fixture(scope="module")
def options(folder: Path) -> Iterator[dict[str, Any]]:
    """Of an S3 in this process that holds the folder."""
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "key": "key", "secret": "secret"}
    try:
        store = S3FileSystem(**options)
        store.mkdir("tallies")
        store.put(str(folder), "tallies/data", recursive=True)
        yield options
    finally:
        server.stop()


def test_open_remote__totals_by_everything__are_the_folders(
    folder: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    here, there = Analysis(folder), open_remote(URL, tmp_path / "mirror", options=options)

    for by in ((), ("operator",), ("operator", "model", "day")):
        assert there.totals(by).to_pylist() == here.totals(by).to_pylist()
    assert there.coverage == here.coverage
    assert there.measures().to_pylist() == here.measures().to_pylist()
    assert len(here.totals().to_pylist()) >= 4
    assert not (tmp_path / "mirror" / "events").exists()


def test_dataset_of__pyarrow__sums_what_the_folder_sums(
    folder: Path, options: dict[str, Any]
) -> None:
    commits = dataset_of(URL, "BatchCommitted", options)

    table = commits.to_table(columns=["chain_id", "count"])
    of_ten = commits.to_table(columns=["count"], filter=pc.field("chain_id") == 10)

    rows = Analysis(folder).totals().to_pylist()
    assert pc.sum(table["count"]).as_py() == sum(row["committed"] for row in rows)
    assert pc.sum(of_ten["count"]).as_py() == sum(
        row["committed"] for row in rows if row["chain_id"] == 10
    )


def test_open_remote__mirror_of_something_else__is_refused(
    options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "there").touch()

    with pytest.raises(ExtractError, match="is not empty"):
        open_remote(URL, tmp_path, options=options)


def test_open_remote__no_folder_at_the_url__is_told(
    options: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(CoverageError):
        open_remote("s3://tallies/nothing", tmp_path / "mirror", options=options)
