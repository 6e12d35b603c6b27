"""Replay as a network's arbiter: who is convicted, by which move, and who can't be."""

import numpy as np
import pytest

from tallystick.batch import Dispute
from tallystick.enums import Cause, DisputeKind, State
from tallystick.events import BatchChallenged, BatchRejected, ChallengeUpheld
from tests.support.chain import reverts
from tests.support.plain_qi8 import conv, dense
from tests.support.replay import Replayed, found, random_net
from tests.support.story import RULES, conserved

DATA = np.random.default_rng(5).bytes(36)


@pytest.fixture
def replayed(chain, network_owner, operator) -> Replayed:
    net = random_net([conv((6, 6, 1), 4, 3), dense(64, 10)], seed=2)
    return found(chain, net, network_owner, operator)


@pytest.fixture
def prover(chain) -> bytes:
    return chain.accounts[4]


def challenged(replayed, batch, challenger):
    mined = replayed.network.chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(0)
    )
    event = mined.event(BatchChallenged)
    return Dispute(DisputeKind.CHALLENGE, False, challenger, 0, event.due, event.leaf)


def wrong(replayed):
    output = bytearray(replayed.net.run(DATA))
    output[9] ^= 0x80
    return bytes(output)


def test_disprove__wrong_output__slashes_and_pays_the_prover(chain, replayed, operator, prover):
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
    chain, replayed, operator, prover
):
    batch = replayed.commit(operator, DATA, replayed.net.run(DATA))

    with reverts("NotDisproved", batchId=batch.id, leafIndex=0):
        replayed.disprove(prover, batch, replayed.evidence(DATA))

    chain.at(batch.closes_at)
    chain.send(prover, "finalize", [batch.ref], replayed.network.id, operator)
    assert replayed.network.totals().unchallenged == 1


def test_disprove__right_output__with_evidence_of_any_other_model_or_input__reverts(
    chain, replayed, operator, prover
):
    batch = replayed.commit(operator, DATA, replayed.net.run(DATA))
    other = random_net([conv((6, 6, 1), 4, 3), dense(64, 10)], seed=3)
    flipped = bytes([DATA[0] ^ 1]) + DATA[1:]

    for evidence in (
        replayed.evidence(DATA, other),
        replayed.evidence(flipped),
        replayed.evidence(b""),
        replayed.evidence(DATA, parent=b"p" * 32),
    ):
        with reverts("UnknownError"):
            replayed.disprove(prover, batch, evidence)

    assert batch.status().state is State.OPEN


def test_disprove__input_of_another_length__slashes(chain, replayed, operator, prover):
    short = DATA[:-1]
    batch = replayed.commit(operator, short, replayed.net.run(DATA))

    mined = replayed.disprove(prover, batch, replayed.evidence(short))

    assert mined.event(BatchRejected).cause is Cause.DISPROOF


def test_resolve__right_output_challenged__upholds(chain, replayed, operator, prover):
    batch = replayed.commit(operator, DATA, replayed.net.run(DATA))
    dispute = challenged(replayed, batch, prover)
    credit = replayed.network.credit(operator)

    leaf = batch.opening(0)[0]
    mined = chain.send(operator, "resolve", batch.pre_image(dispute), leaf, replayed.evidence(DATA))

    assert mined.event(ChallengeUpheld).credited == RULES.challenge_bond // 2
    assert replayed.network.credit(operator) == credit + RULES.challenge_bond // 2
    conserved(chain, replayed.network)


def test_resolve__wrong_output_challenged__rejects(chain, replayed, operator, prover):
    batch = replayed.commit(operator, DATA, wrong(replayed))
    dispute = challenged(replayed, batch, prover)

    leaf = batch.opening(0)[0]
    mined = chain.send(prover, "resolve", batch.pre_image(dispute), leaf, replayed.evidence(DATA))

    assert mined.event(BatchRejected).cause is Cause.RULING
    assert replayed.network.totals().rejected == 1
    conserved(chain, replayed.network)
