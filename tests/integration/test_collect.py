"""collect: a store that is down is no store without data."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallystick.cli.main import main
from tallystick.data.analysis import Analysis
from tests.support.chain import Chain
from tests.support.story import Network, keep
from tests.unit.test_store_failure import answering


@pytest.fixture
def data(chain: Chain, network: Network, operator: bytes, tmp_path: Path) -> Path:
    """A data folder of two batches, one of which is in the folder `batches`."""
    keep(tmp_path / "batches", network.commit(operator, count=3))
    network.commit(operator, count=1, slot=1)
    url = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    core = "0x" + chain.registry.address.hex()
    folder = tmp_path / "data"
    chain.mine(100)
    done = run("extract", core, "--rpc", url, "--data", folder)
    assert done.exit_code == 0, done.stderr
    return folder


def run(*words: object) -> Result:
    return CliRunner(mix_stderr=False).invoke(main, list(map(str, words)))


def found_share(data: Path) -> tuple[float | None, str]:
    (row,) = Analysis(data).measures().to_pylist()
    return row["found_share"], row["found_share_because"]


def test_collect__store_is_down__exits_1_and_counts_nothing_as_missing(data: Path) -> None:
    assert found_share(data)[0] is None

    with answering(503) as url:
        done = run("collect", url, "--data", data)

    assert done.exit_code == 1
    heads, counts = (line.split()[-5:] for line in done.stdout.strip().splitlines())
    assert dict(zip(heads, counts, strict=True))["unreachable"] == "2"
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("error")]
    assert "HTTP 503" in line and f"run again: tallystick collect {url}" in line
    assert found_share(data)[0] is None


def test_collect__one_store_of_two_is_down__says_what_the_share_lacks(
    data: Path, tmp_path: Path
) -> None:
    done = run("collect", tmp_path / "batches", "http://127.0.0.1:9/x", "--data", data)

    assert done.exit_code == 1
    share, because = found_share(data)
    assert share == 0.75 and "the data of 1 batches" in because


def test_collect__stores_answer__missing_is_missing(data: Path, tmp_path: Path) -> None:
    with answering(404) as url:
        done = run("collect", tmp_path / "batches", url, "--data", data)

    assert done.exit_code == 0, done.stderr
    assert found_share(data) == (0.75, "")


def test_collect__folder_is_mistyped__exits_1(data: Path, tmp_path: Path) -> None:
    done = run("collect", tmp_path / "bathces", "--data", data)

    assert done.exit_code == 1 and "there is no folder" in done.stderr
