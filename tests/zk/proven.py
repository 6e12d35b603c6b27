"""A zk model of digits, answers of its circuit, and their proofs."""

from dataclasses import dataclass
from pathlib import Path

from tallystick.protocol.record import InferenceRecord
from tallystick.zk.engine import Limits
from tallystick.zk.model import ZkModel
from tallystick.zk.proofs import ProofFolder
from tallystick.zk.setup import Choices, inputs_of, set_up
from tests.zk.digits import images, write_mlp

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


def set_up_mlp(folder: Path) -> ZkModel:
    """The MLP as a circuit, compared on a few images."""
    onnx = write_mlp(folder / "mlp.onnx")
    return set_up(onnx, folder / "digits.zk", images()[-20:], CHOICES, limits=LIMITS)


def answered(model: ZkModel, count: int = 2) -> list[InferenceRecord]:
    """The circuit's answers to the last images."""
    inputs = inputs_of(model.circuit.input, images()[-count:])
    outputs = model.answers(inputs, LIMITS)
    return [
        InferenceRecord(input=input_, output=output, line=line)
        for line, (input_, output) in enumerate(zip(inputs, outputs, strict=True), 1)
    ]


def make_proven(folder: Path) -> Proven:
    """Two answers of the MLP with their proofs."""
    model = set_up_mlp(folder)
    made = Proven(model, answered(model), folder / "proofs")
    for record in made.records:
        made.folder.prove(record, LIMITS)
    return made
