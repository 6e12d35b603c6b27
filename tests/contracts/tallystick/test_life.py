"""A batch's life: disputes that go on past it take its count

L = challengeWindow + 16 responseWindow + 4 rulingWindow, from committedAt

├── a dispute that leaves closesAt at L: nothing; a second later: lapsed, whatever the grade
├── shield: a demand renewed at each reveal ends as unresolved
├── griefer: 16 answered demands, four slow challenges change nothing
└── a lapsed batch can still be disputed, rejected and finalized
"""

from dataclasses import replace

import pytest
from web3 import Web3

from tallystick.protocol.batch import Batch, Dispute, PreImage
from tallystick.protocol.enums import DisputeKind, Grade, Outcome, State
from tallystick.protocol.events import (
    BatchCommitted,
    BatchDemanded,
    BatchFinalized,
    ChallengeUpheld,
    LeafRevealed,
)
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.merkle import Tree
from tests.contracts.tallystick.test_disputes import (
    REJECTED,
    UPHELD,
    challenged,
    demanded,
    resolved,
    revealed,
)
from tests.support.chain import Chain, Mined, reverts
from tests.support.story import HOUR, Committed, Network, conserved

CHALLENGE, RESPONSE, RULING = 4 * HOUR, HOUR, 2 * HOUR
LIFE = CHALLENGE + 16 * RESPONSE + 4 * RULING


def reopened(batch: Committed, mined: Mined) -> Committed:
    """Return the batch after its dispute."""
    (event,) = [one for one in mined.events if isinstance(one, LeafRevealed | ChallengeUpheld)]
    return replace(batch, stamp=batch.stamp.closing_at(event.closes_at))


def answered(chain: Chain, batch: Committed, demander: bytes, at: int) -> Committed:
    """Demand at a time, and answer at once."""
    chain.at(at)
    dispute = demanded(chain, batch, demander)
    chain.at(at)
    return reopened(batch, revealed(chain, batch, dispute, demander))


def aged(chain: Chain, batch: Committed, challenger: bytes, closes_at: int) -> Committed:
    """Keep a batch in disputes until it closes at a time."""
    while batch.closes_at + 2 * RESPONSE - 1 < closes_at:
        start = batch.closes_at - 1
        chain.at(start)
        dispute = demanded(chain, batch, challenger)
        chain.at(dispute.due)
        batch = reopened(batch, revealed(chain, batch, dispute, challenger))
    chain.at(min(closes_at - RESPONSE, batch.closes_at) - 1)
    dispute = demanded(chain, batch, challenger)
    left = max(batch.closes_at + RESPONSE - dispute.due, RESPONSE)
    chain.at(closes_at - left)
    return reopened(batch, revealed(chain, batch, dispute, challenger))


@pytest.fixture
def batch(network: Network, operator: bytes) -> Committed:
    return network.commit(operator, count=5)


def test_life_of__is_the_last_second_of_the_last_dispute(chain: Chain, network: Network) -> None:
    found = chain.registry.read("lifeOf", network.id)

    assert found == LIFE + RESPONSE + RULING == network.rules.life


@pytest.mark.parametrize(
    ("past", "lapsed"), [(0, False), (1, True)], ids=["at its end", "a second later"]
)
def test_reveal__closes_at_the_end_of_its_life(
    chain: Chain, batch: Committed, challenger: bytes, past: int, lapsed: bool
) -> None:
    batch = aged(chain, batch, challenger, batch.stamp.committed_at + LIFE + past)

    assert batch.closes_at == batch.stamp.committed_at + LIFE + past
    assert batch.status().lapsed is lapsed


@pytest.mark.parametrize(
    ("past", "lapsed"), [(0, False), (1, True)], ids=["at its end", "a second later"]
)
def test_resolve__upheld_at_the_end_of_its_life(
    chain: Chain, batch: Committed, challenger: bytes, past: int, lapsed: bool
) -> None:
    batch = aged(chain, batch, challenger, batch.stamp.committed_at + LIFE - 2 * RESPONSE)
    chain.at(batch.closes_at - 1)
    dispute = challenged(chain, batch, challenger)
    chain.at(batch.stamp.committed_at + LIFE - RESPONSE + past)

    batch = reopened(batch, resolved(chain, batch, dispute, challenger, UPHELD))

    assert batch.closes_at == batch.stamp.committed_at + LIFE + past
    assert batch.status().lapsed is lapsed


