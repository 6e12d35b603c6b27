"""A second system behind the wrapper: Groth16 by circom and snarkjs.

attest: proven | output, input, proof changed | A negated with B: malleable, yet no second leaf
wrapper: of another target is another model | target without code | code changed
"""

from dataclasses import replace

import pytest

from tallystick.protocol.enums import Grade
from tests.support.chain import Chain, reverts
from tests.support.enclave import address_of
from tests.support.proof import code_hash_at
from tests.zk import gas
from tests.zk.groth16 import BASE, Answer, Groth16, Scene, deploy_code


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Groth16:
    return Groth16.set_up(tmp_path_factory.mktemp("groth16"))


@pytest.fixture(scope="module")
def answers(system: Groth16) -> list[Answer]:
    return system.answers()


@pytest.fixture
def scene(chain: Chain, system: Groth16) -> Scene:
    return system.place(chain)


def test_attest__proofs_of_groth16__cost_what_the_snapshot_says(
    chain: Chain, scene: Scene, answers: list[Answer]
) -> None:
    found = gas.of_groth16(chain, scene, answers)

    print("gas: " + ", ".join(f"{name} {one.total}" for name, one in found.items()))
    gas.check(gas.GROTH16, found)
    assert found["1 leaves"].total <= gas.CEILING


@pytest.mark.parametrize("where", ["output", "input", "proof", "cut", "coordinate"])
def test_attest__tampered__reverts(scene: Scene, answers: list[Answer], where: str) -> None:
    place, one = scene.place, answers[0]
    a = int.from_bytes(one.proof[:32], "big")
    changed = {
        "output": replace(one, output=b"\1" + one.output[1:]),
        "input": replace(one, input=b"\7" + one.input[1:]),
        "proof": replace(one, proof=one.proof[:-1] + bytes([one.proof[-1] ^ 1])),
        "cut": replace(one, proof=one.proof[:-32]),
        "coordinate": replace(one, proof=(a + BASE).to_bytes(32, "big") + one.proof[32:]),
    }[where]
    batch = place.commit([changed.pair])
    (leaf,) = place.leaves(batch, [changed.pair])

    with reverts("ProofRefused", leafIndex=0):
        place.attest(batch, place.model.evidence([replace(leaf, proof=changed.proof)]))


def test_attest__another_form_of_the_proof__proves_the_same_leaf_only(
    scene: Scene, answers: list[Answer]
) -> None:
    """(-A, -B, C) is as good as (A, B, C); nothing is known by a proof's bytes."""
    place, (one, other) = scene.place, answers
    words = [int.from_bytes(one.proof[at : at + 32], "big") for at in range(0, 256, 32)]
    for place_of_y in (1, 4, 5):
        words[place_of_y] = BASE - words[place_of_y]
    form = b"".join(word.to_bytes(32, "big") for word in words)
    batch = place.commit([one.pair])
    (leaf,) = place.leaves(batch, [one.pair])
    elsewhere = place.commit([other.pair], slot=1)
    (wrong,) = place.leaves(elsewhere, [other.pair])

    place.attest(batch, place.model.evidence([replace(leaf, proof=form)]))
    assert batch.status().grade is Grade.PROVEN
    with reverts("ProofRefused", leafIndex=0):
        place.attest(elsewhere, place.model.evidence([replace(wrong, proof=form)]))


def test_wrapper__of_another_target__has_another_hash(chain: Chain, scene: Scene) -> None:
    # Creation code of ten bytes that answer true to everything.
    copy = deploy_code(chain, bytes.fromhex("69600160005260206000f3600052600a6016f3"))
    wrapper = chain.deploy("Groth16Wrapper", chain.w3.to_checksum_address(copy), 5, 2)

    assert wrapper.functions.verifyProof(bytes(256), [0] * 5).call()
    assert code_hash_at(chain, address_of(wrapper)) != scene.place.model.circuit.code_hash


def test_wrapper__target_without_code_or_outputs_too_many__reverts(
    chain: Chain, scene: Scene
) -> None:
    with reverts("TargetChanged"):
        chain.deploy("Groth16Wrapper", chain.w3.eth.accounts[7], 5, 2)
    with reverts("OutputsOutOfRange", outputs=6, values=5):
        chain.deploy("Groth16Wrapper", chain.w3.to_checksum_address(scene.target), 5, 6)


def test_wrapper__code_of_the_target_changed__reverts(chain: Chain, scene: Scene) -> None:
    """As an account does that delegates to other code."""
    place = scene.place
    target = chain.w3.to_checksum_address(scene.target)
    always = "0x600160005260206000f3"
    chain.w3.provider.make_request("anvil_setCode", [target, always])
    pair = bytes(3), bytes(8)
    batch = place.commit([pair])
    (leaf,) = place.leaves(batch, [pair])

    with reverts("ProofRefused", leafIndex=0):
        place.attest(batch, place.model.evidence([replace(leaf, proof=bytes(256))]))
