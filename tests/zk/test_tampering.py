"""Every way to make more of a real proof than it is, beside those in test_chain.py.

proof:     first, middle, last byte | a byte more or fewer | words plus r, plus the points' modulus
instances: of the input | plus r, one more, one fewer, at the verifier itself
leaves:    of another batch | one proof too many | other widths, more bytes, a negative zero
equal:     one proof for two equal leaves: it serves both, and is worth one answer
after:     challenged: refused | each fault: rejected all the same
off chain: the same bytes are refused by `zk verify`; hex of either case is one proof
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web3.exceptions import ContractLogicError

from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.proof import MODULUS, ProvenLeaf
from tallystick.zk.errors import ZkError
from tests.support.chain import Chain, reverts
from tests.support.proof import FAULTS, ProofPlace, shown
from tests.support.story import Committed
from tests.zk.gas import ezkl_leaves as leaves
from tests.zk.groth16 import BASE
from tests.zk.proven import LIMITS, Proven

VERIFY = {
    "type": "function",
    "name": "verifyProof",
    "stateMutability": "view",
    "inputs": [{"type": "bytes", "name": "proof"}, {"type": "uint256[]", "name": "instances"}],
    "outputs": [{"type": "bool", "name": ""}],
}


def flipped(data: bytes, at: int) -> bytes:
    place = at % len(data)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "first byte": lambda proof: flipped(proof, 0),
    "middle byte": lambda proof: flipped(proof, len(proof) // 2),
    "last byte": lambda proof: flipped(proof, -1),
    "a byte more": lambda proof: proof + b"\0",
    "a word more": lambda proof: proof + bytes(32),
    "a byte fewer": lambda proof: proof[:-1],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_proof__tampered__is_refused_on_chain_and_off(
    place: ProofPlace, proven: Proven, tmp_path: Path, how: str
) -> None:
    batch, (good,) = leaves(place, proven, 1)
    proof = TAMPERED[how](good.proof)

    with reverts("ProofRefused", leafIndex=0, verifier=place.model.verifier):
        place.attest(batch, place.model.evidence([replace(good, proof=proof)]))
    with pytest.raises(ZkError, match="the proof of line 1"):
        kept_as(proven, tmp_path, "0x" + proof.hex()).folder.check(proven.records[0], LIMITS)


def test_proof__hex_of_either_case__is_one_proof(proven: Proven, tmp_path: Path) -> None:
    """The case is the file's; what goes on chain are bytes."""
    record = proven.records[0]
    good = proven.folder.get(record)
    upper = kept_as(proven, tmp_path, "0x" + good.hex().upper())

    upper.folder.check(record, LIMITS)

    assert upper.folder.get(record) == good


def kept_as(proven: Proven, folder: Path, text: str) -> Proven:
    """The first answer's proof with another text in its file, elsewhere."""
    record, made = proven.records[0], replace(proven, proofs=folder / "proofs")
    content = json.loads(proven.folder.path(record).read_text()) | {"proof": text}
    path = made.folder.path(record)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return made


def verifier_says(place: ProofPlace, proof: bytes, instances: list[int]) -> bool:
    """What the verifier itself answers; a revert is a no."""
    w3 = place.chain.w3
    address = w3.to_checksum_address(place.model.verifier)
    contract: Any = w3.eth.contract(address, abi=[VERIFY])
    try:
        return bool(contract.functions.verifyProof(proof, instances).call())
    except ContractLogicError:
        return False


def test_proof__a_word_in_another_form__is_refused(place: ProofPlace, proven: Proven) -> None:
    """Each word is a scalar or a coordinate; plus its modulus it would be the same one."""
    batch, (good,) = leaves(place, proven, 1)
    instances = place.model.circuit.instances(good.input, good.output)
    assert verifier_says(place, good.proof, instances)

    for at in range(0, len(good.proof), 32):
        word = int.from_bytes(good.proof[at : at + 32], "big")
        for modulus in (MODULUS, BASE):
            form = (word + modulus).to_bytes(32, "big")
            proof = good.proof[:at] + form + good.proof[at + 32 :]
            assert not verifier_says(place, proof, instances), f"word {at // 32} plus {modulus}"


def test_instances__in_another_form__are_refused_by_the_verifier_too(
    place: ProofPlace, proven: Proven
) -> None:
    """Proof never asks with these: it makes the values of the leaf's bytes."""
    _, (good,) = leaves(place, proven, 1)
    instances = place.model.circuit.instances(good.input, good.output)

    for at in (0, 63, 64, len(instances) - 1):
        changed = [*instances[:at], instances[at] + MODULUS, *instances[at + 1 :]]
        assert not verifier_says(place, good.proof, changed)
    assert not verifier_says(place, good.proof, [*instances, 0])
    assert not verifier_says(place, good.proof, instances[:-1])


