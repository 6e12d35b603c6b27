"""A network under Proof whose verifier takes a hash for a proof."""

import pytest

from tallystick.protocol.proof import Circuit
from tests.support.chain import Chain
from tests.support.enclave import address_of
from tests.support.proof import INPUT, KEY_HASH, OUTPUT, ProofPlace, code_hash_at, proof_place


@pytest.fixture
def place(chain: Chain, operator: bytes) -> ProofPlace:
    verifier = address_of(chain.deploy("TrivialVerifier"))
    circuit = Circuit(code_hash_at(chain, verifier), KEY_HASH, INPUT, OUTPUT)
    return proof_place(chain, operator, verifier, circuit)
