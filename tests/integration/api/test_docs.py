"""docs/python.md and examples/: every block and every file is run, or read by its own reader."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from web3 import Web3

from tallystick.ape.committee_file import read_committee
from tallystick.chain.localnet import advance, localnet
from tallystick.demo.digits import model as digits
from tallystick.node.settings import Settings
from tallystick.protocol.hexes import to_hex
from tallystick.storage.network_file import NetworkFile
from tests.support.builds import ROOT
from tests.support.operator_process import OperatorProcess, running

PAGE = ROOT / "docs" / "python.md"
EXAMPLES = ROOT / "examples"
NODE, RPC = "http://127.0.0.1:8100", "http://127.0.0.1:8545"
WINDOW = 60
"""Seconds; the challenge window of page and example."""


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.S | re.M)


@pytest.fixture
def empty_chain() -> Iterator[Web3]:
    with localnet() as w3:
        yield w3


def url_of(w3: Web3) -> str:
    return str(w3.provider.endpoint_uri)  # type: ignore[attr-defined]


def served(folder: Path, w3: Web3, names: dict[str, Any]) -> OperatorProcess:
    """A node that answers with the digits model in the page's network, as the page's account."""
    network = names["network"]
    model = network.register_model("digits", digits.FILE, spec=b"digits", comparison_elsewhere=True)
    names["model"], names["inputs"] = model, list(digits.load_samples()[:2])
    registry = names["registry"]
    common = {"rpc": url_of(w3), "registry": to_hex(registry.address), "poll_every": 0.1}
    operator = {
        "network_id": to_hex(network.id),
        "models": [{"id": to_hex(model.id), "file": str(digits.FILE), "runner": digits.RUNNER}],
        "commit_every": 0.3,
        "commit_margin": 5.0,
    }
    return OperatorProcess(folder / "node", {"common": common, "operator": operator}, account=0)


def test_page__every_block__runs_one_after_the_other(
    empty_chain: Web3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tallystick.api import batch

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TALLYSTICK_DEPLOYMENTS", raising=False)
    # Of the module only: whatever else sleeps, for a receipt say, is not to move the clock.
    clock = SimpleNamespace(
        sleep=lambda seconds: advance(empty_chain, WINDOW), monotonic=time.monotonic
    )
    monkeypatch.setattr(batch, "time", clock)
    (tmp_path / "model.bin").write_bytes(b"weights")
    names: dict[str, Any] = {}
    plain, asking = blocks()[:-1], blocks()[-1]
    assert NODE in asking and len(plain) >= 7

    for number, block in enumerate(plain):
        text = block.replace(RPC, url_of(empty_chain))
        exec(compile(text, f"{PAGE.name}, block {number}", "exec"), names)
    monkeypatch.undo()
    with running(served(tmp_path, empty_chain, names)) as node:
        text = asking.replace(NODE, node.url).replace(RPC, url_of(empty_chain))
        exec(compile(text, f"{PAGE.name}, last block", "exec"), names)

    shown = capsys.readouterr().out
    assert "3 3 0\n" in shown and "OPEN\n" in shown
    assert len(names["receipts"]) == 2


def run_example(name: str, *args: str, folder: Path) -> "subprocess.Popen[str]":
    # The cache of these tests, and nothing else that a user may have set.
    environment = {
        key: value
        for key, value in os.environ.items()
        if "TALLYSTICK" not in key or key == "TALLYSTICK_CACHE"
    }
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *args],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_operator_example__twice__verifies_once(empty_chain: Web3, tmp_path: Path) -> None:
    """The window passes while it waits; a second run finds all of it done."""
    process = run_example("operate.py", url_of(empty_chain), folder=tmp_path)
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if line.startswith("audited; waiting"):
            advance(empty_chain, WINDOW)
    assert process.wait(timeout=60) == 0, shown
    assert "committed 3, verified 3: audited 3" in shown

    block = empty_chain.eth.block_number
    again = run_example("operate.py", url_of(empty_chain), folder=tmp_path)
    assert "committed 3, verified 3: audited 3" in again.communicate(timeout=120)[0]
    assert empty_chain.eth.block_number == block


def test_requester_example__real_node__has_receipts(
    empty_chain: Web3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    (tmp_path / "model.bin").write_bytes(b"weights")
    for block in blocks()[:2]:
        exec(block.replace(RPC, url_of(empty_chain)), names)

    with running(served(tmp_path, empty_chain, names)) as node:
        inputs = [to_hex(one) for one in names["inputs"]]
        args = [url_of(empty_chain), node.url, to_hex(names["model"].id), *inputs]
        process = run_example("requester.py", *args, folder=tmp_path)
        shown, _ = process.communicate(timeout=120)

    assert process.returncode == 0, shown
    assert (shown.count("acknowledged by"), shown.count(": open")) == (2, 2)


def test_network_example__is_read() -> None:
    rules = NetworkFile.read(EXAMPLES / "network.yaml").rules

    assert (rules.challenge_window, rules.permissionless) == (7 * 86400, True)


def test_committee_example__is_read() -> None:
    terms, members = read_committee(EXAMPLES / "committee.yaml")

    assert (terms[1], len(members)) == (2, 3)
    assert members[2][0] != members[2][1]


@pytest.mark.parametrize("name", ["operator", "verifier"])
def test_node_example__is_read(name: str) -> None:
    settings = Settings.load(EXAMPLES / f"{name}-node.yaml")

    assert getattr(settings, f"need_{name}")().models[0].runner == "qi8"


def test_examples__all_files__are_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text()

    for path in EXAMPLES.iterdir():
        assert path.name == "README.md" or path.name in listed
