"""The proxy between OpenAI clients and an operator with a real language model."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tallystick.client.llm.book import Book
from tallystick.client.llm.kept import KeptAnswer
from tallystick.llm.request_header import NAME, RequestHeader
from tallystick.protocol.hexes import checksummed
from tests.llm.client.conftest import StartProxy, rpc_of
from tests.llm.nodes.conftest import LlmScene, chat
from tests.support.faulty_rpc import Exchange, faulty_rpc, never
from tests.support.llm_middleman import Middleman
from tests.support.llm_proxy import ProxyProcess
from tests.support.patience import PATIENCE

CHAT = "/v1/chat/completions"
VERIFIED = "x-tallystick-verified"
QUESTION: list[Any] = [{"role": "user", "content": "Tell me a joke about trees."}]


def openai_client(proxy: ProxyProcess, **options: Any) -> openai.OpenAI:
    """The library as anybody sets it up, but for waits between its retries."""
    return openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=proxy.key, timeout=PATIENCE, **options)


def kept(proxy: ProxyProcess, key: str) -> tuple[KeptAnswer, str | None]:
    """A kept answer by its id, and what the header says of it."""
    with proxy.client() as client:
        response = client.get(f"/v1/receipts/{key}")
    assert response.status_code == 200, response.text
    return KeptAnswer.from_json(response.json()), response.headers.get(VERIFIED)


def with_receipt(proxy: ProxyProcess, key: str) -> KeptAnswer:
    """A kept answer once it has its receipt; all of it holds."""
    end = time.monotonic() + PATIENCE
    while True:
        found, verified = kept(proxy, key)
        found.check()
        if found.receipt is not None and verified:
            assert verified == "0x" + found.receipt.batch_id.hex()
            return found
        assert time.monotonic() < end, proxy.log.read_text()
        time.sleep(0.1)


def ask(proxy: ProxyProcess, body: bytes, **headers: str) -> httpx.Response:
    with proxy.client() as client:
        return client.post(CHAT, content=body, headers=headers)


def test_openai_client__unchanged__answer_and_then_its_receipt(shared_proxy: ProxyProcess) -> None:
    client = openai_client(shared_proxy)
    said = client.chat.completions.create(
        model="any", messages=QUESTION, max_tokens=16, temperature=0.8
    )
    found = with_receipt(shared_proxy, said.id)
    assert said.choices[0].message.content == found.answer.text and found.answer.text
    assert said.usage and said.usage.completion_tokens == len(found.answer.output.tokens)
    assert found.receipt and found.receipt.opening.inference.request() == found.request
    (checked,) = [one for one in shared_proxy.events("answer checked") if one["id"] == said.id]
    assert checked["tokens"] == said.usage.completion_tokens


def test_openai_client__streaming__same_text_as_is_kept(shared_proxy: ProxyProcess) -> None:
    client = openai_client(shared_proxy)
    chunks = list(
        client.chat.completions.create(
            model="any",
            messages=QUESTION,
            max_tokens=16,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *texts, usage = chunks
    found = with_receipt(shared_proxy, chunks[0].id)
    assert len(texts) > 2
    assert "".join(one.choices[0].delta.content or "" for one in texts) == found.answer.text
    assert usage.usage and usage.usage.completion_tokens == len(found.answer.output.tokens)


def test_openai_client__completions_and_models__as_anywhere(
    shared_proxy: ProxyProcess, scene: LlmScene
) -> None:
    client = openai_client(shared_proxy)
    said = client.completions.create(model="any", prompt="Once upon a time", max_tokens=8)
    found, _ = kept(shared_proxy, said.id)
    assert said.id.startswith("cmpl-") and said.choices[0].text == found.answer.text
    assert [one.id for one in client.models.list()] == ["0x" + scene.model_id.hex()]


def test_openai_client__what_is_not_allowed__bad_request_that_names_it(
    shared_proxy: ProxyProcess,
) -> None:
    client = openai_client(shared_proxy)
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="any", messages=QUESTION, top_p=0.5)
    assert raised.value.param == "top_p"
    with pytest.raises(openai.BadRequestError) as raised:  # which the operator tells
        client.chat.completions.create(
            model="any", messages=[{"role": "user", "content": "\ue000"}]
        )
    assert str(raised.value.param).startswith("messages")


def test_same_body__client_went_away__same_answer_and_then_another_one(
    shared_proxy: ProxyProcess,
) -> None:
    body = chat("Tell me a long story.", max_tokens=48, stream=True)
    with shared_proxy.client() as client, client.stream("POST", CHAT, content=body) as gone:
        lines = gone.iter_lines()
        first = json.loads(next(lines).removeprefix("data: "))["id"]
    again = ask(shared_proxy, body)
    assert again.text.endswith("data: [DONE]\n\n") and first in again.text
    # The answer has been received: the same question is another one, unless it is retried.
    new = ask(shared_proxy, body)
    assert first not in new.text
    second = json.loads(new.text.split("\n\n")[0].removeprefix("data: "))["id"]
    assert second in ask(shared_proxy, body, **{"x-stainless-retry-count": "1"}).text


def test_another_operator__after_a_refusal__gets_the_same_nonce(
    start: StartProxy, middleman: Middleman, scene: LlmScene
) -> None:
    middleman.refusal = 429, "busy"
    middleman.operator = checksummed(scene.chain.accounts[5])
    proxy = start(middleman.url, middleman.node)
    said = ask(proxy, chat("Hello.", max_tokens=4)).json()
    found, _ = kept(proxy, said["id"])
    (seen,) = middleman.seen
    refused = RequestHeader.decode(seen[NAME.lower()])
    assert found.request.operator == scene.operator
    assert refused.nonce == found.request.nonce
    assert refused.signature != found.request_signature
    assert proxy.events("operator refused")


def test_header__refused_by_a_busy_operator__goes_again_as_it_was(
    start: StartProxy, middleman: Middleman
) -> None:
    middleman.refusal = 429, "busy"
    proxy = start(middleman.url)
    body = chat("Hello.", max_tokens=4)
    refused = ask(proxy, body)
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "busy"
    middleman.refusal = None
    assert ask(proxy, body).status_code == 200
    first, second = (one[NAME.lower()] for one in middleman.seen)
    assert first == second


def test_operator__is_given__body_and_header_alone(start: StartProxy, middleman: Middleman) -> None:
    proxy = start(middleman.url)
    for number in range(2):  # the second would bring the first one's cookie back
        ask(proxy, chat(f"Hello {number}.", max_tokens=4), Cookie="mine=1", **{"X-Own": "secret"})
    for seen in middleman.seen:
        assert seen.keys() <= {
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "user-agent",
            "content-length",
            "content-type",
            NAME.lower(),
        }
        assert proxy.key not in str(seen) and "openai" not in str(seen).lower()


def _text(said: dict[str, Any]) -> None:
    choice = (said.get("choices") or [{}])[0]
    holder = choice.get("message") or choice.get("delta") or {}
    if holder.get("content"):
        holder["content"] = holder["content"].upper() + "!"


def _output(said: dict[str, Any]) -> None:
    if word := said.get("tallystick"):
        # Another token, of the same text.
        word["output"] = word["output"][:-72] + "00000001" + word["output"][-64:]


def _usage(said: dict[str, Any]) -> None:
    if said.get("usage"):
        said["usage"]["completion_tokens"] += 1000


def _finish(said: dict[str, Any]) -> None:
    choice = (said.get("choices") or [{}])[0]
    if choice.get("finish_reason"):
        choice["finish_reason"] = "tool_calls"


def _signature(said: dict[str, Any]) -> None:
    if word := said.get("tallystick"):
        word["time"] += 1


def _id(said: dict[str, Any]) -> None:
    said["id"] = "chatcmpl-" + 64 * "0"


LIES = {
    "text": (_text, "text: "),
    "output": (_output, "signature: "),
    "usage": (_usage, "usage: "),
    "finish_reason": (_finish, "finish_reason: "),
    "time of the word": (_signature, "signature: "),
    "id": (_id, "id: "),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_operator__that_lies__is_told_by_the_part_that_does_not_hold(
    start: StartProxy, middleman: Middleman, stream: bool
) -> None:
    proxy = start(middleman.url)
    client = openai_client(proxy)
    for number, (alter, named) in enumerate(LIES.values()):
        middleman.alter = alter
        with pytest.raises(openai.APIError) as raised:
            asked = client.chat.completions.create(
                model="any",
                messages=[{"role": "user", "content": f"Question {number}."}],
                max_tokens=4,
                stream=stream,
                **({"stream_options": {"include_usage": True}} if stream else {}),
            )
            list(asked)
        assert named in raised.value.message
        assert len(proxy.events("answer does not hold")) == number + 1
    assert not list(proxy.answers.glob("chatcmpl-*"))


def test_operator__that_lied_once__gives_the_answer_to_the_same_header(
    start: StartProxy, middleman: Middleman
) -> None:
    middleman.alter = _text
    proxy = start(middleman.url)
    body = chat("Hello.", max_tokens=4, stream=True)
    assert "text: " in ask(proxy, body).text
    middleman.alter = lambda said: None
    assert ask(proxy, body).text.endswith("data: [DONE]\n\n")
    first, second = (one[NAME.lower()] for one in middleman.seen)
    assert first == second
    with proxy.client() as client:
        assert client.get("/").json()["questions"]["wrong"] == 1


def test_chain__that_does_not_answer__no_answer_until_it_does(
    start: StartProxy, middleman: Middleman, scene: LlmScene
) -> None:
    def refuse(exchange: Exchange) -> bool:
        exchange.refuse(-32000, "the node is not well")
        return True

    with faulty_rpc(rpc_of(scene), never) as chain:
        proxy = start(middleman.url, rpc=chain.url)
        chain.fault = refuse
        body = chat("Hello.", max_tokens=4)
        assert ask(proxy, body).status_code == 503
        assert not list(proxy.answers.glob("chatcmpl-*"))
        chain.fault = never
        said = ask(proxy, body).json()
        with_receipt(proxy, said["id"])
    assert len({one[NAME.lower()] for one in middleman.seen}) == 1
    assert "Traceback" not in proxy.log.read_text()


def test_operator__that_stops_midway__is_asked_again_and_counted(
    start: StartProxy, middleman: Middleman
) -> None:
    middleman.cuts = 1
    proxy = start(middleman.url)
    said = ask(proxy, chat("Count to ten.", max_tokens=24, stream=True)).text.split("\n\n")
    chunks = [json.loads(one.removeprefix("data: ")) for one in said if one.startswith("data: {")]
    text = "".join(one["choices"][0]["delta"].get("content", "") for one in chunks)
    found, _ = kept(proxy, chunks[0]["id"])
    assert text == found.answer.text
    first, second = (one[NAME.lower()] for one in middleman.seen)
    assert first == second
    with proxy.client() as client:
        assert client.get("/").json()["questions"]["stopped"] == 1


def test_web_page__that_calls_the_proxy__is_refused(shared_proxy: ProxyProcess) -> None:
    body, key = chat("Hello."), f"Bearer {shared_proxy.key}"
    url = shared_proxy.url + CHAT
    origin = {"Origin": "https://evil.example", "Content-Type": "text/plain"}

    without_key = httpx.post(url, content=body, headers=origin)
    assert without_key.status_code == 401
    preflight = httpx.options(url, headers={**origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 401
    for response in (without_key, preflight):
        assert not [name for name in response.headers if name.startswith("access-control")]
    # By a name of its own that leads here, the page has this server for its origin.
    rebound = httpx.post(
        url, content=body, headers={"Host": "evil.example:8200", "Authorization": key}
    )
    assert rebound.status_code == 403 and rebound.json()["error"]["code"] == "wrong_host"
    assert httpx.get(shared_proxy.url + "/v1/models").status_code == 401
    named = {"Host": f"localhost:{shared_proxy.port}", "Authorization": key}
    assert httpx.get(shared_proxy.url + "/v1/models", headers=named).status_code == 200
    outside = httpx.get(shared_proxy.url + "/v1/receipts/..%2Fproxy", headers=named)
    assert outside.status_code in (400, 404) and shared_proxy.key not in outside.text


def test_key__file__is_for_its_owner_alone(shared_proxy: ProxyProcess) -> None:
    path = Path(shared_proxy.answers / "proxy.key")
    assert path.stat().st_mode & 0o077 == 0
    assert shared_proxy.key not in shared_proxy.log.read_text()


def test_wait__answer_in_its_batch__header_names_the_batch(start: StartProxy) -> None:
    proxy = start(more=("--wait", "120"))
    said = ask(proxy, chat("Hello.", max_tokens=4))
    found, verified = kept(proxy, said.json()["id"])
    assert found.receipt and said.headers[VERIFIED] == "0x" + found.receipt.batch_id.hex()
    assert verified == said.headers[VERIFIED]
    streamed = ask(proxy, chat("Hello.", max_tokens=4, stream=True))
    assert VERIFIED not in streamed.headers


def test_killed__between_answer_and_receipt__receipt_comes_after_the_start(
    start: StartProxy,
) -> None:
    proxy = start()
    whole = ask(proxy, chat("Hello.", max_tokens=4)).json()["id"]
    with (
        proxy.client() as client,
        client.stream(
            "POST", CHAT, content=chat("Tell me a long story.", max_tokens=40, stream=True)
        ) as cut,
    ):
        half = json.loads(next(cut.iter_lines()).removeprefix("data: "))["id"]
        proxy.kill()
    book = Book(proxy.answers / "book.sqlite3")
    assert len(book.unanswered(0)) == 1
    book.close()
    proxy.start()
    with_receipt(proxy, whole)
    # Nobody asks for it any more; the operator commits it all the same.
    end = time.monotonic() + PATIENCE
    while not (proxy.answers / f"{half}.json").exists():
        assert time.monotonic() < end, proxy.log.read_text()
        time.sleep(0.1)
    assert len(with_receipt(proxy, half).answer.output.tokens) == 40
