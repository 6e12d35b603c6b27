"""client/enclave_endpoint.py against a local endpoint that signs: bodies, signatures, lies.

ask: dstack's form, NEAR's, 0G's | stream | signature late, missing | compressed | refused | silent
signature: of another request, answer, form, algorithm, key | malformed | more fields
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.client import enclave_endpoint
from tallystick.client.enclave_endpoint import EnclaveEndpoint, keep
from tallystick.errors import AnswerError, FieldError, OperatorError
from tallystick.protocol.enclave_http import signed_text
from tallystick.protocol.http_signature import fit, read_signature
from tests.support.enclave_http import HttpEnclave
from tests.support.signing_endpoint import SigningEndpoint, signing_endpoint

REQUEST = b'{"messages": [{"role": "user", "content": "2+2?"}],  "model":"qwen/qwen3-8b"}'
STREAM = REQUEST[:-1] + b', "stream": true}'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SigningEndpoint]:
    monkeypatch.setattr(enclave_endpoint, "_PAUSE", 0.01)
    with signing_endpoint() as found:
        yield found


@pytest.fixture
def endpoint(server: SigningEndpoint) -> Iterator[EnclaveEndpoint]:
    with EnclaveEndpoint(server.url, timeout=5) as found:
        yield found


@pytest.mark.parametrize("reencoded", [True, False])
def test_ask__an_answer__both_bodies_as_they_were_signed(
    server: SigningEndpoint, endpoint: EnclaveEndpoint, reencoded: bool
) -> None:
    server.reencoded = reencoded

    exchange = endpoint.ask(REQUEST)

    answer = exchange.answer
    assert server.asked == [REQUEST] and answer.request == REQUEST
    assert answer.signer == server.enclave.address
    assert (b'"id": "chatcmpl-1"' in answer.response) == reencoded
    assert json.loads(answer.response)["id"] == "chatcmpl-1"
    assert (exchange.form, exchange.reencoded) == ("plain", reencoded)
    assert server.queries == [{"signing_algo": ["ecdsa"], "model": ["qwen/qwen3-8b"]}]


def test_ask__named_form__the_models_name(
    server: SigningEndpoint, endpoint: EnclaveEndpoint
) -> None:
    server.named = True

    exchange = endpoint.ask(REQUEST)

    assert (exchange.form, exchange.name) == ("named", b"qwen/qwen3-8b")


def test_ask__chat_id_in_a_header__is_found(
    server: SigningEndpoint, endpoint: EnclaveEndpoint
) -> None:
    server.chat_header = True

    assert endpoint.ask(REQUEST).answer.signer == server.enclave.address


def test_ask__stream__all_that_was_sent(server: SigningEndpoint, endpoint: EnclaveEndpoint) -> None:
    answer = endpoint.ask(STREAM).answer

    assert answer.response.startswith(b'data: {"id": "chatcmpl-1"')
    assert answer.response.endswith(b"\n\n\ndata: [DONE]\n\n")


def test_stream__parts__come_before_the_end_and_are_signed_after_it(
    server: SigningEndpoint, endpoint: EnclaveEndpoint
) -> None:
    with endpoint.stream(STREAM) as coming:
        assert (coming.status, coming.content_type) == (200, "text/event-stream")
        with pytest.raises(AnswerError, match="not come to its end"):
            coming.signature()
        parts = list(coming)
        exchange = coming.signed()

    assert b"".join(parts) == coming.received == exchange.answer.response


def test_ask__signature_comes_late__is_asked_for_again(
    server: SigningEndpoint, endpoint: EnclaveEndpoint
) -> None:
    server.late = 3

    assert endpoint.ask(REQUEST).answer.request == REQUEST
    assert (len(server.asked), len(server.queries)) == (1, 4)


def test_ask__no_signature__says_so(server: SigningEndpoint, endpoint: EnclaveEndpoint) -> None:
    server.late = 9

    with pytest.raises(OperatorError, match=r"no signature: .*expired.* \(HTTP 404\)"):
        endpoint.ask(REQUEST)
    assert len(server.asked) == 1


def test_ask__bearer_token__is_sent(server: SigningEndpoint) -> None:
    server.token = "sesame"

    with EnclaveEndpoint(server.url, "sesame", timeout=5) as endpoint:
        assert endpoint.ask(REQUEST).form == "plain"
    with (
        EnclaveEndpoint(server.url, timeout=5) as endpoint,
        pytest.raises(OperatorError, match=r"refuses: .*no such key.* \(HTTP 401\)"),
    ):
        endpoint.ask(REQUEST)


def test_ask__compressed__refused(server: SigningEndpoint, endpoint: EnclaveEndpoint) -> None:
    server.compressed = True

    with pytest.raises(AnswerError, match="the answer is in gzip"):
        endpoint.ask(REQUEST)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "nowhere", "http://[::1/v1"])
def test_ask__nobody_there__says_so(url: str) -> None:
    with (
        pytest.raises(OperatorError, match="does not answer"),
        EnclaveEndpoint(url, timeout=1) as endpoint,
    ):
        endpoint.ask(REQUEST)


def test_keep__an_exchange__is_read_back(
    server: SigningEndpoint, endpoint: EnclaveEndpoint, tmp_path: Path
) -> None:
    server.named = True
    exchange = endpoint.ask(REQUEST)

    keep(tmp_path / "answer", exchange)

    files = [tmp_path / "answer" / name for name in ("request.bin", "response.bin")]
    said = read_signature((tmp_path / "answer" / "signature.json").read_bytes())
    assert fit(*(file.read_bytes() for file in files), said) == exchange


Bend = Callable[[dict[str, Any]], Any]


def upper(said: dict[str, Any]) -> Any:
    return {**said, "text": said["text"].upper()}


@pytest.mark.parametrize(
    ("bend", "told"),
    [
        (lambda said: {**said, "signing_algo": "ed25519"}, "signing_algo is 'ed25519'"),
        (upper, "in no known form"),
        (lambda said: {**said, "text": said["text"] + ":tls"}, "in no known form"),
        (lambda said: {**said, "text": said["text"][:64]}, "in no known form"),
        (lambda said: {**said, "text": said["text"] + "\n"}, "in no known form"),
        (lambda said: {**said, "text": "00" * 32 + said["text"][64:]}, "of another request"),
        (lambda said: {**said, "text": said["text"][:65] + "00" * 32}, "of another answer"),
        (lambda said: {**said, "text": "qwen:" + said["text"]}, "did not sign these bodies"),
        (lambda said: {**said, "signing_address": "0x" + "11" * 20}, "did not sign"),
        (lambda said: {**said, "signing_address": "0x11"}, "malformed"),
        (lambda said: {**said, "signature": said["signature"][:-2]}, "malformed"),
        (lambda said: {**said, "signature": said["signature"][:-2] + "1d"}, "v of the signature"),
        (lambda said: {**said, "signature": "0x" + "ff" * 64 + "1b"}, "upper half"),
        (lambda said: {**said, "signature": 5}, "malformed: signature"),
        (lambda said: {**said, "text": "\ud800:" + said["text"]}, "malformed"),
        (lambda said: {"text": said["text"]}, "malformed: signature"),
        (lambda said: [said], "malformed"),
        (lambda said: None, "malformed"),
    ],
)
def test_ask__signature_that_is_not_the_answers__refused(
    server: SigningEndpoint, endpoint: EnclaveEndpoint, bend: Bend, told: str
) -> None:
    sign = server.sign

    def bent(chat: str, request: bytes, response: bytes) -> None:
        sign(chat, request, response)
        server.said[chat] = bend(server.said[chat])
        if server.said[chat] is None:
            server.said[chat] = []  # type: ignore[assignment]

    server.sign = bent  # type: ignore[method-assign]

    with pytest.raises(AnswerError, match=told):
        endpoint.ask(REQUEST)


def test_ask__v_of_0_or_1_and_unknown_fields__are_taken(
    server: SigningEndpoint, endpoint: EnclaveEndpoint
) -> None:
    sign = server.sign

    def raw(chat: str, request: bytes, response: bytes) -> None:
        sign(chat, request, response)
        signature = bytes.fromhex(server.said[chat]["signature"][2:])
        v = bytes([signature[64] - 27])
        server.said[chat] |= {"signature": (signature[:64] + v).hex(), "signature_kind": "gateway"}

    server.sign = raw  # type: ignore[method-assign]

    assert endpoint.ask(REQUEST).answer.signature[64] in (27, 28)


def test_fit__bodies_longer_than_a_network_takes__refused() -> None:
    enclave, response = HttpEnclave(), b"a" * 90_000
    answer = enclave.answer(b"", response)
    said = {
        "text": signed_text(b"", response + b"a").decode(),
        "signature": "0x" + answer.signature.hex(),
        "signing_address": "0x" + enclave.address.hex(),
    }

    with pytest.raises(FieldError, match="both bodies together is 90001 bytes"):
        fit(b"", response + b"a", read_signature(json.dumps(said).encode()))
