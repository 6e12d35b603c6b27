"""Real proofs on chain: what grades a batch, and what does not; more of it in test_tampering.py.

attest: each leaf proven | a byte of the proof, an instance, another leaf's proof, of another key
gas: one leaf within its ceiling, each further one
"""

from dataclasses import replace

import pytest

from tallystick.chain.deploy import create2_address, deployment
from tallystick.zk.setup import set_up
from tests.support.chain import Chain, reverts
from tests.support.proof import ProofPlace, proof_place
from tests.zk import gas
from tests.zk.digits import images, write_mlp
from tests.zk.gas import ezkl_leaves as leaves
from tests.zk.proven import CHOICES, LIMITS, Proven


def test_attest__each_leaf_proven__costs_what_the_snapshot_says(
    chain: Chain, place: ProofPlace, proven: Proven
) -> None:
    found = gas.of_ezkl(chain, place, proven)

    one, two, eight = (found[f"{count} leaves"].total for count in gas.COUNTS)
    print(f"gas: one {one}, two {two}, eight {eight}, alone {found['verifier alone'].total}")
    gas.check(gas.EZKL, found)
    assert one <= gas.CEILING
    assert two - one <= gas.CEILING
    assert (eight - two) / 6 <= 1.02 * (two - one)


def test_attest__bytes_of_the_proof_changed__reverts(place: ProofPlace, proven: Proven) -> None:
    """One byte in each word of it."""
    batch, (good,) = leaves(place, proven, 1)
    for at in range(0, len(good.proof), 96):
        proof = bytearray(good.proof)
        proof[at + at // 96 % 32] ^= 1
        with reverts("ProofRefused", leafIndex=0):
            place.attest(batch, place.model.evidence([replace(good, proof=bytes(proof))]))
    for proof in (b"", good.proof[:-32], good.proof + bytes(32)):
        with reverts("ProofRefused", leafIndex=0):
            place.attest(batch, place.model.evidence([replace(good, proof=proof)]))


def test_attest__proof_of_another_answer__reverts(place: ProofPlace, proven: Proven) -> None:
    batch, (first, second) = leaves(place, proven, 2)

    with reverts("ProofRefused", leafIndex=0):
        place.attest(
            batch,
            place.model.evidence(
                [replace(first, proof=second.proof), replace(second, proof=first.proof)]
            ),
        )


def test_attest__answer_that_is_not_the_circuits__reverts(
    place: ProofPlace, proven: Proven
) -> None:
    """The leaf holds a forged output, by one; the proof is of the right one."""
    record = proven.records[0]
    assert record.input is not None and record.output is not None
    forged = bytes([record.output[0] ^ 1]) + record.output[1:]
    batch = place.commit([(record.input, forged)])
    (leaf,) = place.leaves(batch, [(record.input, forged)])

    with reverts("ProofRefused", leafIndex=0):
        place.attest(batch, place.model.evidence([replace(leaf, proof=proven.folder.get(record))]))


def test_attest__too_few_proofs__reverts(place: ProofPlace, proven: Proven) -> None:
    batch, shown = leaves(place, proven, 2)

    with reverts("ProofsMissing", proofs=1, needed=2):
        place.attest(batch, place.model.evidence(shown[:1]))


def test_attest__verifier_of_another_key__reverts(
    chain: Chain, place: ProofPlace, proven: Proven, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same graph, trained from another seed: other weights, another key, another model."""
    folder = tmp_path_factory.mktemp("other")
    onnx = write_mlp(folder / "mlp.onnx", seed=2)
    other = set_up(onnx, folder / "other.zk", images()[-4:], CHOICES, limits=LIMITS)
    assert other.circuit.key_hash != proven.model.circuit.key_hash
    assert other.circuit.code_hash != proven.model.circuit.code_hash
    chain.send_call(chain.accounts[0], deployment(other.creation))
    there = proof_place(
        chain, chain.accounts[2], create2_address(other.creation), other.circuit, salt=31
    )
    batch, shown = leaves(place, proven, 1)
    by_other = replace(place.model, verifier=create2_address(other.creation))

    with reverts("ModelMismatch", needed=place.model.id()):
        place.attest(batch, by_other.evidence(shown))
    batch, shown = leaves(there, proven, 1)
    with reverts("ProofRefused", leafIndex=0):
        there.attest(batch, there.model.evidence(shown))
