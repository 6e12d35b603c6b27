"""Proof through the registry: every leaf's proof grades a batch, and nothing less does.

attest: 1 to 9 leaves | too few, too many, of another order | leaf of another batch, operator
        | input, output, proof changed | lengths, field elements out of range
model:  another key, encoding, registrant, parent, verifier, without code | a verifier that reverts,
        answers 2, two words, nothing, burns all gas
life:   can't be challenged | each fault still rejects | challenged before: no proof while disputed
"""

from dataclasses import replace
from typing import Any

import pytest

from tallystick.errors import ContractError
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import MODULUS, Circuit, Encoding
from tests.support.chain import Chain, reverts
from tests.support.enclave import address_of
from tests.support.proof import (
    FAULTS,
    KEY_HASH,
    OUTPUT,
    ProofPlace,
    answers,
    code_hash_at,
    proof_place,
    shown,
    trivial_proof,
)
from tests.support.story import Committed


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 9])
def test_attest__every_leaf_proven__raises_the_grade(
    chain: Chain, place: ProofPlace, count: int
) -> None:
    pairs = answers(count)
    batch = place.commit(pairs)

    place.attest(batch, place.model.evidence(place.leaves(batch, pairs)))

    assert batch.status().grade is Grade.PROVEN
    chain.at(batch.closes_at)
    chain.send(place.operator, "finalize", [batch.ref], place.network.id, place.operator)
    assert place.network.totals().proven == count


@pytest.mark.parametrize("shown", [0, 2, 4])
def test_attest__fewer_or_more_proofs_than_leaves__reverts(place: ProofPlace, shown: int) -> None:
    pairs = answers(3)
    batch = place.commit(pairs)
    leaves = (place.leaves(batch, pairs) * 2)[:shown]

    with reverts("ProofsMissing", proofs=shown, needed=3):
        place.attest(batch, place.model.evidence(leaves))


def test_attest__leaves_in_another_order__reverts(place: ProofPlace) -> None:
    pairs = answers(3)
    batch = place.commit(pairs)
    leaves = place.leaves(batch, pairs)

    with reverts("LeavesMismatch", needed=batch.tree.root):
        place.attest(batch, place.model.evidence(leaves[::-1]))


def test_attest__one_leaf_shown_twice__reverts(place: ProofPlace) -> None:
    """A proof for one leaf is none for the next."""
    pairs = answers(2)
    batch = place.commit(pairs)
    leaves = place.leaves(batch, pairs)

    with reverts("LeavesMismatch", needed=batch.tree.root):
        place.attest(batch, place.model.evidence([leaves[0], leaves[0]]))


def test_attest__leaf_of_another_batch__reverts(place: ProofPlace) -> None:
    """The same answer in the next batch is another leaf: its nonce is."""
    pairs = answers(1)
    first, second = place.commit(pairs), place.commit(pairs, slot=1)

    with reverts("LeavesMismatch", needed=second.tree.root):
        place.attest(second, place.model.evidence(place.leaves(first, pairs)))


def test_attest__leaf_of_another_operator__reverts(
    place: ProofPlace, other_operator: bytes
) -> None:
    place.network.join(other_operator)
    pairs = answers(1)
    theirs, own = place.commit(pairs, operator=other_operator), place.commit(pairs)
    evidence = place.model.evidence(place.leaves(own, pairs))

    with reverts("LeavesMismatch", needed=theirs.tree.root):
        place.attest(theirs, evidence)


@pytest.mark.parametrize("where", ["input", "output"])
def test_attest__bytes_that_are_not_the_leafs__reverts(place: ProofPlace, where: str) -> None:
    pairs = answers(3)
    batch = place.commit(pairs)
    leaves = place.leaves(batch, pairs)
    changed = replace(leaves[1], **{where: getattr(leaves[2], where)})
    # With a proof that holds of what is shown.
    proof = trivial_proof(place.model.circuit, changed.input, changed.output)
    leaves[1] = replace(changed, proof=proof)
    name = f"{where.capitalize()}Mismatch"

    with reverts(name, leafIndex=1, needed=keccak256(pairs[1][where == "output"])):
        place.attest(batch, shown(place, leaves))


