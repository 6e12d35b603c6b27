"""A zk model of digits with proven answers, made once; a chain as the commands' tests have it."""

import pytest

from tests.integration.conftest import Commands, chain, commands, shared_chain
from tests.support.chain import Chain
from tests.support.proof import ProofPlace
from tests.zk.gas import ezkl_place
from tests.zk.proven import CHOICES, LIMITS, Proven, make_proven

__all__ = ["CHOICES", "LIMITS", "Commands", "Proven", "chain", "commands", "shared_chain"]


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    """Two answers with their proofs."""
    return make_proven(tmp_path_factory.mktemp("zk"))


@pytest.fixture
def place(chain: Chain, proven: Proven) -> ProofPlace:
    """A network that takes proofs of the model."""
    return ezkl_place(chain, proven)
