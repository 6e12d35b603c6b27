"""A committee that audits, another that judges, and a batch of their network."""

import pytest

from tests.contracts.committee.acts import network_of
from tests.support.chain import Chain
from tests.support.committee import Committee, found
from tests.support.story import Committed, Network


@pytest.fixture
def judge(chain: Chain) -> Committee:
    """Two of three; the arbiter."""
    return found(chain, threshold=2, members=3)


@pytest.fixture
def committee(chain: Chain, judge: Committee) -> Committee:
    """Two of three; audits where `judge` rules."""
    return found(chain, threshold=2, members=3, arbiter=judge.address)


@pytest.fixture
def judged(
    chain: Chain, network_owner: bytes, operator: bytes, committee: Committee, judge: Committee
) -> Network:
    network = network_of(chain, network_owner, committee, judge.address)
    network.join(operator)
    return network


@pytest.fixture
def batch(judged: Network, operator: bytes) -> Committed:
    return judged.commit(operator, count=40)
