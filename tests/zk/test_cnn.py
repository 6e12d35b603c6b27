"""The demo's convolutional classifier, the file as it is, proven on the whole way.

40 s of CPU time, most of it for keys and proof: a minute in all, some minutes on a busy machine.
"""

from dataclasses import replace
from pathlib import Path
from time import perf_counter

from tallystick.demo.digits.model import FILE
from tallystick.protocol.record import InferenceRecord
from tallystick.zk.engine import Limits
from tallystick.zk.setup import Choices, inputs_of, set_up
from tests.support.chain import Chain, reverts
from tests.support.patience import PATIENCE
from tests.zk import gas
from tests.zk.digits import images
from tests.zk.proven import Proven

LIMITS = Limits(seconds=2 * PATIENCE, memory=8 << 30)
# With few columns the verifier fits EIP-170; with one the keys take minutes.
CHOICES = Choices("u8", "i32", input_scale=4, param_scale=10, base=2048, legs=2, columns=3)
CEILING = 1_000_000
"""Gas of attesting a batch of one."""


def test_cnn__set_up_answered_proven_and_attested(chain: Chain, tmp_path: Path) -> None:
    samples, times = images()[-20:] / 16, [perf_counter()]
    model = set_up(FILE, tmp_path / "cnn.zk", samples, CHOICES, limits=LIMITS)
    times.append(perf_counter())
    (input_,) = inputs_of(model.circuit.input, samples[-1:])
    (output,) = model.answers([input_], LIMITS)
    record = InferenceRecord(input=input_, output=output, line=1)
    proven = Proven(model, [record], tmp_path / "proofs")
    proof = proven.folder.prove(record, LIMITS)
    times.append(perf_counter())

    place = gas.ezkl_place(chain, proven)
    batch, (leaf,) = gas.ezkl_leaves(place, proven, 1)
    with reverts("ProofRefused", leafIndex=0):
        forged = replace(leaf, proof=proof[:-1] + bytes([proof[-1] ^ 1]))
        place.attest(batch, place.model.evidence([forged]))
    spent = gas.attested(place, batch, [leaf])

    assert model.equal == (20, 20)
    assert spent.total <= CEILING
    setup, prove = (after - before for before, after in zip(times, times[1:], strict=False))
    print(f"set up {setup:.1f} s, answer and prove {prove:.1f} s, {len(proof)} bytes, {spent}")
