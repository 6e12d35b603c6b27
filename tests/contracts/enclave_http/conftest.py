"""A resolver of each form, a network under the plain one, and what an operator does there."""

from dataclasses import dataclass

import pytest

from tallystick.protocol.enclave_http import HttpAnswer, HttpModel
from tallystick.protocol.enums import Grade
from tests.support.chain import Chain, Mined
from tests.support.enclave import Endorsed, endorsed
from tests.support.enclave_http import HttpEnclave, answered, http_network
from tests.support.story import CREDIT, Committed, Network


@dataclass
class Place:
    """A network under one resolver, with an operator in whose enclave a key is."""

    chain: Chain
    resolver: Endorsed
    network: Network
    model: HttpModel
    operator: bytes
    enclave: HttpEnclave

    def commit(self, *answers: HttpAnswer, operator: bytes = b"", slot: int = 0) -> Committed:
        operator, shape = operator or self.operator, answered(*answers)
        return self.network.commit(operator, count=len(answers), slot=slot, shape=shape)

    def claim(self, answer: HttpAnswer, batch_id: bytes, operator: bytes = b"") -> Mined:
        function = self.resolver.contract.functions.claim(answer.item(), batch_id)
        return self.chain.transact(operator or self.operator, function)

    def attest(self, batch: Committed, evidence: bytes) -> Mined:
        arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.ENCLAVE), evidence
        return self.chain.send(self.chain.accounts[9], "attest", *arguments)

    def claimed(self, answer: HttpAnswer, slot: int = 0) -> tuple[Committed, bytes]:
        """Commit an answer and claim it; return the batch and the evidence for it."""
        batch = self.commit(answer, slot=slot)
        self.claim(answer, batch.id)
        return batch, answer.evidence(batch.inferences[0], self.model)


def place_of(chain: Chain, operator: bytes, named: bool) -> Place:
    resolver, enclave = endorsed(chain, "EnclaveHttp", named), HttpEnclave()
    network, model = http_network(chain, resolver, operator, salt=12 + named)
    resolver.endorse(enclave.held, operator)
    network.fund(chain.accounts[4], CREDIT)
    return Place(chain, resolver, network, model, operator, enclave)


@pytest.fixture
def plain(chain: Chain, operator: bytes) -> Place:
    return place_of(chain, operator, False)


@pytest.fixture
def named(chain: Chain, operator: bytes) -> Place:
    return place_of(chain, operator, True)
