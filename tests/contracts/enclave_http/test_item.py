"""EnclaveHttp through the registry: two signed bodies grade a batch of one, uphold a leaf.

attest: plain | named | each in the other's resolver | another model, spec, leaf, operator, key
        | every byte of the evidence | bodies empty, not UTF-8, as long as can be, too long
        | the same answer in two batches, by two keys | signature malleable, upper-case text
time: key valid at the commit | endorsed later | revoked before, after
rule: Upheld with the leaf's answer | reverts with anything else
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from eth_keys.constants import SECPK1_N
from web3.exceptions import ContractLogicError

from tallystick.errors import ContractError
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enclave_http import HttpAnswer
from tallystick.protocol.enums import DisputeKind, Grade, State
from tallystick.protocol.events import BatchChallenged
from tallystick.protocol.rules import MAX_BYTES
from tests.contracts.enclave_http.conftest import Place
from tests.support.chain import Chain, Mined, reverts
from tests.support.enclave_http import NAME, REQUEST, RESPONSE, HttpEnclave
from tests.support.story import Committed

STREAM = b'data: {"id": "chatcmpl-1"}\n\n\ndata: [DONE]\n\n'


def test_attest__plain_form__raises_the_grade(chain: Chain, plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer())

    plain.attest(batch, evidence)

    assert batch.status().grade is Grade.ENCLAVE
    chain.at(batch.closes_at)
    chain.send(plain.operator, "finalize", [batch.ref], plain.network.id, plain.operator)
    assert plain.network.totals().enclave == 1


def test_attest__named_form__raises_the_grade(named: Place) -> None:
    batch, evidence = named.claimed(named.enclave.answer(name=NAME))

    named.attest(batch, evidence)

    assert batch.status().grade is Grade.ENCLAVE


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (REQUEST, STREAM),
        (b"", b""),
        (b"\xff\xfe\x00", b"\x80" * 7),
        (b"r" * 40_000, b"a" * (MAX_BYTES - 40_000)),
        (b"", b"a" * MAX_BYTES),
    ],
    ids=["stream", "empty", "not UTF-8", "longest", "longest answer"],
)
def test_attest__bodies_of_any_kind__raise_the_grade(
    plain: Place, request_: bytes, response: bytes
) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer(request_, response))

    plain.attest(batch, evidence)

    assert batch.status().grade is Grade.ENCLAVE


def test_attest__bodies_one_byte_too_long__reverts(plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer(b"r" * 40_000, b"a" * 50_000))

    with reverts("BodiesTooLong", length=MAX_BYTES + 1, highest=MAX_BYTES):
        plain.attest(batch, evidence + b"a")


def test_attest__each_byte_of_the_evidence_changed__is_refused(plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer(b"request", b"answer"))
    contract = plain.resolver.contract.functions
    facts = (batch.batch.abi(), batch.stamp.committed_at, 1, batch.stamp.closes_at)
    assert contract.attest(batch.id, facts, evidence).call()
    accepted = []
    for place in range(len(evidence)):
        for flip in (0x01, 0x80):
            changed = bytearray(evidence)
            changed[place] ^= flip
            try:
                contract.attest(batch.id, facts, bytes(changed)).call()
            except ContractLogicError:
                continue
            accepted.append((place, flip))

    assert accepted == []


@pytest.mark.parametrize("size", [0, 191, 192, 211, 300, 366])
def test_attest__evidence_cut_short__reverts(plain: Place, size: int) -> None:
    answer = plain.enclave.answer()
    batch, evidence = plain.claimed(answer)

    with pytest.raises(ContractError, match=r"Reverted|Panic"):
        plain.attest(batch, evidence[:size])


@pytest.mark.parametrize("less", [1, len(RESPONSE), len(RESPONSE) + 1])
def test_attest__body_cut_short__reverts(plain: Place, less: int) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer())
    name = "BodiesMismatch" if less <= len(RESPONSE) else "Reverted"

    with reverts(name):
        plain.attest(batch, evidence[:-less])


def test_attest__border_between_the_bodies_moved__reverts(plain: Place) -> None:
    answer = plain.enclave.answer()
    moved = replace(answer, request=REQUEST + RESPONSE[:1], response=RESPONSE[1:])
    batch, _ = plain.claimed(answer)
    evidence = batch.inferences[0].encode_leaf() + moved.ruling_evidence(plain.model)

    with reverts("BodiesMismatch", item=moved.item(), needed=answer.item()):
        plain.attest(batch, evidence)


def test_attest__bodies_exchanged__reverts(plain: Place) -> None:
    answer = plain.enclave.answer()
    exchanged = replace(answer, request=RESPONSE, response=REQUEST)
    batch, evidence = plain.claimed(exchanged)

    with reverts("KeySignatureInvalid", keyId=plain.enclave.held.id):
        plain.attest(batch, evidence)


def test_attest__named_text_in_the_plain_resolver__reverts(plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer(name=NAME))

    with reverts("KeySignatureInvalid", keyId=plain.enclave.held.id):
        plain.attest(batch, evidence)


def test_attest__plain_text_in_the_named_resolver__reverts(named: Place) -> None:
    batch, evidence = named.claimed(named.enclave.answer())

    with reverts("KeySignatureInvalid", keyId=named.enclave.held.id):
        named.attest(batch, evidence)


def test_attest__text_that_names_another_model__reverts(named: Place) -> None:
    batch, evidence = named.claimed(named.enclave.answer(name=b"Qwen/Qwen3.5-1B"))

    with reverts("KeySignatureInvalid", keyId=named.enclave.held.id):
        named.attest(batch, evidence)


def test_attest__model_of_another_name__reverts(named: Place) -> None:
    """The text names the model that the enclave ran, not the one that the batch is of."""
    small = replace(named.model, name=b"Qwen/Qwen3.5-1B")
    answer = named.enclave.answer(name=small.name)
    batch, _ = named.claimed(answer)
    evidence = batch.inferences[0].encode_leaf() + answer.ruling_evidence(small)

    with reverts("ModelMismatch", modelId=small.id(), needed=named.model.id()):
        named.attest(batch, evidence)


def test_attest__model_of_another_spec__reverts(chain: Chain, plain: Place) -> None:
    arguments = plain.network.id, b"d" * 32, b"s" * 32, bytes(32), "other", ""
    mined = chain.send(chain.accounts[1], "registerModel", *arguments)
    other = replace(plain, network=replace(plain.network, model_id=mined.events[0].model_id))
    answer = plain.enclave.answer()
    batch = other.commit(answer)
    other.claim(answer, batch.id)
    evidence = batch.inferences[0].encode_leaf() + answer.ruling_evidence(plain.model)

    with reverts("ModelMismatch", modelId=plain.model.id(), needed=other.network.model_id):
        plain.attest(batch, evidence)


def test_attest__text_in_upper_case__reverts(plain: Place) -> None:
    text = f"{sha256(REQUEST).hexdigest()}:{sha256(RESPONSE).hexdigest()}".upper().encode()
    answer = replace(plain.enclave.answer(), signature=plain.enclave.sign(text))
    batch, evidence = plain.claimed(answer)

    with reverts("KeySignatureInvalid", keyId=plain.enclave.held.id):
        plain.attest(batch, evidence)


def high_s(signature: bytes) -> bytes:
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    return signature[:32] + (SECPK1_N - s).to_bytes(32, "big") + bytes([55 - v])


@pytest.mark.parametrize(
    "change",
    [high_s, lambda one: one[:64] + bytes([one[64] - 27]), lambda one: bytes(65)],
    ids=["high s", "v of 0 or 1", "zero"],
)
def test_attest__signature_in_another_form__reverts(
    plain: Place, change: Callable[[bytes], bytes]
) -> None:
    answer = plain.enclave.answer()
    batch, evidence = plain.claimed(replace(answer, signature=change(answer.signature)))

    with reverts("KeySignatureInvalid", keyId=plain.enclave.held.id):
        plain.attest(batch, evidence)


def test_attest__signer_that_did_not_sign__reverts(plain: Place) -> None:
    other = HttpEnclave(2)
    plain.resolver.endorse(other.held, plain.operator)
    batch, evidence = plain.claimed(replace(plain.enclave.answer(), signer=other.address))

    with reverts("KeySignatureInvalid", keyId=other.held.id):
        plain.attest(batch, evidence)


def test_attest__unendorsed_key__reverts(plain: Place) -> None:
    other = HttpEnclave(2)
    batch, evidence = plain.claimed(other.answer())

    with reverts("KeyNotEndorsed", keyId=other.held.id):
        plain.attest(batch, evidence)


def test_attest__key_endorsed_after_the_commit__raises_the_grade(plain: Place) -> None:
    """What counts is the time that the endorsers name, not when they say it."""
    other = HttpEnclave(2)
    batch, evidence = plain.claimed(other.answer())
    plain.resolver.endorse(other.held, plain.operator)

    plain.attest(batch, evidence)

    assert batch.status().grade is Grade.ENCLAVE


@pytest.mark.parametrize(
    ("first", "last", "valid"), [(-1, 0, True), (0, 1, True), (1, 2, False), (-2, -1, False)]
)
def test_attest__key_valid_at_the_commit__decides(
    plain: Place, first: int, last: int, valid: bool
) -> None:
    other = HttpEnclave(2)
    batch, evidence = plain.claimed(other.answer())
    at = batch.stamp.committed_at
    plain.resolver.endorse(other.held, plain.operator, not_before=at + first, not_after=at + last)

    if valid:
        plain.attest(batch, evidence)
        assert batch.status().grade is Grade.ENCLAVE
    else:
        with reverts("KeyNotValid", keyId=other.held.id, timestamp=at):
            plain.attest(batch, evidence)


def test_attest__revoked_key__reverts(plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer())
    plain.resolver.revoke_key(plain.enclave.held)

    with reverts("KeyWithdrawn", keyId=plain.enclave.held.id):
        plain.attest(batch, evidence)


def test_attest__key_revoked_afterwards__leaves_the_grade(plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer())
    plain.attest(batch, evidence)

    plain.resolver.revoke_key(plain.enclave.held)

    assert batch.status().grade is Grade.ENCLAVE


def test_attest__revoked_measurement__reverts(plain: Place) -> None:
    batch, evidence = plain.claimed(plain.enclave.answer())
    plain.resolver.revoke_measurement()

    with reverts("MeasurementNotApproved"):
        plain.attest(batch, evidence)


def test_attest__key_of_another_operator__reverts(plain: Place, other_operator: bytes) -> None:
    plain.network.join(other_operator)
    answer = plain.enclave.answer()
    batch = plain.commit(answer, operator=other_operator)
    plain.claim(answer, batch.id, other_operator)
    key_id = plain.enclave.held.id

    with reverts("KeyOfOtherOperator", keyId=key_id, needed=other_operator):
        plain.attest(batch, answer.evidence(batch.inferences[0], plain.model))


def test_attest__batch_of_two__reverts(plain: Place) -> None:
    answer = plain.enclave.answer()
    batch = plain.commit(answer, plain.enclave.answer(b"another"))
    plain.claim(answer, batch.id)

    with reverts("BatchNotSingle", batchId=batch.id, count=2):
        plain.attest(batch, answer.evidence(batch.inferences[0], plain.model))


def test_attest__no_claim__reverts(plain: Place) -> None:
    answer = plain.enclave.answer()
    batch = plain.commit(answer)

    with reverts("ItemNotClaimed", item=answer.item(), claimed=bytes(32), batchId=batch.id):
        plain.attest(batch, answer.evidence(batch.inferences[0], plain.model))


def test_attest__the_same_answer_in_a_second_batch__reverts(plain: Place) -> None:
    answer = plain.enclave.answer()
    first, evidence = plain.claimed(answer)
    plain.attest(first, evidence)
    second = plain.commit(answer, slot=1)

    with reverts("ItemTaken", item=answer.item(), batchId=first.id):
        plain.claim(answer, second.id)
    with reverts("ItemNotClaimed", claimed=first.id, batchId=second.id):
        plain.attest(second, answer.evidence(second.inferences[0], plain.model))


def test_attest__the_same_answer_by_a_second_key__reverts(plain: Place) -> None:
    other = HttpEnclave(2)
    plain.resolver.endorse(other.held, plain.operator)
    first, evidence = plain.claimed(plain.enclave.answer())
    plain.attest(first, evidence)
    again = other.answer()
    second = plain.commit(again, slot=1)

    with reverts("ItemNotClaimed", claimed=first.id, batchId=second.id):
        plain.attest(second, again.evidence(second.inferences[0], plain.model))


def test_attest__requests_that_differ_in_a_nonce__count_each(plain: Place) -> None:
    answers = [plain.enclave.answer(REQUEST + b" " * number) for number in range(2)]

    for slot, answer in enumerate(answers):
        batch, evidence = plain.claimed(answer, slot=slot)
        plain.attest(batch, evidence)
        assert batch.status().grade is Grade.ENCLAVE


def challenged(plain: Place) -> tuple[Committed, Dispute, list[HttpAnswer]]:
    answers = [plain.enclave.answer(b"request %d" % number) for number in range(3)]
    batch, challenger = plain.commit(*answers), plain.chain.accounts[4]
    mined = plain.chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(1)
    )
    event = mined.event(BatchChallenged)
    dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, 1, event.due, event.leaf)
    return batch, dispute, answers


def resolve(plain: Place, batch: Committed, dispute: Dispute, evidence: bytes) -> Mined:
    leaf = batch.inferences[dispute.leaf_index].abi_leaf()
    sender = plain.chain.accounts[9]
    return plain.chain.send(sender, "resolve", batch.pre_image(dispute), leaf, evidence)


def test_rule__the_leafs_answer__is_upheld(plain: Place) -> None:
    batch, dispute, answers = challenged(plain)

    resolve(plain, batch, dispute, answers[1].ruling_evidence(plain.model))

    assert batch.word()[31] & 7 == State.OPEN
    assert plain.network.totals().rejected == 0


def test_rule__answer_of_another_leaf__reverts(plain: Place) -> None:
    batch, dispute, answers = challenged(plain)

    with reverts("BodiesMismatch", item=answers[2].item(), needed=answers[1].item()):
        resolve(plain, batch, dispute, answers[2].ruling_evidence(plain.model))


def test_rule__key_that_expired_before_the_deadline__reverts(plain: Place) -> None:
    other = HttpEnclave(2)
    answers = [other.answer(b"request %d" % number) for number in range(3)]
    now = plain.chain.now
    plain.resolver.endorse(other.held, plain.operator, not_after=now + 60)
    batch = plain.commit(*answers)
    challenger = plain.chain.accounts[4]
    dispute, _ = batch.challenge(challenger, 1)

    with reverts("KeyNotValid", timestamp=batch.inferences[1].deadline, notAfter=now + 60):
        resolve(plain, batch, dispute, answers[1].ruling_evidence(plain.model))


def test_rule__good_answer__does_not_disprove(plain: Place) -> None:
    answers = [plain.enclave.answer(b"request %d" % number) for number in range(3)]
    batch = plain.commit(*answers)
    evidence = answers[1].ruling_evidence(plain.model)

    with reverts("NotDisproved"):
        plain.chain.send(plain.operator, "disprove", batch.pre_image(), batch.opening(1), evidence)
