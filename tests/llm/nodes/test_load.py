"""Many at once: every stream gets its answer, and receipts do not wait behind them."""

import json
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import monotonic
from typing import Any

import httpx

from tallystick.llm.output import Output
from tallystick.llm.request_header import NAME
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keccak import keccak256
from tests.llm.nodes.conftest import LlmScene, chat
from tests.support.operator_process import OperatorProcess
from tests.support.patience import PATIENCE

STREAMS = 64


def stream(url: str, body: bytes, header: str) -> tuple[str, Output]:
    """The text of a streamed answer, and the output that the operator signed for it."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        said = client.post("/v1/chat/completions", content=body, headers={NAME: header})
    lines = [line for line in said.text.split("\n\n") if line.startswith("data: {")]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert said.text.endswith("data: [DONE]\n\n"), said.text[-500:]
    text = "".join(one["choices"][0]["delta"].get("content", "") for one in chunks)
    return text, Output.decode(from_hex(chunks[-1]["tallystick"]["output"]))


def test_chat__64_streams_at_once__all_whole_and_receipts_within_a_second(
    scene: LlmScene, start: Any
) -> None:
    node: OperatorProcess = start()
    bodies = [chat(f"Say the number {one}.", max_tokens=8, stream=True) for one in range(STREAMS)]
    asked = [(body, *scene.header(body, 1000 + one)) for one, body in enumerate(bodies)]
    waits = []
    with ThreadPoolExecutor(STREAMS) as pool:
        running = [pool.submit(stream, node.url, body, header) for body, header, _ in asked]
        while not all(one.done() for one in running):
            start = monotonic()
            node.receipts([request.struct_hash() for _, _, request in asked[:8]])
            waits.append(monotonic() - start)
        answers = [one.result() for one in running]
    for text, output in answers:
        assert keccak256(text.encode()) == output.text_hash
    assert len({output.text_hash for _, output in answers}) > STREAMS // 2
    assert median(waits) < 1, sorted(waits)[-5:]