def test_attest__each_byte_of_a_proof_changed__reverts(place: ProofPlace) -> None:
    pairs = answers(1)
    batch = place.commit(pairs)
    (leaf,) = place.leaves(batch, pairs)
    for at in range(32):
        proof = bytearray(leaf.proof)
        proof[at] ^= 1
        with reverts("ProofRefused", leafIndex=0):
            place.attest(batch, place.model.evidence([replace(leaf, proof=bytes(proof))]))

    place.attest(batch, place.model.evidence([leaf]))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 33])
def test_attest__verifier_that_answers_anything_but_true__reverts(
    place: ProofPlace, length: int
) -> None:
    """Reverts, answers 2, two words, nothing, burns all its gas, false."""
    pairs = answers(2)
    batch = place.commit(pairs)
    leaves = place.leaves(batch, pairs)
    leaves[1] = replace(leaves[1], proof=bytes(length))

    with reverts("ProofRefused", leafIndex=1, verifier=place.model.verifier):
        place.attest(batch, place.model.evidence(leaves))
    assert batch.status().grade is Grade.UNCHALLENGED


@pytest.mark.parametrize(
    "change",
    [
        {"registrant": b"x" * 20},
        {"parent": b"x" * 32},
        {"key_hash": b"x" * 32},
        {"input": Encoding(3, 1, True)},
        {"output": replace(OUTPUT, scale=11)},
        {"verifier": b"x" * 20},
        {"verifier": bytes(19) + b"\x04"},
    ],
    ids=str,
)
def test_attest__another_model__reverts(place: ProofPlace, change: dict[str, Any]) -> None:
    pairs = answers(1)
    batch = place.commit(pairs)
    of_circuit = {name: value for name, value in change.items() if name in Circuit.__slots__}
    rest = {name: value for name, value in change.items() if name not in of_circuit}
    other = replace(place.model, circuit=replace(place.model.circuit, **of_circuit), **rest)

    with reverts("ModelMismatch", needed=place.model.id()):
        place.attest(batch, shown(place, place.leaves(batch, pairs), other))


def test_attest__verifier_of_other_code_that_takes_anything__reverts(
    chain: Chain, place: ProofPlace
) -> None:
    pairs = answers(1)
    batch = place.commit(pairs)
    other = replace(place.model, verifier=address_of(chain.deploy("MockResolver")))

    with reverts("ModelMismatch", needed=place.model.id()):
        place.attest(batch, shown(place, place.leaves(batch, pairs), other))


def test_attest__another_copy_of_the_same_code__raises_the_grade(
    chain: Chain, place: ProofPlace
) -> None:
    """The code is the model's, its address is not."""
    pairs = answers(1)
    batch = place.commit(pairs)
    copy = replace(place.model, verifier=address_of(chain.deploy("TrivialVerifier")))

    place.attest(batch, copy.evidence(place.leaves(batch, pairs)))

    assert batch.status().grade is Grade.PROVEN


def test_attest__verifier_without_code__reverts(chain: Chain, operator: bytes) -> None:
    """Of an account with a balance and no code the hash is that of nothing."""
    eoa = chain.accounts[8]
    circuit = Circuit(keccak256(b""), KEY_HASH, Encoding(3, 1, False), OUTPUT)
    place = proof_place(chain, operator, eoa, circuit)
    pairs = answers(1)
    batch = place.commit(pairs)

    with reverts("ProofRefused", leafIndex=0):
        place.attest(batch, place.model.evidence(place.leaves(batch, pairs)))


