"""tallystick opengradient: extract and audit as users run them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tallystick.cli.opengradient import opengradient
from tallystick.data.analysis import Analysis
from tallystick.opengradient.tables import NAME
from tallystick.protocol.hexes import to_hex
from tests.support.opengradient import OpenGradient, Tee


class Console:
    """The commands, run in this process on one data folder."""

    def __init__(self, og: OpenGradient, data: Path) -> None:
        self._og, self._data = og, data

    def run(self, command: str, *args: str) -> Result:
        words = [command, *args, "--data", str(self._data)]
        return CliRunner(mix_stderr=False).invoke(opengradient, words)

    def json(self, command: str, *args: str) -> Any:
        result = self.run(command, *args, "--json")
        assert result.exit_code == 0, (result.stderr, result.exception)
        return json.loads(result.stdout)

    def extract(self) -> Any:
        url: str = self._og.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
        contracts = to_hex(self._og.relay_address), to_hex(self._og.registry_address)
        return self.json("extract", *contracts, "--rpc", url, "--depth", "0")

    def audit(self, *args: str) -> Any:
        return self.json("audit", "--blobs", self._og.blobs.url, "--workers", "1", *args)


@pytest.fixture
def console(og: OpenGradient, tmp_path: Path) -> Console:
    return Console(og, tmp_path / "data")


def test_audit__by_day_and_by_settlement__claimed_beside_verified(
    og: OpenGradient, tee: Tee, console: Console, tmp_path: Path
) -> None:
    og.settle(tee.items(range(3), og.chain.now), claimed=2**200)
    og.individual(tee.item(7, og.chain.now)._replace(signature=b"no"))
    extracted = console.extract()

    (day,) = console.audit()
    first, second = console.audit("--by", "settlement")

    assert (extracted["events"], extracted["keys_fetched"]) == (3, 1)
    assert (day["claimed"], day["found"], day["verified"]) == (2**200 + 1, 4, 3)
    assert first["lies"] == {"overclaimed": 2**200 - 3}
    assert second["lies"] == {"bad_signature": 1}
    (row,) = Analysis(tmp_path / "data").totals().to_pylist()
    assert (row["name"], row["verified"]) == (NAME, 3)


@pytest.mark.parametrize("form", ["table", "csv", "parquet"])
def test_audit__every_format__is_written(
    og: OpenGradient, tee: Tee, console: Console, tmp_path: Path, form: str
) -> None:
    og.settle(tee.items(range(3), og.chain.now), claimed=2**200)
    console.extract()
    file = tmp_path / f"audit.{form}"
    words = ["--blobs", og.blobs.url, "--by", "settlement", "--format", form]

    result = console.run("audit", *words, "--output", str(file))

    assert result.exit_code == 0, (result.stderr, result.exception)
    assert file.stat().st_size > 100


def test_audit__nothing_extracted__is_one_line(og: OpenGradient, console: Console) -> None:
    result = console.run("audit", "--blobs", og.blobs.url)

    assert result.exit_code == 1
    assert "run `tallystick opengradient extract`" in result.stderr
    assert result.stderr.count("\n") == 1


def test_extract__no_node__is_one_line(og: OpenGradient, console: Console) -> None:
    result = console.run(
        "extract", "0x" + "11" * 20, "0x" + "22" * 20, "--rpc", "http://127.0.0.1:1"
    )

    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: 127.0.0.1:1 does not answer")
