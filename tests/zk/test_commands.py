"""zk as users run it: set up, answered, proven, checked, registered, committed, counted.

prove: again: nothing is made | a proof half written, damaged | an output of one's own
register: local setup on a chain that is no test network | told to
submit: graded | again | without a proof | a forged proof, with its error | another model
setup: a folder that is there | limits of time and memory
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tallystick.cli.main import main
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.zk import srs
from tallystick.zk.engine import Limits, run
from tallystick.zk.errors import ZkError
from tallystick.zk.model import ZkModel
from tests.support.chain import Chain
from tests.support.enclave import address_of
from tests.support.story import CREDIT, Network, register
from tests.zk.conftest import Commands, Proven
from tests.zk.digits import images


@dataclass
class Scene:
    """A network under Proof, and the records of the answers that are proven."""

    chain: Chain
    commands: Commands
    network: Network
    proven: Proven
    records: Path
    folder: Path

    def line(self, model_id: str) -> list[object]:
        places = ["--proofs", self.proven.proofs, "--store", self.folder / "batches"]
        network = to_hex(self.network.id)
        return [
            self.records,
            "--grade",
            "proven",
            "--zk",
            self.proven.model.folder,
            "--network-id",
            network,
            "--model-id",
            model_id,
            *places,
            "--receipts",
            self.folder / "receipts",
        ]

    def register(self, *more: object) -> Any:
        words = to_hex(self.network.id), "--file", self.proven.model.folder, "--name", "digits"
        return self.commands.json("model register", *words, *more, account=1)


@pytest.fixture
def scene(
    chain: Chain,
    commands: Commands,
    proven: Proven,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(chain.registry.address))
    resolver = address_of(chain.deploy("Proof"))
    places = (bytes(20), bytes(20), resolver)
    network = register(chain, chain.accounts[1], salt=50, attestors=places)
    network.join(chain.accounts[2])
    network.fund(chain.accounts[4], CREDIT)
    records = tmp_path / "proven.jsonl"
    lines = [
        {"input": to_hex(one.input or b""), "output": to_hex(one.output or b"")}
        for one in proven.records
    ]
    records.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Scene(chain, commands, network, proven, records, tmp_path)


def plain(*words: object) -> Result:
    line = ["zk", *(str(word) for word in words), "--json"]
    return CliRunner(mix_stderr=False).invoke(main, line)


def test_submit__proven_answers__are_counted_and_go_once(scene: Scene) -> None:
    registered = scene.register()
    assert registered["equal_answers"] == 1
    assert scene.register()["move"].startswith("none")
    line = scene.line(registered["model_id"])

    dry = scene.commands.json("submit", *line, "--dry-run", account=2)
    done = scene.commands.json("submit", *line, account=2)
    again = scene.commands.json("submit", *line, account=2)

    assert dry["gas"] < 1_300_000
    assert (done["grade"], done["count"], done["sent"]) == ("proven", 2, True)
    assert (again["batch_id"], again["sent"]) == (done["batch_id"], False)
    ledger = scene.chain.ledger()
    assert ledger.batches[from_hex(done["batch_id"], 32, "id")].grade is Grade.PROVEN


def test_submit__forged_proof__is_refused_and_nothing_is_sent(scene: Scene, tmp_path: Path) -> None:
    """A proof of one answer under the name of the other."""
    model_id = scene.register()["model_id"]
    folder = replace(scene.proven, proofs=tmp_path / "forged").folder
    first, second = scene.proven.records
    for record, of in ((first, second), (second, first)):
        path = folder.path(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(scene.proven.folder.path(of).read_bytes())
    line = [*scene.line(model_id), "--proofs", tmp_path / "forged"]

    error = scene.commands.error("submit", *line, account=2)

    assert "ProofRefused" in error and "leafIndex=0" in error
    assert not scene.chain.ledger().batches
    checked = plain(
        "verify", scene.proven.model.folder, scene.records, "--proofs", tmp_path / "forged"
    )
    assert checked.exit_code == 1
    assert "the proof of line 1 does not hold" in checked.stderr


def test_submit__record_without_a_proof__is_refused(scene: Scene, tmp_path: Path) -> None:
    line = [*scene.line(scene.register()["model_id"]), "--proofs", tmp_path / "none"]

    assert "line 1 has no proof" in scene.commands.error("submit", *line, account=2)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--label", "again"), "--zk makes the evidence"),
        (("--grade", "audited"), "--zk is for one file, with --grade proven"),
    ],
    ids=["label", "grade"],
)
def test_submit__zk_with_what_it_does_not_take__is_refused(
    scene: Scene, more: tuple[str, ...], reason: str
) -> None:
    line = [*scene.line(to_hex(bytes(32))), *more]

    result = scene.commands.run("submit", *line, account=2)

    assert result.exit_code == 2 and reason in " ".join(result.stderr.split())


def test_register__folder_with_a_spec_or_without_a_setup__is_refused(
    scene: Scene, tmp_path: Path
) -> None:
    words = to_hex(scene.network.id), "--name", "digits", "--file"
    spec = "--spec", scene.records

    with_spec = scene.commands.run(
        "model register", *words, scene.proven.model.folder, *spec, account=1
    )
    assert with_spec.exit_code == 2 and "a zk model has a spec of its own" in with_spec.stderr
    assert "not finished" in scene.commands.error("model register", *words, tmp_path, account=1)


def test_register__local_setup_on_another_chain__is_refused_unless_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(srs, "TEST_CHAINS", frozenset())
    words = to_hex(scene.network.id), "--file", scene.proven.model.folder, "--name", "digits"

    error = scene.commands.error("model register", *words, account=1)

    assert "can forge proofs" in error and "--local-setup" in error
    assert scene.register("--local-setup")["setup"] == "local"


def test_prove__again__makes_nothing_and_all_hold(proven: Proven, tmp_path: Path) -> None:
    """What the first run left stays; a half-written file beside it is no proof."""
    inputs, records = tmp_path / "inputs.npy", tmp_path / "records.jsonl"
    np.save(inputs, images()[-2:])
    answered = plain("answer", proven.model.folder, inputs, "--out", records)
    assert answered.exit_code == 0, answered.stderr
    half = proven.folder.path(proven.records[0])
    half.with_name(f"{half.name}.1-1.part").write_bytes(half.read_bytes()[:100])

    done = plain("prove", proven.model.folder, records, "--proofs", proven.proofs)
    checked = plain("verify", proven.model.folder, records, "--proofs", proven.proofs)

    assert json.loads(done.stdout) | {"proofs": ""} == {"proven": 2, "made": 0, "proofs": ""}
    assert json.loads(checked.stdout) == {"verified": 2}


def test_prove__output_of_ones_own__is_refused(proven: Proven, tmp_path: Path) -> None:
    record = proven.records[0]
    output = bytes([(record.output or b"")[0] ^ 1]) + (record.output or b"")[1:]
    path = tmp_path / "forged.jsonl"
    path.write_text(json.dumps({"input": to_hex(record.input or b""), "output": to_hex(output)}))

    result = plain("prove", proven.model.folder, path, "--proofs", tmp_path / "proofs")

    assert result.exit_code == 1 and "nothing to prove" in result.stderr
    assert not (tmp_path / "proofs").exists()


def test_load__another_key_or_no_manifest__is_refused(proven: Proven, tmp_path: Path) -> None:
    with pytest.raises(ZkError, match="not finished"):
        ZkModel.load(tmp_path)
    for file in ("zk.json", "verifier.hex"):
        (tmp_path / file).write_bytes((proven.model.folder / file).read_bytes())
    (tmp_path / "vk").write_bytes(b"another")

    with pytest.raises(ZkError, match="not the key"):
        ZkModel.load(tmp_path)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [(Limits(seconds=0.05), "more than 0.05 seconds"), (Limits(memory=64 << 20), "prove failed")],
    ids=["time", "memory"],
)
def test_run__past_a_limit__ends_with_a_reason(proven: Proven, limits: Limits, reason: str) -> None:
    values = [proven.model.scaled(proven.records[0].input or b"")]

    with pytest.raises(ZkError, match=reason):
        run("prove", limits, inputs=values, **proven.model.files())


def test_setup__folder_that_is_there__is_refused(proven: Proven, tmp_path: Path) -> None:
    np.save(tmp_path / "samples.npy", images()[:2])
    words = proven.model.folder.parent / "mlp.onnx", proven.model.folder

    result = plain("setup", *words, "--samples", tmp_path / "samples.npy")

    assert result.exit_code == 1 and "is there already" in result.stderr
