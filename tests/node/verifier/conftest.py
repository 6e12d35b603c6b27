"""A private chain for the module, and a stage on it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.chain.localnet import localnet
from tests.node.verifier.stage import LiveChain, Stage, stage


@pytest.fixture(scope="module")
def shared_chain() -> Iterator[LiveChain]:
    with localnet() as w3:
        yield LiveChain(w3)


@pytest.fixture
def staged(shared_chain: LiveChain, tmp_path: Path) -> Iterator[Stage]:
    with shared_chain.isolated():
        yield stage(shared_chain, tmp_path)
