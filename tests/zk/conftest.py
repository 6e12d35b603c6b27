"""A zk model of digits with proven answers, made once; a chain as the commands' tests have it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallystick.protocol.record import InferenceRecord
from tallystick.zk.engine import Limits
from tallystick.zk.model import ZkModel
from tallystick.zk.proofs import ProofFolder
from tallystick.zk.setup import Choices, inputs_of, set_up
from tests.integration.conftest import Commands, chain, commands, shared_chain
from tests.zk.digits import images, write_mlp

__all__ = ["Commands", "chain", "commands", "shared_chain"]

LIMITS = Limits(seconds=120, memory=4 << 30)
CHOICES = Choices("u8", "i32", input_scale=0, param_scale=10, legs=3)


@dataclass
class Proven:
    """A model, answers of its circuit, and where their proofs are."""

    model: ZkModel
    records: list[InferenceRecord]
    proofs: Path

    @property
    def folder(self) -> ProofFolder:
        return ProofFolder(self.proofs, self.model)


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proven]:
    """Two answers with their proofs."""
    folder = tmp_path_factory.mktemp("zk")
    onnx = write_mlp(folder / "mlp.onnx")
    model = set_up(onnx, folder / "digits.zk", images()[-20:], CHOICES, limits=LIMITS)
    inputs = inputs_of(model.circuit.input, images()[-2:])
    outputs = model.answers(inputs, LIMITS)
    records = [
        InferenceRecord(input=input_, output=output, line=line)
        for line, (input_, output) in enumerate(zip(inputs, outputs, strict=True), 1)
    ]
    made = Proven(model, records, folder / "proofs")
    for record in records:
        made.folder.prove(record, LIMITS)
    yield made