@pytest.mark.parametrize("at", [0, 31, 63])
def test_input__changed_by_one__reverts(place: ProofPlace, proven: Proven, at: int) -> None:
    record = proven.records[0]
    pair = flipped(record.input or b"", at), record.output or b""
    batch = place.commit([pair])
    (leaf,) = place.leaves(batch, [pair])

    with reverts("ProofRefused", leafIndex=0):
        place.attest(batch, place.model.evidence([replace(leaf, proof=proven.folder.get(record))]))


def test_leaf__of_another_batch__reverts(place: ProofPlace, proven: Proven) -> None:
    """The same answer with the same proof, and another nonce."""
    _, shown_there = leaves(place, proven, 1)
    batch, _ = leaves(place, proven, 1, slot=1)

    with reverts("LeavesMismatch", needed=batch.tree.root):
        place.attest(batch, place.model.evidence(shown_there))


def test_proofs__one_too_many__reverts(place: ProofPlace, proven: Proven) -> None:
    batch, made = leaves(place, proven, 2)

    with reverts("ProofsMissing", proofs=3, needed=2):
        place.attest(batch, place.model.evidence([*made, made[0]]))


def widened(output: bytes) -> bytes:
    """The same numbers in eight bytes each, in place of four."""
    return b"".join(
        int.from_bytes(output[at : at + 4], "little", signed=True).to_bytes(
            8, "little", signed=True
        )
        for at in range(0, len(output), 4)
    )


def reduced(output: bytes) -> bytes:
    """The same public values as field elements."""
    return b"".join(
        (int.from_bytes(output[at : at + 4], "little", signed=True) % MODULUS).to_bytes(
            32, "little"
        )
        for at in range(0, len(output), 4)
    )


@pytest.mark.parametrize(
    ("form", "size"),
    [
        (widened, 80),
        (reduced, 320),
        (lambda output: output + b"\0", 41),
        (lambda output: output + bytes(4), 44),
        (lambda output: output[:-1], 39),
        (lambda output: b"", 0),
    ],
    ids=["wider", "field", "a byte more", "a number more", "a byte fewer", "none"],
)
def test_output__the_same_numbers_in_other_bytes__reverts(
    place: ProofPlace, proven: Proven, form: Callable[[bytes], bytes], size: int
) -> None:
    record = proven.records[0]
    pair = record.input or b"", form(record.output or b"")
    batch = place.commit([pair])
    leaf = ProvenLeaf(batch.inferences[0], *pair, proven.folder.get(record))

    with reverts("EncodedLengthMismatch", leafIndex=0, length=size, needed=40):
        place.attest(batch, shown(place, [leaf]))


def test_output__negative_zero__is_another_number(place: ProofPlace, proven: Proven) -> None:
    """Two's complement has one zero; a sign alone is the least number."""
    record = proven.records[0]
    zero = bytes(4) + (record.output or b"")[4:]
    minus = b"\0\0\0\x80" + zero[4:]
    values = [place.model.circuit.instances(record.input or b"", one)[64] for one in (zero, minus)]
    assert values == [0, MODULUS - 2**31]
    for output in (zero, minus):
        pair = record.input or b"", output
        batch = place.commit([pair], slot=int(output == minus))
        (leaf,) = place.leaves(batch, [pair])
        with reverts("ProofRefused", leafIndex=0):
            evidence = place.model.evidence([replace(leaf, proof=proven.folder.get(record))])
            place.attest(batch, evidence)


def test_proof__for_two_equal_leaves__serves_both(
    chain: Chain, place: ProofPlace, proven: Proven
) -> None:
    """It is worth one answer: Proven says that answers are right, not that they were asked for."""
    record = proven.records[0]
    pairs = [(record.input or b"", record.output or b"")] * 2
    batch = place.commit(pairs)
    made = [replace(one, proof=proven.folder.get(record)) for one in place.leaves(batch, pairs)]

    place.attest(batch, place.model.evidence(made))
    chain.at(batch.closes_at)
    chain.send(place.operator, "finalize", [batch.ref], place.network.id, place.operator)

    assert place.network.totals().proven == 2


def test_challenge__proven_batch__reverts(chain: Chain, place: ProofPlace, proven: Proven) -> None:
    batch, made = leaves(place, proven, 1)
    place.attest(batch, place.model.evidence(made))

    with reverts("ProvenUnchallengeable", batchId=batch.id):
        batch.challenge(chain.accounts[4], 0)
    assert batch.status().grade is Grade.PROVEN


@pytest.mark.parametrize("cause", list(FAULTS), ids=lambda cause: cause.name)
def test_fault__batch_of_real_proofs__is_rejected(
    chain: Chain, place: ProofPlace, proven: Proven, cause: Cause
) -> None:
    pairs = [(one.input or b"", one.output or b"") for one in proven.records]

    def prove(batch: Committed) -> None:
        made = [
            replace(leaf, proof=proven.folder.get(record))
            for leaf, record in zip(place.leaves(batch, pairs), proven.records, strict=True)
        ]
        place.attest(batch, place.model.evidence(made))
        assert batch.status().grade is Grade.PROVEN

    batch = FAULTS[cause](chain, place, pairs, prove)

    assert batch.status().state is State.REJECTED
    assert place.network.totals().proven == 0
