"""Enclaves that sign HTTP bodies: their keys, networks that take their answers."""

from collections.abc import Callable
from dataclasses import replace

from eth_account import Account
from eth_account.messages import encode_defunct

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enclave_http import SPEC_ID, HttpAnswer, HttpModel, signed_text
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import account_of
from tests.support.chain import Chain
from tests.support.enclave import Endorsed
from tests.support.keys import HeldKey
from tests.support.story import Network, register

NAME = b"Qwen/Qwen3.5-122B-A10B"
REQUEST = b'{"model":"Qwen/Qwen3.5-122B-A10B","messages":[{"role":"user","content":"2+2?"}]}'
RESPONSE = b'{"id":"chatcmpl-1","choices":[{"message":{"content":"4"}}]}'


class HttpEnclave:
    """An enclave's key, which signs as eth-account does: in nothing of ours."""

    def __init__(self, number: int = 1) -> None:
        self._secret = bytes([5]) * 31 + bytes([number])
        self.held = HeldKey(account_of(self._secret), lambda _: b"")

    @property
    def address(self) -> bytes:
        return self.held.key

    def sign(self, text: bytes) -> bytes:
        return bytes(Account.sign_message(encode_defunct(primitive=text), self._secret).signature)

    def answer(
        self, request: bytes = REQUEST, response: bytes = RESPONSE, name: bytes | None = None
    ) -> HttpAnswer:
        signature = self.sign(signed_text(request, response, name))
        return HttpAnswer(request, response, signature, self.address)


def answered(*answers: HttpAnswer) -> Callable[[list[Inference]], list[Inference]]:
    """Shapes leaves so that they hold these answers."""

    def shape(made: list[Inference]) -> list[Inference]:
        return [
            replace(one, input_hash=answer.input_hash, output_hash=answer.output_hash)
            for one, answer in zip(made, answers, strict=True)
        ]

    return shape


def http_network(
    chain: Chain, resolver: Endorsed, *operators: bytes, name: bytes = NAME, salt: int = 12
) -> tuple[Network, HttpModel]:
    """A network whose Enclave attestor and arbiter is the resolver, and its model."""
    owner = chain.accounts[1]
    places = (bytes(20), resolver.address, bytes(20))
    network = register(chain, owner, salt=salt, attestors=places, arbiter=resolver.address)
    model = HttpModel(network.id, owner, name)
    arguments = network.id, keccak256(name), SPEC_ID, ZERO32, name.decode("latin-1"), ""
    registered = chain.send(owner, "registerModel", *arguments).event(ModelRegistered).model_id
    assert registered == model.id()
    for operator in operators:
        network.join(operator)
    return replace(network, model_id=registered), model
