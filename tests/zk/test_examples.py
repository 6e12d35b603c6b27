"""The examples of the zk commands' help, run as they stand."""

from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import to_hex
from tests.support.chain import Chain
from tests.support.commands import Line, every_command
from tests.support.enclave import address_of
from tests.support.story import register
from tests.zk.conftest import Commands
from tests.zk.digits import images, write_mlp

PLAIN = ("setup", "describe", "answer", "prove", "verify")
REGISTER = "ape tallystick model register $NETWORK --name digits --file digits.zk"
SUBMIT = (
    "ape tallystick submit proven.jsonl --network-id $NETWORK --model-id $MODEL --grade proven "
    "--zk digits.zk"
)
"""As docs/zk.md has them."""
EXAMPLES = {one.name: one.example for one in every_command() if " zk" in one.name}


def run(example: str, *more: str, **names: str) -> Any:
    line = Line.of(Template(example).substitute(names))
    root, words = line.root
    result = CliRunner(mix_stderr=False).invoke(root, [*words, *more])
    assert result.exit_code == 0, (result.stderr, result.exception)
    return result


def test_examples__in_their_order__succeed(
    chain: Chain, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = register(chain, chain.accounts[1], salt=60, attestors=attestors(chain))
    network.join(chain.accounts[2])
    monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(chain.registry.address))
    monkeypatch.chdir(tmp_path)
    write_mlp(tmp_path / "mlp.onnx")
    np.save("digits.npy", images()[-1:])
    for name in PLAIN:
        run(EXAMPLES[f"tallystick zk {name}"])
    url = f"ethereum:local:{chain.w3.provider.endpoint_uri}"  # type: ignore[attr-defined]
    names = {"NETWORK": to_hex(network.id)}
    by = ("--network", url, "--json", "--account")

    registered = run(REGISTER, *by, "TEST::1", **names)
    model_id = registered.stdout.split('"model_id": "')[1][:66]
    run(SUBMIT, *by, "TEST::2", **names, MODEL=model_id)

    (batch,) = chain.ledger().batches.values()
    assert batch.grade is Grade.PROVEN


def attestors(chain: Chain) -> tuple[bytes, bytes, bytes]:
    return bytes(20), bytes(20), address_of(chain.deploy("Proof"))
