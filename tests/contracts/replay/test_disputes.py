"""Replay as a network's arbiter: who is convicted, by which action, and who can't be."""

import numpy as np
import pytest

from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import Cause, DisputeKind, State
from tallystick.protocol.events import BatchChallenged, BatchRejected, ChallengeUpheld
from tests.support.chain import Chain, reverts
from tests.support.plain_qi8 import conv, dense
from tests.support.replay import Replayed, found, random_net
from tests.support.story import RULES, Committed, conserved

DATA = np.random.default_rng(5).bytes(36)


@pytest.fixture
def replayed(chain: Chain, network_owner: bytes, operator: bytes) -> Replayed:
    net = random_net([conv((6, 6, 1), 4, 3), dense(64, 10)], seed=2)
    return found(chain, net, network_owner, operator)


@pytest.fixture
def prover(chain: Chain) -> bytes:
    return chain.accounts[4]


def challenged(replayed: Replayed, batch: Committed, challenger: bytes) -> Dispute:
    mined = replayed.network.chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(0)
    )
    event = mined.event(BatchChallenged)
    return Dispute(DisputeKind.CHALLENGE, False, challenger, 0, event.due, event.leaf)


def wrong(replayed: Replayed) -> bytes:
    output = bytearray(replayed.net.run(DATA))
    output[9] ^= 0x80
    return bytes(output)


def test_disprove__wrong_output__slashes_and_pays_the_prover(
    chain: Chain, replayed: Replayed, operator: bytes, prover: bytes
) -> None:
    batch = replayed.commit(operator, DATA, wrong(replayed), count=4)
    stake, credit = replayed.network.lane(operator).stake, replayed.network.credit(prover)

    mined = replayed.disprove(prover, batch, replayed.evidence(DATA), index=2)

    slash = 4 * RULES.stake_per_inference
    event = mined.event(BatchRejected)
    assert (event.cause, event.leaf_index, event.payee) == (Cause.DISPROOF, 2, prover)
    assert replayed.network.lane(operator).stake == stake - slash
    assert replayed.network.credit(prover) == credit + slash // 2
    assert replayed.network.totals().rejected == 4
    conserved(chain, replayed.network)


def test_disprove__right_output__reverts_and_the_batch_becomes_final(
    chain: Chain, replayed: Replayed, operator: bytes, prover: bytes
) -> None:
    batch = replayed.commit(operator, DATA, replayed.net.run(DATA))

    with reverts("NotDisproved", batchId=batch.id, leafIndex=0):
        replayed.disprove(prover, batch, replayed.evidence(DATA))

    chain.at(batch.closes_at)
    chain.send(prover, "finalize", [batch.ref], replayed.network.id, operator)
    assert replayed.network.totals().unchallenged == 1


def test_disprove__right_output__with_evidence_of_any_other_model_or_input__reverts(
    chain: Chain, replayed: Replayed, operator: bytes, prover: bytes
) -> None:
    batch = replayed.commit(operator, DATA, replayed.net.run(DATA))
    other = random_net([conv((6, 6, 1), 4, 3), dense(64, 10)], seed=3)
    flipped = bytes([DATA[0] ^ 1]) + DATA[1:]

    for evidence, error in (
        (replayed.evidence(DATA, other), "ModelMismatch"),
        (replayed.evidence(flipped), "InputMismatch"),
        (replayed.evidence(b""), "InputMismatch"),
        (replayed.evidence(DATA, parent=b"p" * 32), "ModelMismatch"),
    ):
        with reverts(error):
            replayed.disprove(prover, batch, evidence)

    assert batch.status().state is State.OPEN


def test_disprove__input_of_another_length__slashes(
    chain: Chain, replayed: Replayed, operator: bytes, prover: bytes
) -> None:
    short = DATA[:-1]
    batch = replayed.commit(operator, short, replayed.net.run(DATA))

    mined = replayed.disprove(prover, batch, replayed.evidence(short))

    assert mined.event(BatchRejected).cause is Cause.DISPROOF


def test_resolve__right_output_challenged__upholds(
    chain: Chain, replayed: Replayed, operator: bytes, prover: bytes
) -> None:
    batch = replayed.commit(operator, DATA, replayed.net.run(DATA))
    dispute = challenged(replayed, batch, prover)
    credit = replayed.network.credit(operator)

    leaf = batch.opening(0)[0]
    mined = chain.send(operator, "resolve", batch.pre_image(dispute), leaf, replayed.evidence(DATA))

    assert mined.event(ChallengeUpheld).credited == RULES.challenge_bond // 2
    assert replayed.network.credit(operator) == credit + RULES.challenge_bond // 2
    conserved(chain, replayed.network)


def test_resolve__wrong_output_challenged__rejects(
    chain: Chain, replayed: Replayed, operator: bytes, prover: bytes
) -> None:
    batch = replayed.commit(operator, DATA, wrong(replayed))
    dispute = challenged(replayed, batch, prover)

    leaf = batch.opening(0)[0]
    mined = chain.send(prover, "resolve", batch.pre_image(dispute), leaf, replayed.evidence(DATA))

    assert mined.event(BatchRejected).cause is Cause.RULING
    assert replayed.network.totals().rejected == 1
    conserved(chain, replayed.network)
