"""tallystick probe, against a real server."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tallystick.cli.probe import probe
from tallystick.data.probe.endpoints import Endpoint
from tallystick.data.probe.log import ProbeLog
from tallystick.protocol.hexes import to_hex

At = Callable[..., Endpoint]


@dataclass
class Files:
    endpoints: Path
    log: Path

    def write(self, *endpoints: Endpoint) -> None:
        self.endpoints.write_text(
            yaml.safe_dump(
                [
                    {
                        "chain_id": one.chain_id,
                        "core": to_hex(one.core),
                        "network_id": to_hex(one.network_id),
                        "operator": to_hex(one.operator),
                        "url": one.url,
                        "signer": to_hex(one.signer) if one.signer else None,
                        "timeout": one.timeout,
                    }
                    for one in endpoints
                ]
            )
        )

    def run(self, *options: str) -> Result:
        return CliRunner().invoke(probe, [str(self.endpoints), "--log", str(self.log), *options])


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "endpoints.yaml", tmp_path / "probes.jsonl")


def test_probe__good_and_bad__table_log_and_exit_zero(files: Files, at: At) -> None:
    files.write(at("signed", signed=True), at("other_key", signed=True), at("failing"))

    result = files.run()

    assert result.exit_code == 0, result.output
    head, *rows = result.output.splitlines()
    assert head.split()[:2] == ["chain", "id"]
    assert [url.url in row for url, row in zip([at("signed"), at("other_key"), at("failing")],
                                               rows, strict=True)] == [True] * 3  # fmt: skip
    assert "needed: the signer" in rows[1] and "status is 500" in rows[2]
    assert [one.answered for one in ProbeLog(files.log).results()] == [True, False, False]


def test_probe__json_and_count__rows_over_the_rounds(files: Files, at: At) -> None:
    files.write(at("replayed", signed=True), at("unsigned"))

    result = files.run("--json", "--count", "3", "--every", "0")

    first, second = json.loads(result.output)
    assert (first["asked"], first["answered"], first["last_signature"]) == (3, 1, "invalid")
    assert (second["asked"], second["answered"], second["last_error"]) == (3, 3, None)
    assert first["median_seconds"] >= 0
    assert ProbeLog(files.log).read().num_rows == 6


def test_probe__every__rounds_that_far_apart(files: Files, at: At) -> None:
    files.write(at("unsigned"))

    begin = time.monotonic()

    files.run("--count", "3", "--every", "0.2")

    # A busy machine may be late for any round, but none is begun early.
    assert time.monotonic() - begin >= 0.4
    assert len(list(ProbeLog(files.log).results())) == 3


def test_probe__timeout__in_place_of_the_files(files: Files, at: At) -> None:
    files.write(at("hanging", timeout=30.0))
    begin = time.monotonic()

    result = files.run("--timeout", "0.2", "--json")

    assert time.monotonic() - begin < 15
    assert json.loads(result.output)[0]["last_error"] == "no whole answer within 0.2 s"


def test_probe__wrong_file__one_line_and_exit_one(files: Files) -> None:
    files.endpoints.write_text("- url: x\n- 7\n")

    result = files.run()

    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert "entry 1 (x)" in result.output and "entry 2" in result.output
    assert not files.log.exists()


def test_probe__log_not_writable__one_line_and_exit_one(files: Files, at: At) -> None:
    files.write(at("unsigned"))
    files.log.mkdir()

    result = CliRunner().invoke(probe, [str(files.endpoints), "--log", str(files.log / "a" / "b")])

    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1 and "No such file" in result.output


@pytest.mark.parametrize("options", [("--count", "0"), ("--every", "-1"), ("--timeout", "0")])
def test_probe__option_out_of_range__usage_error(
    files: Files, at: At, options: tuple[str, ...]
) -> None:
    files.write(at("unsigned"))

    assert files.run(*options).exit_code == 2


def test_import__probe_and_its_command__need_neither_ape_nor_web3() -> None:
    modules = [
        *(f"tallystick.data.probe.{name}" for name in ("accessibility", "log", "prober")),
        "tallystick.cli.probe",
    ]
    code = f"import sys, {', '.join(modules)}; print({{'ape', 'web3'}} & set(sys.modules))"

    said: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert said.stdout.strip() == "set()", said.stderr
