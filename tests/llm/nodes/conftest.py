"""A chain, a network with a real language model, and its operator's node."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.llm.request_header import NAME, RequestHeader
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.storage.models.content import content_hash
from tests.llm.model_file import SMOLLM2_FILE
from tests.node.operator.conftest import Scene, shared_chain, staged
from tests.support.chain import Chain
from tests.support.operator_process import OperatorProcess, running
from tests.support.story import KEY_OF, REQUESTERS

__all__ = ["shared_chain"]

SPEC = Spec(context=1024, tokens=64, comparison=DRAFT)


@dataclass
class LlmScene(Scene):
    """What an operator of a language model works in."""

    @property
    def spec(self) -> Path:
        """File of the spec's text."""
        return Path(self.model["spec"])

    def header(self, body: bytes, nonce: int, **changes: Any) -> tuple[str, Request]:
        """The header that makes a body a signed request, and the request."""
        fields = {
            "model_id": self.model_id,
            "operator": self.operator,
            "input_hash": keccak256(body),
            "requester": REQUESTERS[0],
            "nonce": nonce,
            "deadline": self.now + 1800,
        } | changes
        request = Request(**fields)
        signature = request.sign(self.chain.registry.domain, KEY_OF[request.requester])
        header = RequestHeader(
            request.model_id, request.requester, request.nonce, request.deadline, signature
        )
        return header.encode(), request


def chat(text: str, **fields: Any) -> bytes:
    """The body of a chat of one message."""
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 24} | fields
    return json.dumps(body).encode()


def post(
    node: OperatorProcess, body: bytes, header: str | None, path: str = "chat/completions"
) -> httpx.Response:
    """Send a body as it is."""
    headers = {"content-type": "application/json"} | ({NAME: header} if header else {})
    return node.client.post(f"/v1/{path}", content=body, headers=headers)


@contextmanager
def set_up(chain: Chain, folder: Path) -> Iterator[LlmScene]:
    """A network with the model, for a while; the chain is as before at the end."""
    with staged(chain, folder, max_bytes=4096) as found:
        spec = folder / "spec.txt"
        spec.write_text(SPEC.text())
        mined = chain.send(
            chain.accounts[1],
            "registerModel",
            found.network.id,
            content_hash(SMOLLM2_FILE),
            SPEC.spec_hash(),
            ZERO32,
            "SmolLM2",
            "",
        )
        model_id = mined.event(ModelRegistered).model_id
        model = {"file": str(SMOLLM2_FILE), "runner": "llm", "spec": str(spec)}
        yield LlmScene(chain, found.network, model_id, folder, model)


@pytest.fixture
def scene(shared_chain: Chain, tmp_path: Path) -> Iterator[LlmScene]:
    with set_up(shared_chain, tmp_path) as found:
        yield found


@pytest.fixture
def start(scene: LlmScene) -> Iterator[Any]:
    """Starts nodes, each in its own folder; all are gone at the end."""
    with ExitStack() as stack:

        def begin(name: str = "node", **changes: Any) -> OperatorProcess:
            return stack.enter_context(running(scene.node(name, **changes)))

        yield begin
