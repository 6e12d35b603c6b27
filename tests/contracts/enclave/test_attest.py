"""Enclave.attest through the registry: whose signature raises a batch's grade, and when.

keys: EOA, P-256, RSA | not endorsed | endorsed for another measurement or operator
time: before, at, after the ends of its validity | revoked before or after the batch is attested
signature: of another batch, resolver, key | malformed evidence
"""

from dataclasses import replace
from typing import Any

import pytest

from tallystick.protocol.enclave import Approval, batch_digest, evidence, sign_batch
from tallystick.protocol.enums import Grade
from tests.support.chain import Chain, Mined, reverts
from tests.support.enclave import (
    MEASUREMENT,
    Endorsed,
    endorsed,
)
from tests.support.keys import KINDS, HeldKey, held, held_account
from tests.support.story import Committed, Network, register


@pytest.fixture
def enclave(chain: Chain) -> Endorsed:
    return endorsed(chain, "Enclave")


@pytest.fixture
def guarded(
    chain: Chain, network_owner: bytes, operator: bytes, other_operator: bytes, enclave: Endorsed
) -> Network:
    """A network whose Enclave grade the resolver gives."""
    places = (bytes(20), enclave.address, bytes(20))
    network = register(chain, network_owner, salt=9, attestors=places)
    network.join(operator)
    network.join(other_operator)
    return network


@pytest.fixture
def key(enclave: Endorsed, operator: bytes) -> HeldKey:
    key = held_account()
    enclave.endorse(key, operator)
    return key


def attest(chain: Chain, batch: Committed, shown: bytes) -> Mined:
    arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.ENCLAVE), shown
    return chain.send(chain.accounts[9], "attest", *arguments)


def signed(enclave: Endorsed, batch: Committed, key: HeldKey) -> bytes:
    return sign_batch(enclave.domain, batch.batch, key.key, key.sign)


def test_attest__unendorsed_key__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes
) -> None:
    batch, key = guarded.commit(operator), held_account(2)

    with reverts("KeyNotEndorsed", keyId=key.id):
        attest(chain, batch, signed(enclave, batch, key))


def test_attest__measurement_not_approved__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes
) -> None:
    key = held_account(2)
    enclave.endorse(key, operator, measurement=b"w" * 32)
    batch = guarded.commit(operator)

    with reverts("MeasurementNotApproved", measurement=b"w" * 32, approval=Approval.NONE.name):
        attest(chain, batch, signed(enclave, batch, key))
    enclave.approve(b"w" * 32)
    attest(chain, batch, signed(enclave, batch, key))

    assert batch.status().grade is Grade.ENCLAVE


def test_attest__measurement_revoked__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    batch = guarded.commit(operator)
    enclave.revoke_measurement()

    with reverts("MeasurementNotApproved", measurement=MEASUREMENT, approval=Approval.REVOKED.name):
        attest(chain, batch, signed(enclave, batch, key))


def test_attest__key_of_another_operator__reverts(
    chain: Chain,
    enclave: Endorsed,
    guarded: Network,
    operator: bytes,
    other_operator: bytes,
    key: HeldKey,
) -> None:
    batch = guarded.commit(other_operator)

    with reverts("KeyOfOtherOperator", keyId=key.id, operator=operator, needed=other_operator):
        attest(chain, batch, signed(enclave, batch, key))


def test_attest__revoked_key__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    batch = guarded.commit(operator)
    enclave.revoke_key(key)

    with reverts("KeyWithdrawn", keyId=key.id):
        attest(chain, batch, signed(enclave, batch, key))


