"""The stage of each example."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.cli.network import read_template
from tallystick.protocol.hexes import to_hex
from tests.integration.examples.prepare import DIGITS
from tests.integration.examples.stage import Stage, word
from tests.support.chain import Chain
from tests.support.story import Network


@pytest.fixture
def stage(
    chain: Chain,
    network: Network,
    resolver: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    stage = Stage(chain, network, resolver, tmp_path)
    stage.lines("inferences.jsonl", 7)
    Path("evidence.hex").write_text(word(1))
    Path("spec.txt").write_text("ten digits")
    none = f'"{to_hex(bytes(20))}"'
    Path("network.yaml").write_text(
        read_template("network") + f'  attestors: ["{to_hex(resolver)}", {none}, {none}]\n'
    )
    shutil.copy(DIGITS / "digits.onnx", "digits.onnx")
    shutil.copy(DIGITS / "digits.qi8", "digits.qi8")
    with stage.stack:
        yield stage
