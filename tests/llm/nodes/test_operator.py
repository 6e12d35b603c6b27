"""An operator's node with a real language model, asked over the OpenAI API."""

import json
from time import monotonic, sleep
from typing import Any

import httpx

from tallystick.llm.output import Output
from tallystick.llm.request_header import NAME
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tests.llm.nodes.conftest import LlmScene, chat, post
from tests.node.operator.conftest import checked, committed, wait_for
from tests.support.operator_process import OperatorProcess


def check_word(scene: LlmScene, node: OperatorProcess, request: Request, said: Any) -> Output:
    """The operator's word on an answer holds; returns its output."""
    output = from_hex(said["output"])
    key = from_hex(node.client.get("/").json()["key"])
    word = Acknowledgement(
        scene.network.id,
        scene.operator,
        key,
        said["time"],
        (request.struct_hash(),),
        (keccak256(output),),
    )
    word.check(scene.chain.registry.domain, from_hex(said["signature"]))
    return Output.decode(output)


def events(response: httpx.Response) -> list[Any]:
    """The chunks of a stream, which ends as it should."""
    lines = [line for line in response.text.split("\n\n") if line and not line.startswith(":")]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def error(response: httpx.Response, status: int) -> Any:
    assert response.status_code == status, response.text
    return response.json()["error"]


def test_chat__signed_request__answer_with_the_operators_word_and_later_a_receipt(
    scene: LlmScene, start: Any
) -> None:
    node = start()
    body = chat("Tell me a joke about trees.", temperature=0.8)
    header, request = scene.header(body, nonce=1)
    said = post(node, body, header).json()
    output = check_word(scene, node, request, said["tallystick"])
    text = said["choices"][0]["message"]["content"]
    assert text and keccak256(text.encode()) == output.text_hash
    assert said["choices"][0]["finish_reason"] == "length" and len(output.tokens) == 24
    assert said["usage"]["total_tokens"] == output.prompt_tokens + 24
    assert said["id"] == "chatcmpl-" + request.struct_hash().hex()
    wait_for(lambda: committed(node, [request.struct_hash()]), node)
    (found,) = node.receipts([request.struct_hash()])
    receipt = checked(found)
    assert receipt.opening.inference.output_hash == keccak256(output.encode())
    assert receipt.opening.inference.input_hash == keccak256(body)


def test_chat__stream__deltas_are_the_text_and_the_last_carries_the_word(
    scene: LlmScene, start: Any
) -> None:
    node = start()
    body = chat("Count to five.", stream=True, stream_options={"include_usage": True})
    header, request = scene.header(body, nonce=2)
    streamed = post(node, body, header)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    first, *parts, last, usage = events(streamed)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    output = check_word(scene, node, request, last["tallystick"])
    text = "".join(one["choices"][0]["delta"]["content"] for one in parts)
    assert len(parts) > 1 and keccak256(text.encode()) == output.text_hash
    assert usage["usage"]["completion_tokens"] == len(output.tokens) and not usage["choices"]
    again = events(post(node, body, header))
    assert "".join(one["choices"][0]["delta"]["content"] for one in again[1:-2]) == text
    # The clock may have gone on; what was said has not.
    assert again[-2]["tallystick"]["output"] == last["tallystick"]["output"]