@pytest.mark.parametrize("more", [b"", b"\0"], ids=["short", "long"])
def test_attest__input_of_another_length__reverts(place: ProofPlace, more: bytes) -> None:
    """Trailing zeros would be a second form of the same public values."""
    (input_, output), *_ = answers(1)
    pair = (input_ + more if more else input_[:-1]), output
    batch = place.commit([pair])
    (leaf,) = place.leaves(place.commit(answers(1), slot=1), answers(1))
    leaf = replace(leaf, inference=batch.inferences[0], input=pair[0])

    with reverts("EncodedLengthMismatch", leafIndex=0, length=len(pair[0]), needed=3):
        place.attest(batch, shown(place, [leaf]))


@pytest.mark.parametrize(
    ("value", "good"),
    [(MODULUS - 1, True), (MODULUS, False), (MODULUS + 1, False), (2**256 - 1, False)],
)
def test_attest__field_element_not_below_the_modulus__reverts(
    chain: Chain, operator: bytes, value: int, good: bool
) -> None:
    verifier = address_of(chain.deploy("TrivialVerifier"))
    field = Encoding(1, 32, False)
    circuit = Circuit(code_hash_at(chain, verifier), KEY_HASH, field, field)
    place = proof_place(chain, operator, verifier, circuit)
    pair = value.to_bytes(32, "little"), bytes(32)
    reduced = (value % MODULUS).to_bytes(32, "little"), bytes(32)
    batch = place.commit([pair])
    (leaf,) = place.leaves(batch, [reduced])
    leaf = replace(leaf, input=pair[0])

    if good:
        place.attest(batch, shown(place, [leaf]))
        assert batch.status().grade is Grade.PROVEN
        return
    with reverts("InstanceNotCanonical", leafIndex=0, instance=value):
        place.attest(batch, shown(place, [leaf]))


@pytest.mark.parametrize(
    "word",
    [
        0,
        1 << 24,
        1 << 24 | 33 << 16,
        1 << 24 | 32 << 16 | 1 << 8,
        1 << 24 | 1 << 16 | 2 << 8,
        (1 << 16 | 1) << 24 | 1 << 16,
        1 << 255 | 1 << 24 | 1 << 16,
    ],
)
def test_content_hash_of__no_encoding__reverts(chain: Chain, place: ProofPlace, word: int) -> None:
    contract = chain.deploy("Proof").functions

    for pair in [(word, OUTPUT.word), (OUTPUT.word, word)]:
        with reverts("EncodingInvalid", encoding=word):
            chain.transact(place.operator, contract.contentHashOf(bytes(32), bytes(32), *pair))


@pytest.mark.parametrize("length", [0, 31, 32, 200])
def test_attest__evidence_that_is_none__reverts(place: ProofPlace, length: int) -> None:
    batch = place.commit(answers(1))

    for evidence in (bytes(length), b"\xff" * length):
        with pytest.raises(ContractError):
            place.attest(batch, evidence)


def test_challenge__proven_batch__reverts(chain: Chain, place: ProofPlace) -> None:
    pairs = answers(2)
    batch = place.commit(pairs)
    place.attest(batch, place.model.evidence(place.leaves(batch, pairs)))

    with reverts("ProvenUnchallengeable", batchId=batch.id):
        batch.challenge(chain.accounts[4], 0)


@pytest.mark.parametrize("cause", list(FAULTS), ids=lambda cause: cause.name)
def test_fault__proven_batch__is_rejected(chain: Chain, place: ProofPlace, cause: Cause) -> None:
    """A proof says that answers are right; a fault is one whatever the leaves hold."""
    pairs = answers(2)

    def prove(batch: Committed) -> None:
        place.attest(batch, place.model.evidence(place.leaves(batch, pairs)))

    batch = FAULTS[cause](chain, place, pairs, prove)

    assert batch.status().state is State.REJECTED
    assert place.network.totals().proven == 0
    assert place.network.totals().rejected == 2


def test_attest__while_challenged__reverts(chain: Chain, place: ProofPlace) -> None:
    pairs = answers(2)
    batch = place.commit(pairs)
    batch.challenge(chain.accounts[4], 0)

    with reverts("PreImageMismatch"):
        place.attest(batch, place.model.evidence(place.leaves(batch, pairs)))
