"""Networks whose Proven attestor is Proof, and a verifier whose proofs anybody can make."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from eth_abi import encode

from tallystick.protocol import proof
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import Cause, Grade
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import SPEC_ID, Circuit, Encoding, ProofModel, ProvenLeaf
from tests.support.chain import Chain, Mined
from tests.support.enclave import address_of
from tests.support.story import CREDIT, Committed, Network, register

INPUT = Encoding(count=3, width=1, signed=False)
OUTPUT = Encoding(count=2, width=4, signed=True, scale=10)
KEY_HASH = keccak256(b"a verifying key")


def trivial_proof(circuit: Circuit, input_: bytes, output: bytes) -> bytes:
    """What TrivialVerifier takes."""
    words = [value.to_bytes(32, "big") for value in circuit.instances(input_, output)]
    return keccak256(b"".join(words))


def answers(count: int, first: int = 0) -> list[tuple[bytes, bytes]]:
    """Different inputs, with outputs of both signs."""
    return [
        (
            bytes([n % 256, n // 256, 7]),
            n.to_bytes(4, "little") + (-n).to_bytes(4, "little", signed=True),
        )
        for n in range(first, first + count)
    ]


@dataclass
class ProofPlace:
    """A network with a zk model whose verifier is on chain, and an operator."""

    chain: Chain
    network: Network
    model: ProofModel
    operator: bytes
    resolver: bytes

    def commit(
        self,
        pairs: Sequence[tuple[bytes, bytes]],
        slot: int = 0,
        operator: bytes = b"",
        leaf: Mapping[str, int] = MappingProxyType({}),
        **changes: Any,
    ) -> Committed:
        """Commit answers; `leaf` changes fields of each leaf, the rest the commitment's."""

        def shape(made: list[Inference]) -> list[Inference]:
            return [
                replace(one, input_hash=keccak256(input_), output_hash=keccak256(output), **leaf)
                for one, (input_, output) in zip(made, pairs, strict=True)
            ]

        return self.network.commit(
            operator or self.operator, count=len(pairs), slot=slot, shape=shape, **changes
        )

    def leaves(self, batch: Committed, pairs: Sequence[tuple[bytes, bytes]]) -> list[ProvenLeaf]:
        return [
            ProvenLeaf(one, *pair, trivial_proof(self.model.circuit, *pair))
            for one, pair in zip(batch.inferences, pairs, strict=True)
        ]

    def attest(self, batch: Committed, evidence: bytes) -> Mined:
        arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.PROVEN), evidence
        return self.chain.send(self.chain.accounts[9], "attest", *arguments)


def shown(
    place: ProofPlace, leaves: Sequence[ProvenLeaf], model: ProofModel | None = None
) -> bytes:
    """Evidence as the library would refuse to make it."""
    model = model or place.model
    circuit = model.circuit
    words = circuit.key_hash, circuit.input.word, circuit.output.word
    head = model.verifier, model.registrant, model.parent, *words
    return encode([proof._EVIDENCE], [(*head, [leaf.abi() for leaf in leaves])])


def proof_place(
    chain: Chain, operator: bytes, verifier: bytes, circuit: Circuit, salt: int = 30
) -> ProofPlace:
    """Register a network under Proof, with an arbiter, and a model of the circuit."""
    owner, resolver = chain.accounts[1], address_of(chain.deploy("Proof"))
    arbiter = address_of(chain.deploy("MockResolver"))
    places = (bytes(20), bytes(20), resolver)
    network = register(chain, owner, salt=salt, attestors=places, arbiter=arbiter)
    model = register_circuit(chain, network, owner, verifier, circuit)
    network = replace(network, model_id=model.id())
    network.join(operator)
    network.fund(chain.accounts[4], CREDIT)
    return ProofPlace(chain, network, model, operator, resolver)


def register_circuit(
    chain: Chain, network: Network, registrant: bytes, verifier: bytes, circuit: Circuit
) -> ProofModel:
    model = ProofModel(network.id, registrant, circuit, verifier)
    arguments = network.id, circuit.content_hash(), SPEC_ID, ZERO32, "zk", ""
    registered = chain.send(registrant, "registerModel", *arguments).event(ModelRegistered)
    assert registered.model_id == model.id()
    return model


def code_hash_at(chain: Chain, address: bytes) -> bytes:
    return keccak256(bytes(chain.w3.eth.get_code(chain.w3.to_checksum_address(address))))


Pairs = Sequence[tuple[bytes, bytes]]
Prove = Callable[[Committed], None]


def _out_of_order(chain: Chain, place: ProofPlace, pairs: Pairs, prove: Prove) -> Committed:
    batch = place.commit(pairs, leaf={"nonce": 7})
    prove(batch)
    openings = batch.opening(0), batch.opening(1)
    chain.send(chain.accounts[4], "faultOrder", batch.pre_image(), *openings)
    return batch


def _late(chain: Chain, place: ProofPlace, pairs: Pairs, prove: Prove) -> Committed:
    late = chain.now + place.network.rules.challenge_window
    batch = place.commit(pairs, leaf={"deadline": late}, commitDeadline=chain.now + 100)
    prove(batch)
    chain.send(chain.accounts[4], "faultDeadline", batch.pre_image(), batch.opening(1))
    return batch


def _repeated(chain: Chain, place: ProofPlace, pairs: Pairs, prove: Prove) -> Committed:
    first = place.commit(pairs)
    nonces = [one.nonce for one in first.inferences]
    again = place.network.commit(
        place.operator,
        count=len(pairs),
        slot=1,
        shape=lambda made: [
            replace(one, nonce=nonce, input_hash=keccak256(i), output_hash=keccak256(o))
            for one, nonce, (i, o) in zip(made, nonces, pairs, strict=True)
        ],
    )
    prove(again)
    arguments = again.pre_image(), again.opening(0), first.pre_image(), first.opening(0)
    chain.send(chain.accounts[4], "faultRepeat", *arguments)
    return again


FAULTS = {Cause.ORDER: _out_of_order, Cause.DEADLINE: _late, Cause.REPEAT: _repeated}
"""By the cause of the rejection: commits answers with that fault, has them proven, and shows it."""