def test_attest__key_revoked_later__grade_stays(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    batch = guarded.commit(operator, count=7)
    attest(chain, batch, signed(enclave, batch, key))
    enclave.revoke_key(key)
    enclave.revoke_measurement()
    chain.at(batch.closes_at)
    chain.send(chain.accounts[9], "finalize", [batch.ref], guarded.id, operator)

    assert guarded.totals().enclave == 7


@pytest.mark.parametrize(
    ("before", "after", "valid"),
    [(0, 0, True), (0, 9, True), (-9, 0, True), (1, 9, False), (-9, -1, False)],
)
def test_attest__validity_around_the_commit__decides(
    chain: Chain,
    enclave: Endorsed,
    guarded: Network,
    operator: bytes,
    before: int,
    after: int,
    valid: bool,
) -> None:
    time = chain.now + 10
    key = held_account(2)
    enclave.endorse(key, operator, not_before=time + before, not_after=time + after)
    chain.at(time)
    batch = guarded.commit(operator)
    assert batch.stamp.committed_at == time
    chain.at(time + 1000).mine()
    shown = signed(enclave, batch, key)

    if valid:
        attest(chain, batch, shown)
        assert batch.status().grade is Grade.ENCLAVE
    else:
        ends = {"notBefore": time + before, "notAfter": time + after}
        with reverts("KeyNotValid", keyId=key.id, timestamp=time, **ends):
            attest(chain, batch, shown)


def test_attest__signature_of_another_batch__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    batch = guarded.commit(operator)
    twin = guarded.commit(operator, slot=1, root=batch.batch.root)
    assert twin.batch.root == batch.batch.root

    with reverts("KeySignatureInvalid", keyId=key.id):
        attest(chain, twin, signed(enclave, batch, key))


@pytest.mark.parametrize(
    "change",
    [
        {"network_id": b"n" * 32},
        {"operator": b"o" * 20},
        {"index": 77},
        {"model_id": b"m" * 32},
        {"root": b"r" * 32},
        {"count": 6},
        {"commit_deadline": 77},
    ],
)
def test_attest__any_field_signed_otherwise__reverts(
    chain: Chain,
    enclave: Endorsed,
    guarded: Network,
    operator: bytes,
    key: HeldKey,
    change: dict[str, Any],
) -> None:
    batch = guarded.commit(operator)
    other = replace(batch.batch, **change)

    with reverts("KeySignatureInvalid", keyId=key.id):
        attest(chain, batch, sign_batch(enclave.domain, other, key.key, key.sign))


def test_attest__signed_for_another_resolver__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    other = endorsed(chain, "Enclave")
    batch = guarded.commit(operator)

    with reverts("KeySignatureInvalid", keyId=key.id):
        attest(chain, batch, signed(other, batch, key))


def test_attest__signed_by_another_key__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    batch = guarded.commit(operator)
    shown = sign_batch(enclave.domain, batch.batch, key.key, held_account(2).sign)

    with reverts("KeySignatureInvalid", keyId=key.id):
        attest(chain, batch, shown)


def test_attest__evidence_cut_short__reverts(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    batch = guarded.commit(operator)
    shown = signed(enclave, batch, key)

    with reverts("Reverted"):
        attest(chain, batch, shown[:100])
    with reverts("Reverted"):
        attest(chain, batch, b"")


@pytest.mark.parametrize("kind", KINDS)
def test_attest__key_of_each_kind__raises_the_grade(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, kind: str
) -> None:
    key = held(kind)
    enclave.endorse(key, operator)
    batch = guarded.commit(operator, count=9)
    signature = key.sign(batch_digest(enclave.domain, batch.batch))
    wrong = signature[:9] + bytes([signature[9] ^ 1]) + signature[10:]

    with reverts("KeySignatureInvalid", keyId=key.id):
        attest(chain, batch, evidence(key.key, wrong))
    attest(chain, batch, evidence(key.key, signature))

    assert batch.status().grade is Grade.ENCLAVE


def test_attest__commit_and_attest_at_once__raises_the_grade(
    chain: Chain, enclave: Endorsed, guarded: Network, operator: bytes, key: HeldKey
) -> None:
    with chain.isolated():
        batch = guarded.commit(operator)
    chain.at(batch.mined.timestamp)
    shown = signed(enclave, batch, key)
    leaves = batch.inferences
    commitment = guarded.commitment(leaves, batch.batch.index)

    chain.send(operator, "commitAttested", commitment, int(Grade.ENCLAVE), shown)

    assert batch.status().grade is Grade.ENCLAVE
