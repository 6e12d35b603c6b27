"""A chain, a network of signed requests with the digits model, and its operator's node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from web3 import Web3

from tallystick.chain.call import Call
from tallystick.chain.localnet import localnet
from tallystick.demo.digits import model as digits
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.record import InferenceRecord
from tests.support.chain import Chain
from tests.support.operator_process import OperatorProcess, running
from tests.support.patience import PATIENCE
from tests.support.story import KEY_OF, REQUESTERS, Network, register

OPERATOR, DEMANDER = 2, 3
SAMPLES = digits.load_samples()


@dataclass
class Scene:
    """What an operator's node works in."""

    chain: Chain
    network: Network
    model_id: bytes
    folder: Path
    model: dict[str, str] = field(
        default_factory=lambda: {"file": str(digits.FILE), "runner": digits.RUNNER}
    )
    """Of the settings: what the node runs it with."""

    @property
    def w3(self) -> Web3:
        return self.chain.w3

    @property
    def operator(self) -> bytes:
        return self.chain.accounts[OPERATOR]

    @property
    def now(self) -> int:
        return int(self.w3.eth.get_block("pending")["timestamp"])

    def settings(self, **operator: Any) -> dict[str, Any]:
        """Settings that commit soon; fields of the operator's section may be changed."""
        return {
            "common": {
                "rpc": self.w3.provider.endpoint_uri,  # type: ignore[attr-defined]
                "registry": to_hex(self.chain.registry.address),
                "poll_every": 0.1,
            },
            "operator": {
                "network_id": to_hex(self.network.id),
                "models": [{"id": to_hex(self.model_id), **self.model}],
                "commit_every": 0.3,
                "commit_margin": 30.0,
            }
            | operator,
        }

    def node(
        self,
        name: str = "node",
        rpc: str | None = None,
        account: int = OPERATOR,
        **operator: Any,
    ) -> OperatorProcess:
        settings = self.settings(**operator)
        if rpc is not None:
            settings["common"]["rpc"] = rpc
        return OperatorProcess(self.folder / name, settings, account)

    def request(self, nonce: int, requester: int = 0, **changes: Any) -> tuple[Request, bytes]:
        """A request for a sample, and its input."""
        sample = SAMPLES[nonce % len(SAMPLES)]
        fields = {
            "model_id": self.model_id,
            "operator": self.operator,
            "input_hash": keccak256(sample),
            "requester": REQUESTERS[requester],
            "nonce": nonce,
            "deadline": self.now + 1800,
        } | changes
        return Request(**fields), sample

    def line(self, request: Request, sample: bytes, **changes: Any) -> dict[str, Any]:
        """A request as the node takes it, signed; changed after it was signed."""
        domain = self.chain.registry.domain
        return {
            "requester": to_hex(request.requester),
            "nonce": request.nonce,
            "deadline": request.deadline,
            "input": to_hex(sample),
            "signature": to_hex(request.sign(domain, KEY_OF[request.requester])),
        } | changes

    def body(self, *lines: dict[str, Any]) -> dict[str, Any]:
        return {"model_id": to_hex(self.model_id), "inferences": list(lines)}

    def lines(self, nonces: range) -> tuple[list[bytes], dict[str, Any]]:
        """Requests' hashes, and the body that asks for them."""
        asked = [self.request(nonce) for nonce in nonces]
        body = self.body(*(self.line(*one) for one in asked))
        return [request.struct_hash() for request, _ in asked], body

    def send(self, account: int, name: str, *args: Any, value: int = 0) -> None:
        """Call the registry while a node is running: blocks' times are anvil's."""
        self.transact(account, self.chain.registry.call(name, *args, value=value))

    def transact(self, account: int, call: Call) -> None:
        """Send a call while a node is running."""
        tx_hash = self.w3.eth.send_transaction(
            {
                "from": self.w3.eth.accounts[account],
                "to": Web3.to_checksum_address(call.to),
                "data": "0x" + call.data.hex(),
                "value": call.value,
            }
        )
        assert self.w3.eth.wait_for_transaction_receipt(tx_hash)["status"] == 1

    def leaves(self, store: Path) -> list[InferenceRecord]:
        """All leaves that the chain has of the operator, as a store has their batches."""
        from tallystick.storage.batch_store import BatchStore

        kept = BatchStore(str(store))
        found = []
        for record in self.chain.ledger().batches.values():
            found += kept.get(record.batch.root, self.model_id, self.operator)
        return found


Start = Callable[..., OperatorProcess]


def wait_for(condition: Callable[[], bool], node: OperatorProcess) -> None:
    """Wait until a condition holds."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, node.log.read_text()[-5000:]
        sleep(0.05)


def committed(node: OperatorProcess, requests: list[bytes]) -> bool:
    """Whether the node has a receipt of each request."""
    return all(one and "receipt" in one for one in node.receipts(requests))


def checked(answer: Any) -> Receipt:
    """The receipt in an answer; it leads from its leaf to its batch."""
    receipt = Receipt.from_json(answer["receipt"])
    receipt.check()
    return receipt


@pytest.fixture(scope="session")
def shared_chain() -> Iterator[Chain]:
    with localnet() as w3:
        yield Chain(w3)


@contextmanager
def staged(chain: Chain, folder: Path, max_bytes: int = 128) -> Iterator[Scene]:
    """A network with a staked operator; the chain is as before at the end."""
    with chain.isolated():
        network = register(chain, chain.accounts[1], solicited=True, max_bytes=max_bytes)
        network.join(chain.accounts[OPERATOR])
        network.fund(chain.accounts[DEMANDER])
        mined = chain.send(
            chain.accounts[1],
            "registerModel",
            network.id,
            digits.content_hash(),
            digits.spec_hash(),
            ZERO32,
            "digits",
            "",
        )
        yield Scene(chain, network, mined.event(ModelRegistered).model_id, folder)


@pytest.fixture
def scene(shared_chain: Chain, tmp_path: Path) -> Iterator[Scene]:
    with staged(shared_chain, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared_scene(shared_chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for all tests of a file."""
    with staged(shared_chain, tmp_path_factory.mktemp("scene")) as found:
        yield found


@pytest.fixture(scope="module")
def shared_node(shared_scene: Scene) -> Iterator[OperatorProcess]:
    """One for all tests of a file that ask for nothing else: it takes seconds to start."""
    with running(shared_scene.node()) as found:
        yield found


@pytest.fixture
def start(scene: Scene) -> Iterator[Start]:
    """Starts nodes, each in its own folder; all are gone at the end."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def begin(name: str = "node", **changes: Any) -> OperatorProcess:
            return stack.enter_context(running(scene.node(name, **changes)))

        yield begin
