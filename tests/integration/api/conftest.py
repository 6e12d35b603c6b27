"""A registry on a local chain, with handles of several accounts."""

from collections.abc import Callable
from pathlib import Path

import pytest

import tallystick
from tallystick import NetworkHandle, RegistryHandle, Rules
from tests.support.chain import Chain
from tests.support.operator_process import dev_account

OWNER, OPERATOR, OTHER = 1, 2, 3
ETHER = 10**18
RULES = Rules(
    stake_per_inference=10**12,
    challenge_bond=10**15,
    demand_bond=10**15,
    max_bytes=1000,
    challenge_window=3600,
    response_window=600,
    ruling_window=600,
    permissionless=True,
)

As = Callable[[int | None], RegistryHandle]


def connected(chain: Chain, folder: Path, number: int | None) -> RegistryHandle:
    """The registry, for an account of the development mnemonic; None: read only."""
    return tallystick.connect(
        chain.w3,
        key=None if number is None else bytes(dev_account(number).key),
        store=str(folder / "batches"),
        receipts=folder / "receipts",
    )


@pytest.fixture
def as_(chain: Chain, tmp_path: Path) -> As:
    """Connects as an account."""
    return lambda number: connected(chain, tmp_path, number)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def arbitrated(as_: As, resolver: bytes) -> NetworkHandle:
    """A network of the operator whose attestors and arbiter answer the evidence's first word."""
    from dataclasses import replace

    rules = replace(RULES, arbiter=resolver, attestors=(resolver, resolver, resolver))
    network = as_(OPERATOR).create_network("Arbitrated", rules)
    network.stake(ETHER)
    return network
