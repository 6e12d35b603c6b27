"""commit

├── refused: model unknown, count out of range, late, lane closed, not admitted, index not next,
│   stake short, slot disputed, slot not free yet, pre-image of another batch
└── open: over a free, final, rejected and finalizable slot; the last one becomes final
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import ARCHIVE_DELAY, PreImage
from tallystick.protocol.enums import Grade, Outcome, State
from tallystick.protocol.events import BatchCommitted
from tests.support.chain import Chain, Mined, reverts
from tests.support.story import STAKE, Network, register

MAX_COUNT = 1 << 20


@pytest.fixture
def send(chain: Chain, network: Network, operator: bytes) -> Callable[..., Mined]:
    """Send one commitment of a single inference, with changes."""

    def sending(index: int = 0, slot: int = 0, at: int | None = None, **changes: Any) -> Mined:
        leaves = network.inferences(operator, 1, index, chain.now + 900)
        arguments = network.commitment(leaves, index, slot, **changes)
        if at is not None:
            chain.at(at)
        return chain.send(operator, "commit", arguments)

    return sending


def test_commit__model_of_another_network__reverts(
    chain: Chain, network: Network, network_owner: bytes, send: Callable[..., Any]
) -> None:
    other = register(chain, network_owner, salt=1)

    with reverts("ModelNotFound", networkId=network.id, modelId=other.model_id):
        send(model_id=other.model_id)


@pytest.mark.parametrize("count", [0, MAX_COUNT + 1])
def test_commit__count_out_of_range__reverts(send: Callable[..., Any], count: int) -> None:
    with reverts("CountOutOfRange", count=count, highest=MAX_COUNT):
        send(count=count)


def test_commit__highest_count__opens_as_many(
    chain: Chain, network_owner: bytes, operator: bytes
) -> None:
    unbacked = register(chain, network_owner, stake_per_inference=0)

    committed = unbacked.commit(operator, count=1, commitDeadline=chain.now + 900)
    leaves = unbacked.inferences(operator, 1, 1, chain.now + 900)
    chain.send(operator, "commit", unbacked.commitment(leaves, 1, slot=1, count=MAX_COUNT))

    assert committed.stamp.count == 1
    assert unbacked.totals().committed == MAX_COUNT + 1
    assert unbacked.lane(operator).open_inferences == MAX_COUNT + 1


def test_commit__in_the_second_of_by__emits(chain: Chain, send: Callable[..., Any]) -> None:
    by = chain.now + 100

    assert send(commitDeadline=by, at=by).event(BatchCommitted).commit_deadline == by


def test_commit__a_second_after_by__reverts(chain: Chain, send: Callable[..., Any]) -> None:
    by = chain.now + 100

    with reverts("LateCommit", timestamp=by + 1, commitDeadline=by):
        send(commitDeadline=by, at=by + 1)


def test_commit__lane_closed__reverts(
    chain: Chain, network: Network, network_owner: bytes, operator: bytes, send: Callable[..., Any]
) -> None:
    chain.send(network_owner, "close", network.id, operator)

    with reverts("LaneClosed", networkId=network.id):
        send()


def test_commit__not_admitted__reverts_until_admitted(
    chain: Chain, network_owner: bytes, operator: bytes
) -> None:
    closed = register(chain, network_owner, permissionless=False)
    closed.fund(operator)
    chain.send(operator, "stake", closed.id, STAKE)

    with reverts("OperatorNotAdmitted", networkId=closed.id):
        closed.commit(operator)
    chain.send(network_owner, "admit", closed.id, operator)

    assert closed.commit(operator).status().state is State.OPEN


@pytest.mark.parametrize("index", [0, 2])
def test_commit__index_not_next__reverts(
    network: Network, operator: bytes, send: Callable[..., Any], index: int
) -> None:
    network.commit(operator)

    with reverts("BatchIndexNotNext", index=index, nextIndex=1):
        send(index=index, slot=1)


def test_commit__stake_one_unit_short__reverts(
    chain: Chain, network: Network, operator: bytes
) -> None:
    leaves = network.rules.stake_per_inference * 5
    chain.send(operator, "unstake", network.id, STAKE - leaves + 1)

    with reverts("InsufficientStake", stake=leaves - 1, needed=leaves):
        network.commit(operator, count=5)


def test_commit__stake_just_enough__opens(chain: Chain, network: Network, operator: bytes) -> None:
    chain.send(operator, "unstake", network.id, STAKE - network.rules.stake_per_inference * 5)

    assert network.commit(operator, count=5).status().state is State.OPEN


def test_commit__free_slot__seals_the_pre_image_and_counts(
    chain: Chain, network: Network, operator: bytes
) -> None:
    committed = network.commit(operator, count=5, slot=9)

    stamp = committed.stamp
    assert committed.word() == PreImage(committed.batch, stamp).word(State.OPEN)
    assert (stamp.slot, stamp.count) == (9, 5)
    assert stamp.committed_at == committed.mined.timestamp
    assert stamp.committed_block == committed.mined.block_number
    assert stamp.closes_at == committed.mined.timestamp + network.rules.challenge_window
    event = committed.mined.event(BatchCommitted)
    nothing = (ZERO32, Outcome.UNCHALLENGED, 0)
    assert (event.finalized_id, event.outcome, event.finalized_count) == nothing
    assert (network.totals().committed, network.totals().open) == (5, 5)
    lane = network.lane(operator)
    assert (lane.open_inferences, lane.next_index) == (5, 1)


def test_commit__open_slot_before_the_archive_delay__reverts(
    chain: Chain, network: Network, operator: bytes
) -> None:
    first = network.commit(operator)
    free_from = first.closes_at + ARCHIVE_DELAY

    chain.at(free_from - 2).mine()
    with reverts("SlotTaken", slot=0, timestamp=free_from - 1, freeFrom=free_from):
        chain.at(free_from - 1)
        network.commit(operator, over=first)


def test_commit__open_slot_at_the_end_of_the_archive_delay__finalizes(
    chain: Chain, network: Network, operator: bytes
) -> None:
    first = network.commit(operator, count=5)
    chain.at(first.closes_at + ARCHIVE_DELAY - 1).mine()

    chain.at(first.closes_at + ARCHIVE_DELAY)
    second = network.commit(operator, count=3, over=first)

    event = second.mined.event(BatchCommitted)
    assert event.finalized_id == first.id
    assert (event.outcome, event.finalized_count) == (Outcome.UNCHALLENGED, 5)
    assert (network.totals().unchallenged, network.totals().open) == (5, 3)
    assert network.lane(operator).open_inferences == 3
    assert first.status().state is State.UNKNOWN
    assert second.status().state is State.OPEN


def test_commit__over_an_attested_batch__counts_its_grade(
    chain: Chain, network: Network, operator: bytes
) -> None:
    first = network.commit(operator, count=5)
    yes = (1).to_bytes(32, "big")
    chain.send(operator, "attest", first.batch.abi(), first.stamp.pack(), int(Grade.ENCLAVE), yes)
    chain.at(first.closes_at + ARCHIVE_DELAY).mine()

    network.commit(operator, over=first)

    assert network.totals().enclave == 5


def test_commit__open_slot_with_another_pre_image__reverts(
    chain: Chain, network: Network, operator: bytes
) -> None:
    first = network.commit(operator)
    other = network.commit(operator, slot=1)
    chain.at(other.closes_at + ARCHIVE_DELAY).mine()

    with reverts("PreImageMismatch", batchId=other.id):
        network.commit(operator, slot=0, over=other)
    with reverts("PreImageMismatch", batchId=first.id):
        early = replace(first.stamp, closes_at=first.closes_at - 1)
        network.commit(operator, replaced_id=first.id, replaced_stamp=early.pack())


def test_commit__pre_image_of_a_twin_in_another_slot__reverts(
    chain: Chain, network: Network, operator: bytes
) -> None:
    first = network.commit(operator, slot=0)
    chain.at(first.closes_at + ARCHIVE_DELAY).mine()

    with reverts("PreImageMismatch", batchId=first.id):
        moved = replace(first.stamp, slot=1)
        network.commit(operator, slot=0, replaced_id=first.id, replaced_stamp=moved.pack())


def test_commit__disputed_slot__reverts(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    first = network.commit(operator)
    chain.send(challenger, "challenge", first.batch.abi(), first.stamp.pack(), first.opening(0))

    with reverts("StateForbids", state="DISPUTED"):
        network.commit(operator, over=first)


def test_commit__final_slot__needs_no_pre_image(network: Network, operator: bytes) -> None:
    network.final(operator, slot=3)

    second = network.commit(operator, slot=3)

    assert second.mined.event(BatchCommitted).finalized_id == bytes(32)
    assert network.lane(operator).open_inferences == 5


def test_commit__rejected_slot__needs_no_pre_image(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    first = network.commit(operator, count=2, shape=lambda leaves: [leaves[1], leaves[0]])
    chain.send(challenger, "faultOrder", first.pre_image(), first.opening(0), first.opening(1))

    assert network.commit(operator).status().state is State.OPEN


def test_commit__same_root_by_another_operator__has_another_id(
    network: Network, operator: bytes, other_operator: bytes
) -> None:
    network.join(other_operator)
    first = network.commit(operator)

    copied = network.commit(other_operator, root=first.batch.root)

    assert copied.batch.root == first.batch.root
    assert copied.id != first.id


def test_commit_attested__accepted_evidence__opens_with_the_grade(
    chain: Chain, network: Network, operator: bytes
) -> None:
    leaves = network.inferences(operator, 4, 0, chain.now + 900)
    yes = (1).to_bytes(32, "big")

    mined = chain.send(
        operator, "commitAttested", network.commitment(leaves, 0), int(Grade.PROVEN), yes
    )

    event = mined.event(BatchCommitted)
    status = chain.registry.status(network.id, operator, event.batch_id, event.stamp)
    assert (status.state, status.grade) == (State.OPEN, Grade.PROVEN)


def test_commit_attested__refused_evidence__commits_nothing(
    chain: Chain, network: Network, operator: bytes
) -> None:
    leaves = network.inferences(operator, 4, 0, chain.now + 900)

    with reverts("EvidenceRefused", grade="PROVEN"):
        chain.send(
            operator, "commitAttested", network.commitment(leaves, 0), int(Grade.PROVEN), bytes(32)
        )

    assert network.lane(operator).next_index == 0


def test_commit_many__several_networks__all_open(
    chain: Chain, network: Network, network_owner: bytes, operator: bytes
) -> None:
    other = register(chain, network_owner, salt=1)
    other.join(operator)
    deadline = chain.now + 900
    commitments = [
        network.commitment(network.inferences(operator, 2, 0, deadline), 0, slot=0),
        network.commitment(network.inferences(operator, 3, 1, deadline), 1, slot=1),
        other.commitment(other.inferences(operator, 4, 0, deadline), 0, slot=0),
    ]

    mined = chain.send(operator, "commitMany", commitments)

    assert [event.stamp.count for event in mined.events] == [2, 3, 4]
    assert (network.totals().committed, other.totals().committed) == (5, 4)


def test_commit_many__one_is_wrong__none_is_committed(
    chain: Chain, network: Network, operator: bytes
) -> None:
    deadline = chain.now + 900
    leaves = network.inferences(operator, 2, 0, deadline)
    twice = [network.commitment(leaves, 0, slot=0), network.commitment(leaves, 0, slot=1)]

    with reverts("BatchIndexNotNext", index=0, nextIndex=1):
        chain.send(operator, "commitMany", twice)

    assert network.totals().committed == 0
