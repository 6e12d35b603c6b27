"""Roles and a chain that each test finds as new."""

from collections.abc import Iterator

import pytest

from tallystick.chain.localnet import localnet
from tests.support.chain import Chain
from tests.support.story import CREDIT, Network, fund, register

GENESIS = 1_800_000_000


@pytest.fixture(scope="session")
def shared_chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    if request.config.getoption("--in-process"):
        from tests.support.in_process import in_process

        yield Chain(in_process(GENESIS))
        return
    with localnet(timestamp=GENESIS) as w3:
        yield Chain(w3)


@pytest.fixture
def chain(shared_chain: Chain) -> Iterator[Chain]:
    with shared_chain.isolated():
        yield shared_chain


@pytest.fixture
def network_owner(chain: Chain) -> bytes:
    return chain.accounts[1]


@pytest.fixture
def operator(chain: Chain) -> bytes:
    return chain.accounts[2]


@pytest.fixture
def other_operator(chain: Chain) -> bytes:
    return chain.accounts[3]


@pytest.fixture
def challenger(chain: Chain) -> bytes:
    fund(chain, bytes(20), chain.accounts[4], CREDIT)
    return chain.accounts[4]


@pytest.fixture
def stranger(chain: Chain) -> bytes:
    return chain.accounts[5]


@pytest.fixture
def resolver(chain: Chain) -> bytes:
    """Attestor and arbiter that answers the evidence's first word."""
    return bytes.fromhex(chain.deploy("MockResolver").address[2:])


@pytest.fixture
def network(chain: Chain, network_owner: bytes, operator: bytes, resolver: bytes) -> Network:
    """Open, with an arbiter and all attestors, in native coins; the operator has staked."""
    network = register(
        chain,
        network_owner,
        arbiter=resolver,
        attestors=(resolver, resolver, resolver),
        max_bytes=64,
    )
    network.join(operator)
    return network