def test_completions__prompt__text_goes_on(scene: LlmScene, start: Any) -> None:
    node = start()
    body = json.dumps({"prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}).encode()
    header, request = scene.header(body, nonce=3)
    said = post(node, body, header, "completions").json()
    output = check_word(scene, node, request, said["tallystick"])
    assert keccak256(said["choices"][0]["text"].encode()) == output.text_hash
    assert said["object"] == "text_completion"
    listed = node.client.get("/v1/models").json()["data"]
    assert [from_hex(one["id"]) for one in listed] == [scene.model_id]


def test_chat__what_is_not_allowed__openai_error_that_names_it(scene: LlmScene, start: Any) -> None:
    node = start(max_generating=1)
    body = chat("Hello.")
    header, _ = scene.header(body, nonce=10)
    assert error(post(node, body, None), 400)["code"] == "request_header_missing"
    assert error(post(node, body, "00"), 400)["code"] == "request_header_malformed"
    wrong = chat("Hello.", top_p=0.5)
    assert error(post(node, wrong, scene.header(wrong, 10)[0]), 400)["param"] == "top_p"
    assert error(post(node, body, header, "completions"), 400)["param"] == "prompt"
    long = chat("Hello. " * 2000)
    assert error(post(node, long, scene.header(long, 10)[0]), 400)["code"] == (
        "context_length_exceeded"
    )
    large = chat("Hello." + " " * 4000)
    assert error(post(node, large, scene.header(large, 10)[0]), 413)
    other = scene.header(body, 10, model_id=bytes(32))[0]
    assert error(post(node, body, other), 404)["code"] == "model_not_found"
    # Somebody else's body under this signature has another signer.
    assert "signed by" in error(post(node, chat("Bye."), header), 403)["message"]
    late = scene.header(body, 10, deadline=scene.now + 61)[0]
    assert "deadline" in error(post(node, body, late), 422)["message"]
    assert post(node, body, header).status_code == 200
    taken = chat("Another question.")
    assert error(post(node, taken, scene.header(taken, 10)[0]), 400)["code"] == "nonce_taken"


def test_chat__client_goes_away__answer_is_kept_and_committed(scene: LlmScene, start: Any) -> None:
    node = start()
    body = chat("Tell me a long story.", max_tokens=48, stream=True)
    header, request = scene.header(body, nonce=20)
    with node.client.stream(
        "POST", "/v1/chat/completions", content=body, headers={NAME: header}
    ) as response:
        assert response.status_code == 200
    wait_for(lambda: committed(node, [request.struct_hash()]), node)
    whole = events(post(node, body, header))
    check_word(scene, node, request, whole[-1]["tallystick"])


def test_chat__killed_while_generating__same_answer_after_the_start_unasked(
    scene: LlmScene, start: Any
) -> None:
    node = start()
    body = chat("Tell me a long story.", max_tokens=64, stream=True, temperature=0.9)
    header, request = scene.header(body, nonce=30)
    with node.client.stream(
        "POST", "/v1/chat/completions", content=body, headers={NAME: header}
    ) as response:
        lines = response.iter_lines()
        begun = [next(lines) for _ in range(7)]
        (found,) = node.receipts([request.struct_hash()])
        assert found["state"] == "generating"
        node.kill()
    node.start()
    wait_for(lambda: committed(node, [request.struct_hash()]), node)
    whole = post(node, body, header)
    check_word(scene, node, request, events(whole)[-1]["tallystick"])
    contents = [
        json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content", "")
        for line in begun
        if line
    ]
    text = "".join(one["choices"][0]["delta"].get("content", "") for one in events(whole))
    assert "".join(contents) and text.startswith("".join(contents))


def test_chat__down_past_the_deadline__given_up_and_never_promised(
    scene: LlmScene, start: Any
) -> None:
    node = start()
    body = chat("Tell me a long story.", max_tokens=64, stream=True, temperature=0.9)
    header, request = scene.header(body, nonce=33)
    with node.client.stream(
        "POST", "/v1/chat/completions", content=body, headers={NAME: header}
    ) as response:
        lines = response.iter_lines()
        _ = [next(lines) for _ in range(7)]
        node.kill()
    scene.chain.at(request.deadline + 1).mine()

    node.start()

    assert node.receipts([request.struct_hash()]) == [None]
    refused = error(post(node, body, header), 422)
    assert "deadline" in refused["message"]
    assert "request given up" in node.log.read_text()
    assert scene.network.lane(scene.operator).next_index == 0


def test_chat__queue_full__told_to_come_again(scene: LlmScene, start: Any) -> None:
    node = start(max_generating=1)
    body = chat("Tell me a long story.", max_tokens=64, stream=True)
    header, request = scene.header(body, nonce=40)
    second = chat("And another one.")
    with node.client.stream(
        "POST", "/v1/chat/completions", content=body, headers={NAME: header}
    ) as response:
        next(response.iter_lines())
        refused = post(node, second, scene.header(second, 41)[0])
        assert error(refused, 429)["type"] == "rate_limit_error"
        assert int(refused.headers["retry-after"]) >= 1
        # The same request joins its own answer, however full the queue is.
        joined = events(post(node, body, header))
        check_word(scene, node, request, joined[-1]["tallystick"])
    end = monotonic() + 60
    while post(node, second, scene.header(second, 41)[0]).status_code != 200:
        assert monotonic() < end
        sleep(0.2)
