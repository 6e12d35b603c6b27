"""A pool of nine, a network that it audits and judges, and a batch with an escrow behind it."""

import pytest

from tests.support.chain import Chain
from tests.support.pool import Pool, deploy, filled
from tests.support.story import Committed, Network, register

SEATS = [10, 8, 12, 9, 11, 8, 10, 9, 10]
MANY = [2] * 40


@pytest.fixture
def seats() -> list[int]:
    """Seats of each member; MANY by parametrize, where those who signed must not judge."""
    return SEATS


@pytest.fixture
def pool(chain: Chain, seats: list[int]) -> Pool:
    return filled(deploy(chain), seats)


@pytest.fixture
def audited_network(chain: Chain, network_owner: bytes, operator: bytes, pool: Pool) -> Network:
    places = (pool.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=5, arbiter=pool.address, attestors=places)
    network.join(operator)
    pool.fund(operator)
    pool.send(operator, "fund", 10_000)
    return network


@pytest.fixture
def batch(audited_network: Network, operator: bytes) -> Committed:
    return audited_network.commit(operator, count=40)
