"""enclave-http proxy as a process before an endpoint that signs: kept, refused, committed.

whole | streamed | as sent and as signed | client gone | endpoint's refusal, silence
signature late, missing, of another answer, by another key | kill -9 | the key of the proxy
"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.client.kept_exchanges import KeptExchange, KeptExchanges
from tallystick.protocol.hexes import checksummed, to_hex
from tests.integration.conftest import Commands
from tests.integration.enclave_http.test_commands import MODEL, Scene, scene_of
from tests.support.chain import Chain
from tests.support.enclave_http import HttpEnclave
from tests.support.enclave_proxy import enclave_proxy
from tests.support.local_server import LocalServer
from tests.support.signing_endpoint import SigningEndpoint, signing_endpoint

CHAT = "chat/completions"
SIGNER = "X-Tallystick-Signer"
BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "2+2?"}]}).encode()
STREAM = BODY[:-1] + b',  "stream":true}'


@pytest.fixture
def server() -> Iterator[SigningEndpoint]:
    with signing_endpoint() as found:
        yield found


@pytest.fixture
def proxy(server: SigningEndpoint, tmp_path: Path) -> Iterator[LocalServer]:
    with enclave_proxy(tmp_path / "proxy", server.url) as found:
        yield found


def post(proxy: LocalServer, body: bytes = BODY, path: str = CHAT) -> httpx.Response:
    with proxy.client() as client:
        return client.post(f"/v1/{path}", content=body)


def kept(proxy: LocalServer) -> list[KeptExchange]:
    return list(KeptExchanges(proxy.answers))


def signed(proxy: LocalServer, count: int = 1) -> list[KeptExchange]:
    proxy.until(lambda: sum(one.is_signed for one in kept(proxy)) >= count)
    return [one for one in kept(proxy) if one.is_signed]


@pytest.mark.parametrize("reencoded", [True, False])
def test_proxy__whole_answer__is_what_was_signed_and_kept(
    proxy: LocalServer, server: SigningEndpoint, reencoded: bool
) -> None:
    server.reencoded = reencoded

    response = post(proxy)

    assert response.headers[SIGNER] == checksummed(server.enclave.address)
    assert "X-Tallystick-Verified" not in response.headers
    (one,) = kept(proxy)
    answer = one.read().answer
    assert server.asked == [BODY] == [answer.request]
    assert response.content == answer.response
    with proxy.client() as client:
        said = client.get("/v1/exchanges/chatcmpl-1")
    assert said.headers[SIGNER] == response.headers[SIGNER]
    assert said.json() == {
        "chat": "chatcmpl-1",
        "kept": str(one.folder),
        "signed": True,
        "signer": response.headers[SIGNER],
        "form": "plain",
        "item": to_hex(answer.item()),
    }
    assert proxy.events("signed")[0]["kept"] == str(one.folder)


def test_proxy__stream__passes_as_it_is_sent_and_is_kept(
    proxy: LocalServer, server: SigningEndpoint
) -> None:
    response = post(proxy, STREAM)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    (one,) = signed(proxy)
    answer = one.read().answer
    assert (answer.request, answer.response) == (STREAM, response.content)
    assert response.content.endswith(b"data: [DONE]\n\n")


def test_proxy__client_that_leaves__answer_is_kept(
    proxy: LocalServer, server: SigningEndpoint
) -> None:
    with proxy.client() as client, client.stream("POST", f"/v1/{CHAT}", content=STREAM) as response:
        next(response.iter_raw())

    (one,) = signed(proxy)
    assert one.read().answer.response.endswith(b"data: [DONE]\n\n")


def test_proxy__signature_of_another_answer__is_refused(
    proxy: LocalServer, server: SigningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = server.sign
    monkeypatch.setattr(server, "sign", lambda chat, asked, sent: sign(chat, asked, sent + b" "))

    response = post(proxy)

    assert response.status_code == 502 and SIGNER not in response.headers
    assert response.json()["error"]["code"] == "answer_does_not_hold"
    assert "of another answer" in response.json()["error"]["message"]
    (one,) = kept(proxy)
    assert not one.is_signed and one.waits


def test_proxy__another_signer_than_told__is_refused(
    server: SigningEndpoint, tmp_path: Path
) -> None:
    expected = checksummed(HttpEnclave(7).address)
    with enclave_proxy(tmp_path / "proxy", server.url, "--signer", expected) as proxy:
        refused = post(proxy)
        server.enclave = HttpEnclave(7)
        answered = post(proxy)

    assert refused.status_code == 502
    assert "who is none of the signers expected" in refused.json()["error"]["message"]
    assert answered.headers[SIGNER] == expected


def test_proxy__no_signature__answer_without_the_header_and_asked_for_again(
    server: SigningEndpoint, tmp_path: Path
) -> None:
    server.late = 5
    with enclave_proxy(tmp_path / "proxy", server.url) as proxy:
        response = post(proxy)
        assert proxy.kill() == -signal.SIGKILL
        assert [one.waits for one in kept(proxy)] == [True]
        proxy.start()
        (one,) = signed(proxy)

    assert response.status_code == 200 and SIGNER not in response.headers
    assert one.read().answer.signer == server.enclave.address
    assert len(server.asked) == 1


@pytest.mark.parametrize("chat_header", [False, True])
def test_proxy__endpoint_of_0g__chat_id_in_a_header(
    server: SigningEndpoint, tmp_path: Path, chat_header: bool
) -> None:
    server.chat_header = chat_header
    with enclave_proxy(tmp_path / "proxy", server.url) as proxy:
        assert SIGNER in post(proxy).headers


def test_proxy__endpoint_refuses__its_words_and_nothing_kept(
    proxy: LocalServer, server: SigningEndpoint
) -> None:
    server.token = "secret"

    response = post(proxy)

    assert response.status_code == 502
    assert "refuses the proxy's key" in response.json()["error"]["message"]
    assert kept(proxy) == []


def test_proxy__answer_breaks_off__502_that_is_not_to_be_retried(
    proxy: LocalServer, server: SigningEndpoint
) -> None:
    server.broken = True

    response = post(proxy)

    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "answer_broke_off"
    assert kept(proxy) == []


def test_proxy__endpoint_down__503_in_one_line(tmp_path: Path) -> None:
    with enclave_proxy(tmp_path / "proxy", "http://127.0.0.1:9/v1") as proxy:
        response = post(proxy)
        with proxy.client() as client:
            models = client.get("/v1/models")

    for found in (response, models):
        assert found.status_code == 503
        assert "the endpoint does not answer" in found.json()["error"]["message"]
    assert kept(proxy) == []


def test_proxy__key__kept_by_the_proxy_and_asked_of_clients(
    server: SigningEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = "secret"
    monkeypatch.setenv("TALLYSTICK_ENDPOINT_KEY", "secret")
    with enclave_proxy(tmp_path / "proxy", server.url) as proxy:
        assert SIGNER in post(proxy).headers
        assert httpx.post(f"{proxy.url}/v1/{CHAT}", content=BODY).status_code == 401
        with proxy.client() as client:
            foreign = client.post(f"/v1/{CHAT}", content=BODY, headers={"Host": "evil.example"})
            unknown = client.get("/v1/exchanges/nobody")
            encoded = client.post(f"/v1/{CHAT}", content=BODY, headers={"Content-Encoding": "gzip"})
            counts = client.get("/").json()
        assert proxy.kill(signal.SIGTERM) in (0, -signal.SIGTERM)

    assert (foreign.status_code, unknown.status_code, encoded.status_code) == (403, 404, 415)
    assert counts == {"signed": 1, "waiting": 0, "in_progress": 0}
    assert len(server.asked) == 1


def test_submit_kept__each_once__and_what_is_not_signed_is_named(
    chain: Chain,
    commands: Commands,
    server: SigningEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TALLYSTICK_REGISTRY", to_hex(chain.registry.address))
    scene = scene_of(chain, commands, server, tmp_path, named=False)
    with enclave_proxy(tmp_path / "proxy", server.url) as proxy:
        for body in (BODY, STREAM):
            post(proxy, body)
        signed(proxy, 2)

    first = submit_kept(scene, proxy)
    again = submit_kept(scene, proxy)
    stray = KeptExchanges(proxy.answers).begin(BODY)
    told = commands.error("enclave-http submit-kept", proxy.answers, *scene.line([]), account=2)
    scene.finish()

    assert [(row["sent"], row["reason"]) for row in first] == [(True, "")] * 2
    assert [(row["sent"], row["reason"]) for row in again] == [(False, "")] * 2
    assert [row["batch_id"] for row in again] == [row["batch_id"] for row in first]
    assert "1 of 3 answers were not committed" in told and not KeptExchange(stray.folder).waits
    assert scene.network.totals().enclave == scene.network.totals().committed == 2


def submit_kept(scene: Scene, proxy: LocalServer) -> Any:
    line = ("enclave-http submit-kept", proxy.answers, *scene.line([]))
    return scene.commands.json(*line, account=2)
