"""One operator of two: its network, its process, and the gate in front of its store."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.receipt import Receipt
from tests.node.together.bendable import Served
from tests.node.together.gate import Gate
from tests.support.chain import Chain
from tests.support.operator_process import OperatorProcess
from tests.support.story import KEY_OF, REQUESTERS, Network

A_REQUEST = 50
"""Inferences asked at a time."""
MOST_RECEIPTS = 1024
"""That a node lets be asked for at a time."""


class OperatorNode(OperatorProcess):
    """The node as `ape run` starts it for anybody."""

    def launch(
        self, command: list[str] | None = None, environment: dict[str, str] | None = None
    ) -> None:
        ape = ["ape", "run", "node", "operator", "--settings", str(self.path)]
        # Where the bent models are: Ape takes the project's folder off the path.
        path = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        found = {"PYTHONPATH": os.pathsep.join(filter(None, path))}
        super().launch(command or ape, environment or os.environ | found)


@dataclass(frozen=True)
class Asked:
    """Requests that were answered."""

    requests: list[bytes]
    """Their hashes."""
    inputs: list[bytes]
    outputs: list[bytes]

    def __len__(self) -> int:
        return len(self.requests)


@dataclass
class Lane:
    """One operator, in a network of its own."""

    chain: Chain
    network: Network
    model: Served
    operator: bytes
    folder: Path
    account: int
    common: dict[str, Any]
    """Settings."""
    gate: Gate
    asked: int = 0
    nodes: dict[str, OperatorNode] = field(default_factory=dict)
    """By the runner of the model."""
    node: OperatorNode = field(init=False)

    def __post_init__(self) -> None:
        for runner in (self.model.runner, self.model.bent_runner):
            self.nodes[runner] = OperatorNode(
                self.folder / runner.replace(":", "-"), self._settings(runner), self.account
            )
        self.node = self.nodes[self.model.runner]

    def _settings(self, runner: str) -> dict[str, Any]:
        served = {
            "id": to_hex(self.network.model_id),
            "file": str(self.model.file),
            "runner": runner,
        }
        own = {
            "network_id": to_hex(self.network.id),
            "models": [served],
            "store": str(self.folder / "batches"),
            "commit_every": 1.0,
            "commit_margin": 30.0,
            "finalize_after": 0.0,
        }
        common = self.common | {"data": str(self.folder), "account": f"TEST::{self.account}"}
        return {"common": common, "operator": own}

    @property
    def url(self) -> str:
        return self.node.url

    def run(self, runner: str) -> None:
        """Have the node run with this runner, on the same journal; the gate leads to it."""
        if self.node.process is not None and self.node.process.poll() is None:
            if self.node is self.nodes[runner]:
                return
            assert self.node.stop() == 0, self.node.log.read_text()
        self.node = self.nodes[runner]
        self.node.launch()
        self.gate.target = self.node.url

    def lines(self, nonces: Iterable[int]) -> tuple[list[bytes], dict[str, Any]]:
        """Requests' hashes, and the body that asks for them."""
        domain, requester = self.chain.registry.domain, REQUESTERS[0]
        deadline = self.chain.now + self.network.rules.challenge_window // 4
        hashes, lines = [], []
        for nonce in nonces:
            data = self.sample(nonce)
            request = Request(
                self.network.model_id, self.operator, keccak256(data), requester, nonce, deadline
            )
            hashes.append(request.struct_hash())
            line = {"requester": to_hex(requester), "nonce": nonce, "deadline": deadline}
            signature = request.sign(domain, KEY_OF[requester])
            lines.append(line | {"input": to_hex(data), "signature": to_hex(signature)})
        return hashes, {"model_id": to_hex(self.network.model_id), "inferences": lines}

    def sample(self, nonce: int) -> bytes:
        return self.model.samples[nonce % len(self.model.samples)]

    def nonces(self, count: int) -> range:
        """Nonces that were not used yet."""
        self.asked += count
        return range(self.asked - count, self.asked)

    def ask(self, count: int) -> Asked:
        """Ask for inferences over HTTP; each answer is under the operator's signature."""
        nonces = self.nonces(count)
        asked: list[bytes] = []
        outputs: list[bytes] = []
        for start in range(0, count, A_REQUEST):
            requests, body = self.lines(nonces[start : start + A_REQUEST])
            answer = self.node.client.post("/inferences", json=body)
            assert answer.status_code == 200, answer.text
            outputs += self.checked(requests, answer.json())
            asked += requests
        return Asked(asked, [self.sample(nonce) for nonce in nonces], outputs)

    def checked(self, requests: list[bytes], answer: dict[str, Any]) -> list[bytes]:
        """Outputs of an answer, found to be under the operator's signature."""
        outputs = [from_hex(one["output"]) for one in answer["answers"]]
        assert [from_hex(one["request"]) for one in answer["answers"]] == requests
        word = Acknowledgement(
            self.network.id,
            self.operator,
            from_hex(answer["key"]),
            answer["time"],
            tuple(requests),
            tuple(keccak256(output) for output in outputs),
        )
        word.check(self.chain.registry.domain, from_hex(answer["signature"]))
        return outputs

    def receipts(self, requests: list[bytes]) -> dict[bytes, Receipt]:
        """The receipts of requests, by request; of those that are not committed yet, none."""
        found: dict[bytes, Receipt] = {}
        for start in range(0, len(requests), MOST_RECEIPTS):
            part = requests[start : start + MOST_RECEIPTS]
            found |= read_receipts(part, self.node.receipts(part))
        return found

    def batches(self) -> list[BatchState]:
        """The lane's, as the chain's events have them."""
        return [one for one in self.chain.ledger().batches.values() if self.owns(one)]

    def owns(self, record: BatchState) -> bool:
        return record.batch.operator == self.operator


def read_receipts(requests: list[bytes], said: list[Any]) -> dict[bytes, Receipt]:
    """The receipts in an answer, by request; each is found to be the request's, and to lead from
    its leaf to its batch."""
    found = {}
    for request, one in zip(requests, said, strict=True):
        if one is not None and "receipt" in one:
            receipt = found[request] = Receipt.from_json(one["receipt"])
            receipt.check()
            assert receipt.opening.inference.request().struct_hash() == request
    return found