def test_audited_batch__that_outlives__counts_as_unresolved(
    chain: Chain, network: Network, batch: Committed, operator: bytes, challenger: bytes
) -> None:
    audit = (int(Grade.AUDITED), UPHELD)
    chain.send(challenger, "attest", batch.batch.abi(), batch.stamp.pack(), *audit)
    batch = aged(chain, batch, challenger, batch.stamp.committed_at + LIFE + 1)
    assert batch.status().grade is Grade.UNCHALLENGED

    chain.at(batch.closes_at)
    mined = chain.send(challenger, "finalize", [batch.ref], network.id, operator)

    assert mined.event(BatchFinalized).outcome is Outcome.UNRESOLVED
    assert (network.totals().audited, network.totals().unresolved) == (0, 5)
    conserved(chain, network)


def test_sixteen_answered_demands__in_a_row__leave_the_grade(
    chain: Chain, network: Network, batch: Committed, challenger: bytes
) -> None:
    network.fund(challenger)
    for _ in range(16):
        batch = answered(chain, batch, challenger, batch.closes_at - 1)

    assert batch.closes_at <= batch.stamp.committed_at + LIFE
    assert batch.status().lapsed is False


def test_four_slow_challenges__in_a_row__leave_the_grade(
    chain: Chain, network: Network, batch: Committed, challenger: bytes
) -> None:
    for _ in range(4):
        chain.at(batch.closes_at - 1)
        dispute = challenged(chain, batch, challenger)
        chain.at(dispute.due)
        batch = reopened(batch, resolved(chain, batch, dispute, challenger, UPHELD))

    assert batch.status().lapsed is False


def test_lapsed_batch__is_disputed_and_rejected_all_the_same(
    chain: Chain, network: Network, batch: Committed, operator: bytes, challenger: bytes
) -> None:
    batch = aged(chain, batch, challenger, batch.stamp.committed_at + LIFE + 1)

    chain.at(batch.closes_at - 1)
    dispute = challenged(chain, batch, challenger)
    resolved(chain, batch, dispute, challenger, REJECTED)

    assert chain.registry.archived(batch.id).state is State.REJECTED
    assert (network.totals().rejected, network.totals().open) == (5, 0)
    conserved(chain, network)


def test_lapsed_batch__once_reopened_in_time__stays_lapsed(
    chain: Chain, batch: Committed, challenger: bytes
) -> None:
    batch = aged(chain, batch, challenger, batch.stamp.committed_at + LIFE + 1)
    batch = answered(chain, batch, challenger, batch.closes_at - RESPONSE)

    assert batch.status().lapsed is True


def test_shielded_operator__demands_and_reveals_in_one_transaction__loses_the_count(
    chain: Chain, network: Network, resolver: bytes
) -> None:
    """A contract that is its own demander kept honest challenges out for ever, at no cost."""
    address = Web3.to_checksum_address(chain.registry.address)
    shield = chain.deploy("ContractOperator", address, value=10**18)
    me, anyone = bytes.fromhex(shield.address[2:]), chain.accounts[7]
    chain.transact(anyone, shield.functions.join(network.id, 1000))
    leaves = network.inferences(me, 40, 0, chain.now + HOUR)
    mined = chain.transact(anyone, shield.functions.commit(network.commitment(leaves, 0)))
    event = mined.event(BatchCommitted)
    model, root, count = event.model_id, event.root, event.stamp.count
    batch = Batch(network.id, me, 0, model, root, count, event.commit_deadline)
    tree = Tree.from_leaves(hash_leaves(leaves))
    held = Committed(chain, batch, event.stamp, leaves, tree, mined)
    audit = (int(Grade.AUDITED), UPHELD)
    chain.send(anyone, "attest", batch.abi(), held.stamp.pack(), *audit)

    mined = chain.transact(
        anyone, shield.functions.demand(batch.abi(), held.stamp.pack(), 0, False)
    )
    due = mined.event(BatchDemanded).due
    while due <= event.stamp.committed_at + LIFE:
        dispute = Dispute(DisputeKind.DEMAND, False, me, 0, due, bytes(32))
        left = max(held.closes_at + RESPONSE - due, RESPONSE)
        following = replace(held, stamp=held.stamp.closing_at(due + left))
        renewed = PreImage(batch, held.stamp, dispute).abi()
        chain.at(due)
        mined = chain.transact(
            anyone, shield.functions.renew(renewed, held.opening(0), following.stamp.pack())
        )
        held, due = following, mined.event(BatchDemanded).due
    dispute = Dispute(DisputeKind.DEMAND, False, me, 0, due, bytes(32))
    ended = PreImage(batch, held.stamp, dispute).abi()
    mined = chain.transact(anyone, shield.functions.reveal(ended, held.opening(0), b"", b""))
    held = reopened(held, mined)

    assert held.status().lapsed is True
    with reverts("TooEarly"):
        chain.send(anyone, "finalize", [held.ref], network.id, me)
    chain.at(held.closes_at)
    chain.send(anyone, "finalize", [held.ref], network.id, me)
    assert network.totals().audited == 0
