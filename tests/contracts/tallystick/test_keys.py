"""setKey, commitFor: a key that commits, and can do nothing else

├── commitFor: by the key or the operator; anybody else, an old key, a key of another: reverts
├── lanes, ids, events, stake: the operator's
└── commit, commitMany, commitAttested: the sender's own lane, key or not
"""

from typing import Any

import pytest

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import State
from tallystick.protocol.events import BatchCommitted, KeySet
from tests.support.chain import Chain, reverts
from tests.support.story import Network, conserved


@pytest.fixture
def key(chain: Chain) -> bytes:
    return chain.accounts[6]


def commitments(
    chain: Chain, network: Network, operator: bytes, *indices: int
) -> list[tuple[Any, ...]]:
    return [
        network.commitment(network.inferences(operator, 5, index, chain.now + 900), index, index)
        for index in indices
    ]


def test_set_key__emits_and_is_read(chain: Chain, operator: bytes, key: bytes) -> None:
    mined = chain.send(operator, "setKey", key)

    event = mined.event(KeySet)
    assert (event.operator, event.key) == (operator, key)
    assert chain.registry.key(operator) == key
    assert chain.registry.key(key) == ZERO_ADDRESS


def test_commit_for__by_the_key__commits_in_the_operators_lane(
    chain: Chain, network: Network, operator: bytes, key: bytes
) -> None:
    chain.send(operator, "setKey", key)
    before = network.lane(operator)

    mined = chain.send(key, "commitFor", operator, commitments(chain, network, operator, 0, 1))

    events = [event for event in mined.events if isinstance(event, BatchCommitted)]
    assert [(event.operator, event.index) for event in events] == [(operator, 0), (operator, 1)]
    lane = network.lane(operator)
    assert (lane.next_index, lane.open_inferences, lane.stake) == (2, 10, before.stake)
    assert network.lane(key).next_index == 0
    conserved(chain, network)


def test_commit_for__by_the_operator__with_a_key_and_without(
    chain: Chain, network: Network, operator: bytes, key: bytes
) -> None:
    chain.send(operator, "commitFor", operator, commitments(chain, network, operator, 0))
    chain.send(operator, "setKey", key)
    chain.send(operator, "commitFor", operator, commitments(chain, network, operator, 1))
    chain.send(operator, "commit", commitments(chain, network, operator, 2)[0])

    assert network.lane(operator).next_index == 3


@pytest.mark.parametrize("who", ["stranger", "old key", "key of another", "removed key"])
def test_commit_for__by_anybody_else__reverts(
    chain: Chain,
    network: Network,
    operator: bytes,
    other_operator: bytes,
    stranger: bytes,
    key: bytes,
    who: str,
) -> None:
    sender = stranger if who == "stranger" else key
    if who in ("old key", "removed key"):
        chain.send(operator, "setKey", key)
        chain.send(operator, "setKey", stranger if who == "old key" else ZERO_ADDRESS)
    if who == "key of another":
        chain.send(other_operator, "setKey", key)

    with reverts("NotOperatorKey", operator=operator, caller=sender):
        chain.send(sender, "commitFor", operator, commitments(chain, network, operator, 0))


def test_commit__by_a_key__is_in_its_own_lane(
    chain: Chain, network: Network, operator: bytes, key: bytes
) -> None:
    chain.send(operator, "setKey", key)

    with reverts("InsufficientStake", operator=key):
        chain.send(key, "commit", commitments(chain, network, key, 0)[0])


@pytest.mark.parametrize("action", ["unstake", "withdraw", "stake"])
def test_money__by_a_key__is_out_of_reach(
    chain: Chain, network: Network, operator: bytes, key: bytes, action: str
) -> None:
    chain.send(operator, "setKey", key)
    arguments = {
        "unstake": (network.id, 1),
        "withdraw": (bytes(20), key, 1),
        "stake": (network.id, 1),
    }[action]

    with reverts("InsufficientStake" if action == "unstake" else "InsufficientCredit"):
        chain.send(key, action, *arguments)


def test_open_batch__whose_key_is_gone__is_revealed_and_finalized(
    chain: Chain, network: Network, operator: bytes, key: bytes
) -> None:
    chain.send(operator, "setKey", key)
    mined = chain.send(key, "commitFor", operator, commitments(chain, network, operator, 0))
    event = mined.event(BatchCommitted)
    chain.send(operator, "setKey", ZERO_ADDRESS)

    chain.at(event.stamp.closes_at)
    chain.send(operator, "finalize", [(event.batch_id, event.stamp.pack())], network.id, operator)

    status = chain.registry.status(network.id, operator, event.batch_id, event.stamp)
    assert status.state is State.FINAL


def test_commit_for__all_or_none(
    chain: Chain, network: Network, operator: bytes, key: bytes
) -> None:
    chain.send(operator, "setKey", key)

    with reverts("BatchIndexNotNext", index=2, nextIndex=1):
        chain.send(key, "commitFor", operator, commitments(chain, network, operator, 0, 2))

    assert network.lane(operator).next_index == 0
